//! Judges the producer and sequence of a batch before it is appended, as
//! `UnifiedLog.analyzeAndValidateProducerState` and `ProducerAppendInfo` do.

use ottla_model::ProducerEpoch;

use super::entry::{BatchMetadata, NO_EPOCH, ProducerEntry};
use super::guards::Verification;
use super::{EndMarker, Guard, Producers};
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

/// What whoever appends a batch says for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Claim {
    pub(crate) origin: Origin,
    /// What a batch that begins a transaction needs.
    pub(crate) guard: Option<Guard>,
    /// What a marker is judged by.
    pub(crate) transaction_version: i16,
}

/// From this version on the epoch of a producer rises with each transaction (KIP-890).
const EPOCHS_RISE_FROM_VERSION: i16 = 2;

impl Producers {
    /// Judges a batch; `marker` is what a control batch says.
    ///
    /// # Errors
    /// [`AppendError::InvalidProducerEpoch`], [`AppendError::OutOfOrderSequence`],
    /// [`AppendError::InvalidTransactionState`] or [`AppendError::TransactionCoordinatorFenced`].
    pub(crate) fn check(
        &self,
        header: &BatchHeader,
        marker: Option<EndMarker>,
        claim: Claim,
    ) -> Result<Verdict, AppendError> {
        if !header.has_producer_id() {
            return Ok(Verdict::Append);
        }
        let unknown = ProducerEntry::default();
        let entry = self.entries.get(&header.producer_id).unwrap_or(&unknown);
        if let Some(marker) = marker {
            return check_marker(header, marker, claim.transaction_version, entry).map(|()| Verdict::Append);
        }
        if claim.origin == Origin::Client
            && let Some(duplicate) = entry.duplicate_of(header)
        {
            return Ok(Verdict::Duplicate(duplicate));
        }
        entry.check_epoch(header.producer_id, header.producer_epoch)?;
        let outside_transaction = AppendError::InvalidTransactionState { producer_id: header.producer_id };
        let begins = header.is_transactional() && !entry.is_in_transaction(header.producer_epoch);
        if begins && !self.guards.is_held(header.producer_id, claim.guard) {
            return Err(outside_transaction);
        }
        if claim.origin == Origin::Client {
            check_sequence(header, entry, self.guards.of(header.producer_id))?;
        }
        if entry.transaction_first_offset.is_some() && !header.is_transactional() {
            return Err(outside_transaction);
        }
        Ok(Verdict::Append)
    }
}

/// `ProducerAppendInfo.appendEndTxnMarker`. With version 2 a marker has the epoch of the next transaction, so that one
/// which comes late ends none that it is not meant for. The same marker again, when nothing is open, does no harm.
fn check_marker(
    header: &BatchHeader,
    marker: EndMarker,
    transaction_version: i16,
    entry: &ProducerEntry,
) -> Result<(), AppendError> {
    let (epoch, current) = (header.producer_epoch, entry.epoch);
    let rises = transaction_version >= EPOCHS_RISE_FROM_VERSION;
    let is_repeated = entry.transaction_first_offset.is_none() || epoch == ProducerEpoch::MAX;
    if epoch < current || (rises && epoch == current && !is_repeated) {
        return Err(AppendError::InvalidProducerEpoch { producer_id: header.producer_id, epoch, current });
    }
    if entry.coordinator_epoch > marker.coordinator_epoch {
        return Err(AppendError::TransactionCoordinatorFenced {
            producer_id: header.producer_id,
            epoch: marker.coordinator_epoch,
            current: entry.coordinator_epoch,
        });
    }
    Ok(())
}

/// `ProducerAppendInfo.checkSequence`. A producer that the log does not know may begin anywhere: its records
/// may have been deleted by retention. One that is being verified may not: what it sent first comes first, and with
/// version 2 a transaction begins at 0.
fn check_sequence(
    header: &BatchHeader,
    entry: &ProducerEntry,
    verification: Option<&Verification>,
) -> Result<(), AppendError> {
    let error = AppendError::OutOfOrderSequence {
        producer_id: header.producer_id,
        sequence: header.base_sequence,
        last_sequence: entry.last_sequence(),
    };
    if let Some(verification) = verification {
        let must_begin = verification.bumps_epochs && entry.batches.is_empty();
        if must_begin && header.base_sequence != 0 || header.base_sequence > verification.lowest_sequence {
            return Err(error);
        }
    }
    if entry.epoch == NO_EPOCH {
        return Ok(());
    }
    let expected = if header.producer_epoch != entry.epoch {
        0
    } else {
        // From 2^31-1 to 0; and from -1, when the epoch has no batch yet.
        entry.last_sequence().checked_add(1).unwrap_or(0)
    };
    if header.base_sequence == expected { Ok(()) } else { Err(error) }
}

#[cfg(test)]
mod tests {
    use ottla_model::WallMillis;

    use super::*;
    use crate::batch::BatchBuilder;
    use crate::producers::{FirstBatch, Outcome};

    const PRODUCER: i64 = 7;
    const CLIENT: Claim = Claim { origin: Origin::Client, guard: None, transaction_version: 0 };
    const COORDINATOR: Claim = Claim { origin: Origin::Coordinator, ..CLIENT };

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
            let verdict = producers.check(&header, None, CLIENT).expect("in order");
            assert_eq!(verdict, Verdict::Append);
            producers.update(&header, None);
            offset += i64::from(count);
        }
        producers
    }

    fn verdict(producers: &Producers, epoch: i16, sequence: i32, count: i32) -> Result<Verdict, AppendError> {
        producers.check(&header(epoch, sequence, count, 100), None, CLIENT)
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
        let check = |epoch| producers.check(&header(epoch, -1, 1, 100), None, COORDINATOR);
        assert!(matches!(check(3), Ok(Verdict::Append)));
        assert!(matches!(check(2), Err(AppendError::InvalidProducerEpoch { .. })));
    }

    fn transactional(epoch: i16, sequence: i32, base_offset: i64) -> BatchHeader {
        BatchHeader { attributes: 0x10, ..header(epoch, sequence, 1, base_offset) }
    }

    fn marker(epoch: i16, base_offset: i64) -> BatchHeader {
        BatchHeader { attributes: 0x30, base_sequence: -1, ..header(epoch, 0, 1, base_offset) }
    }

    const ABORT: EndMarker = EndMarker { outcome: Outcome::Abort, coordinator_epoch: 2, timestamp: 5 };

    fn guard(producers: &mut Producers, epoch: i16, sequence: i32, bumps_epochs: bool) -> Option<Guard> {
        let first = FirstBatch {
            producer_id: PRODUCER,
            producer_epoch: epoch,
            base_sequence: sequence,
            bumps_epochs,
        };
        producers.begin_verification(first, WallMillis(0)).expect("not fenced")
    }

    fn with_guard(
        producers: &Producers,
        header: &BatchHeader,
        guard: Option<Guard>,
    ) -> Result<Verdict, AppendError> {
        producers.check(header, None, Claim { guard, ..CLIENT })
    }

    fn check_marker_of(
        producers: &Producers,
        epoch: i16,
        coordinator_epoch: i32,
        version: i16,
    ) -> Result<Verdict, AppendError> {
        let says = EndMarker { coordinator_epoch, ..ABORT };
        let claim = Claim { transaction_version: version, ..COORDINATOR };
        producers.check(&marker(epoch, 100), Some(says), claim)
    }

    #[test]
    fn transactions_hold_the_stable_offset_back_until_their_marker() {
        let mut producers = Producers::default();
        let first = transactional(0, 0, 40);
        assert!(matches!(
            with_guard(&producers, &first, None),
            Err(AppendError::InvalidTransactionState { .. })
        ));
        let held = guard(&mut producers, 0, 0, false);
        assert!(held.is_some());
        assert_eq!(with_guard(&producers, &first, held).expect("verified"), Verdict::Append);
        assert_eq!(producers.update(&first, None), None);
        assert_eq!(guard(&mut producers, 0, 1, false), None, "it is open");
        assert!(matches!(with_guard(&producers, &transactional(0, 1, 41), None), Ok(Verdict::Append)));
        assert_eq!(producers.first_unstable_offset(1000), Some(40));
        assert!(matches!(verdict(&producers, 0, 1, 1), Err(AppendError::InvalidTransactionState { .. })));
        let aborted = producers.update(&marker(0, 41), Some(ABORT)).expect("one was open");
        assert_eq!((aborted.first_offset, aborted.last_offset, aborted.last_stable_offset), (40, 41, 42));
        assert_eq!(producers.first_unstable_offset(41), Some(40), "the marker is not committed");
        assert_eq!(producers.first_unstable_offset(42), None);
        assert!(matches!(verdict(&producers, 0, 1, 1), Ok(Verdict::Append)));
        assert!(matches!(
            with_guard(&producers, &transactional(0, 1, 42), held),
            Err(AppendError::InvalidTransactionState { .. })
        ));
    }

    #[test]
    fn a_marker_takes_the_guard_away_unless_it_is_of_the_transaction_before() {
        let mut producers = Producers::default();
        let held = guard(&mut producers, 0, 0, false);
        producers.update(&marker(0, 0), Some(ABORT));
        assert!(matches!(
            with_guard(&producers, &transactional(0, 0, 1), held),
            Err(AppendError::InvalidTransactionState { .. })
        ));
        // With version 2 the marker has the epoch of the transaction that is about to begin.
        let held = guard(&mut producers, 1, 0, true);
        producers.update(&marker(1, 1), Some(ABORT));
        assert!(matches!(with_guard(&producers, &transactional(1, 0, 2), held), Ok(Verdict::Append)));
        producers.update(&marker(2, 2), Some(ABORT));
        assert!(matches!(
            with_guard(&producers, &transactional(2, 0, 3), held),
            Err(AppendError::InvalidTransactionState { .. })
        ));
    }

    #[test]
    fn a_verified_producer_begins_with_what_it_sent_first() {
        let mut producers = Producers::default();
        let held = guard(&mut producers, 0, 4, false);
        guard(&mut producers, 0, 7, false);
        let ask =
            |producers: &Producers, sequence| with_guard(producers, &transactional(0, sequence, 0), held);
        assert!(matches!(ask(&producers, 7), Err(AppendError::OutOfOrderSequence { .. })));
        assert!(matches!(ask(&producers, 4), Ok(Verdict::Append)), "an unknown one may begin anywhere");
        let mut producers = Producers::default();
        let held = guard(&mut producers, 0, 4, true);
        let of_version_2 = with_guard(&producers, &transactional(0, 4, 0), held);
        assert!(matches!(of_version_2, Err(AppendError::OutOfOrderSequence { .. })), "from 0 with version 2");
        let fenced =
            FirstBatch { producer_id: PRODUCER, producer_epoch: 1, base_sequence: 0, bumps_epochs: true };
        producers.update(&marker(2, 0), Some(ABORT));
        let fenced = producers.begin_verification(fenced, WallMillis(0));
        assert!(matches!(fenced, Err(AppendError::InvalidProducerEpoch { epoch: 1, current: 2, .. })));
    }

    #[test]
    fn markers_are_judged_by_epoch_version_and_coordinator() {
        let mut producers = Producers::default();
        assert!(check_marker_of(&producers, 0, 0, 2).is_ok(), "of a producer that wrote nothing here");
        producers.update(&transactional(3, 0, 0), None);
        for (epoch, version, fits) in
            [(2, 0, false), (3, 1, true), (3, 2, false), (2, 2, false), (4, 2, true)]
        {
            let judged = check_marker_of(&producers, epoch, 0, version);
            let fenced = matches!(judged, Err(AppendError::InvalidProducerEpoch { current: 3, .. }));
            assert_eq!((judged.is_ok(), fenced), (fits, !fits), "epoch {epoch}, version {version}");
        }
        producers.update(&marker(4, 1), Some(ABORT));
        assert!(check_marker_of(&producers, 4, 2, 2).is_ok(), "the same again");
        assert!(matches!(
            check_marker_of(&producers, 4, 1, 2),
            Err(AppendError::TransactionCoordinatorFenced { epoch: 1, current: 2, .. })
        ));
        assert!(matches!(verdict(&producers, 4, 1, 1), Err(AppendError::OutOfOrderSequence { .. })));
        assert!(matches!(verdict(&producers, 4, 0, 1), Ok(Verdict::Append)), "its batches are forgotten");
        producers.update(&transactional(i16::MAX, 0, 5), None);
        assert!(check_marker_of(&producers, i16::MAX, 2, 2).is_ok(), "no epoch is left");
    }
}
