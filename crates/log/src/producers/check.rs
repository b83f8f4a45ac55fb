//! Judges the producer and sequence of a batch before it is appended, as
//! `UnifiedLog.analyzeAndValidateProducerState` and `ProducerAppendInfo` do.

use super::Producers;
use super::entry::{BatchMetadata, NO_EPOCH, ProducerEntry};
use crate::batch::{BatchHeader, Origin};
use crate::error::AppendError;

/// What is to be done with a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is new.
    Append,
    /// It is in the log already, there.
    Duplicate(BatchMetadata),
}

impl Producers {
    /// Judges a batch.
    ///
    /// # Errors
    /// [`AppendError::InvalidProducerEpoch`], [`AppendError::OutOfOrderSequence`] or
    /// [`AppendError::InvalidTransactionState`].
    pub(crate) fn check(&self, header: &BatchHeader, origin: Origin) -> Result<Verdict, AppendError> {
        if !header.has_producer_id() {
            return Ok(Verdict::Append);
        }
        let unknown = ProducerEntry::default();
        let entry = self.entries.get(&header.producer_id).unwrap_or(&unknown);
        if origin == Origin::Client
            && let Some(duplicate) = entry.duplicate_of(header)
        {
            return Ok(Verdict::Duplicate(duplicate));
        }
        if header.producer_epoch < entry.epoch {
            return Err(AppendError::InvalidProducerEpoch {
                producer_id: header.producer_id,
                epoch: header.producer_epoch,
                current: entry.epoch,
            });
        }
        if header.is_control() {
            return Ok(Verdict::Append);
        }
        if origin == Origin::Client {
            check_sequence(header, entry)?;
        }
        // A transaction has to be announced before its first batch is appended (KIP-890). Nobody announces
        // one yet, so a transactional batch can only go on with one that is open.
        if header.is_transactional() != entry.transaction_first_offset.is_some() {
            return Err(AppendError::InvalidTransactionState { producer_id: header.producer_id });
        }
        Ok(Verdict::Append)
    }
}

/// `ProducerAppendInfo.checkSequence`. A producer that the log does not know may begin anywhere: its records
/// may have been deleted by retention.
fn check_sequence(header: &BatchHeader, entry: &ProducerEntry) -> Result<(), AppendError> {
    if entry.epoch == NO_EPOCH {
        return Ok(());
    }
    let expected = if header.producer_epoch != entry.epoch {
        0
    } else {
        // From 2^31-1 to 0; and from -1, when the epoch has no batch yet.
        entry.last_sequence().checked_add(1).unwrap_or(0)
    };
    if header.base_sequence == expected {
        return Ok(());
    }
    Err(AppendError::OutOfOrderSequence {
        producer_id: header.producer_id,
        sequence: header.base_sequence,
        last_sequence: entry.last_sequence(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::BatchBuilder;
    use crate::producers::EndMarker;

    const PRODUCER: i64 = 7;

    fn header(epoch: i16, sequence: i32, count: i32, base_offset: i64) -> BatchHeader {
        let header = BatchHeader::parse(&BatchBuilder::new().producer(PRODUCER, epoch, sequence).build());
        let last_offset_delta = count - 1;
        BatchHeader { base_offset, last_offset_delta, max_timestamp: 1000, ..header.expect("header") }
    }

    fn with(batches: &[(i16, i32, i32)]) -> Producers {
        let mut producers = Producers::default();
        let mut offset = 0;
        for &(epoch, sequence, count) in batches {
            let header = header(epoch, sequence, count, offset);
            let verdict = producers.check(&header, Origin::Client).expect("in order");
            assert_eq!(verdict, Verdict::Append);
            producers.update(&header, None);
            offset += i64::from(count);
        }
        producers
    }

    fn verdict(producers: &Producers, epoch: i16, sequence: i32, count: i32) -> Result<Verdict, AppendError> {
        producers.check(&header(epoch, sequence, count, 100), Origin::Client)
    }

    #[test]
    fn the_last_five_batches_are_recognised() {
        let producers = with(&[(0, 0, 2), (0, 2, 3), (0, 5, 1), (0, 6, 1), (0, 7, 1), (0, 8, 1)]);
        for (sequence, count, first_offset) in [(2, 3, 2), (5, 1, 5), (8, 1, 8)] {
            let Ok(Verdict::Duplicate(found)) = verdict(&producers, 0, sequence, count) else {
                panic!("{sequence} is a duplicate");
            };
            assert_eq!(found.first_offset(), first_offset);
        }
        assert!(matches!(verdict(&producers, 0, 0, 2), Err(AppendError::OutOfOrderSequence { .. })));
        assert!(matches!(verdict(&producers, 0, 2, 2), Err(AppendError::OutOfOrderSequence { .. })));
    }

    #[test]
    fn sequences_follow_each_other_and_wrap() {
        let producers = with(&[(3, i32::MAX - 1, 1)]);
        assert!(matches!(verdict(&producers, 3, i32::MAX, 1), Ok(Verdict::Append)));
        assert!(matches!(verdict(&producers, 3, 0, 1), Err(AppendError::OutOfOrderSequence { .. })));
        let across = with(&[(3, i32::MAX - 1, 4)]);
        assert!(matches!(verdict(&across, 3, 2, 1), Ok(Verdict::Append)));
        assert!(matches!(verdict(&across, 3, i32::MAX - 1, 4), Ok(Verdict::Duplicate(_))));
        let last = with(&[(3, i32::MAX, 1)]);
        assert!(matches!(verdict(&last, 3, 0, 1), Ok(Verdict::Append)));
    }

    #[test]
    fn epochs_fence_and_begin_at_zero() {
        let producers = with(&[(3, 5, 1)]);
        assert!(matches!(
            verdict(&producers, 2, 6, 1),
            Err(AppendError::InvalidProducerEpoch { epoch: 2, current: 3, .. })
        ));
        assert!(matches!(verdict(&producers, 4, 6, 1), Err(AppendError::OutOfOrderSequence { .. })));
        assert!(matches!(verdict(&producers, 4, 0, 1), Ok(Verdict::Append)));
        assert!(matches!(verdict(&Producers::default(), 9, 77, 1), Ok(Verdict::Append)));
    }

    #[test]
    fn coordinators_are_asked_for_their_epoch_only() {
        let producers = with(&[(3, 5, 1)]);
        let check = |epoch| producers.check(&header(epoch, -1, 1, 100), Origin::Coordinator);
        assert!(matches!(check(3), Ok(Verdict::Append)));
        assert!(matches!(check(2), Err(AppendError::InvalidProducerEpoch { .. })));
    }

    #[test]
    fn transactions_hold_the_stable_offset_back_until_their_marker() {
        let mut producers = Producers::default();
        let transactional = BatchHeader { attributes: 0x10, ..header(0, 0, 1, 40) };
        assert!(matches!(
            producers.check(&transactional, Origin::Client),
            Err(AppendError::InvalidTransactionState { .. })
        ));
        producers.update(&transactional, None);
        assert_eq!(producers.first_unstable_offset(), Some(40));
        assert!(matches!(verdict(&producers, 0, 1, 1), Err(AppendError::InvalidTransactionState { .. })));
        let marker = BatchHeader { attributes: 0x30, ..header(0, -1, 1, 41) };
        producers.update(&marker, Some(EndMarker { coordinator_epoch: 2, timestamp: 5 }));
        assert_eq!(producers.first_unstable_offset(), None);
        assert!(matches!(verdict(&producers, 0, 1, 1), Ok(Verdict::Append)));
    }
}
