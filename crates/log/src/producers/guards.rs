//! Guards of transactions that are about to begin in this log (KIP-890, `VerificationStateEntry`).
//!
//! Between the moment at which a coordinator says that a transaction is open and the append of its first batch the
//! transaction may end. A guard is handed out before the coordinator is asked, and the marker that ends the
//! transaction takes it away, so that the batch is not appended behind its own marker and left open for good.

use std::collections::BTreeMap;

use ottla_model::{ProducerEpoch, ProducerId, WallMillis};

use crate::batch::BatchHeader;

/// Most guards of one log. A producer needs one for as long as its first batch takes; beyond this the oldest goes,
/// and its batch has to be verified again.
const GUARDS_MAX: usize = 10_000;

/// What lets the first batch of a transaction be appended; made by [`crate::Log::begin_verification`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Guard(u64);

/// A producer whose transaction is being verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Verification {
    guard: Guard,
    began: WallMillis,
    /// The lowest sequence number that was seen meanwhile: what is appended first may not be above it.
    pub(super) lowest_sequence: i32,
    epoch: ProducerEpoch,
    /// True when the producer's epoch rises with each transaction (transaction version 2).
    pub(super) bumps_epochs: bool,
}

/// What a producer wants to begin with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FirstBatch {
    /// The producer.
    pub producer_id: ProducerId,
    /// Its epoch.
    pub producer_epoch: ProducerEpoch,
    /// Sequence number of the first record.
    pub base_sequence: i32,
    /// True when the epoch rises with each transaction (transaction version 2).
    pub bumps_epochs: bool,
}

/// The guards of one log.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Guards {
    by_producer: BTreeMap<ProducerId, Verification>,
    by_age: BTreeMap<Guard, ProducerId>,
    issued: u64,
}

impl Guards {
    /// Gives a producer its guard, the same one until it is used or taken away.
    pub(super) fn begin(&mut self, first: FirstBatch, now: WallMillis) -> Guard {
        if let Some(known) = self.by_producer.get_mut(&first.producer_id) {
            if first.producer_epoch > known.epoch {
                known.epoch = first.producer_epoch;
                known.lowest_sequence = first.base_sequence;
            } else if first.producer_epoch == known.epoch {
                known.lowest_sequence = known.lowest_sequence.min(first.base_sequence);
            }
            return known.guard;
        }
        if self.by_producer.len() >= GUARDS_MAX
            && let Some((_, oldest)) = self.by_age.pop_first()
        {
            self.by_producer.remove(&oldest);
        }
        self.issued = self.issued.saturating_add(1);
        let guard = Guard(self.issued);
        let verification = Verification {
            guard,
            began: now,
            lowest_sequence: first.base_sequence,
            epoch: first.producer_epoch,
            bumps_epochs: first.bumps_epochs,
        };
        self.by_age.insert(guard, first.producer_id);
        self.by_producer.insert(first.producer_id, verification);
        guard
    }

    pub(super) fn of(&self, producer_id: ProducerId) -> Option<&Verification> {
        self.by_producer.get(&producer_id)
    }

    /// True when that is the producer's guard now.
    pub(super) fn is_held(&self, producer_id: ProducerId, guard: Option<Guard>) -> bool {
        guard.is_some() && self.of(producer_id).map(|verification| verification.guard) == guard
    }

    /// Takes the guard of a producer away when a batch of a transaction of it was appended. A marker of version 2
    /// has the epoch of the next transaction; when that is the one which is being verified, its guard stays.
    pub(super) fn end(&mut self, header: &BatchHeader) {
        let is_next = |verification: &Verification| {
            verification.bumps_epochs && header.is_control() && header.producer_epoch == verification.epoch
        };
        if self.of(header.producer_id).is_some_and(|verification| !is_next(verification)) {
            self.remove(header.producer_id);
        }
    }

    fn remove(&mut self, producer_id: ProducerId) {
        if let Some(verification) = self.by_producer.remove(&producer_id) {
            self.by_age.remove(&verification.guard);
        }
    }

    /// Takes those away that were not used for too long.
    pub(super) fn expire(&mut self, now: WallMillis, expiration_ms: i64) {
        self.by_producer.retain(|_, verification| now.0.saturating_sub(verification.began.0) < expiration_ms);
        self.by_age.retain(|_, producer_id| self.by_producer.contains_key(producer_id));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(producer_id: ProducerId, producer_epoch: ProducerEpoch, base_sequence: i32) -> FirstBatch {
        FirstBatch { producer_id, producer_epoch, base_sequence, bumps_epochs: false }
    }

    #[test]
    fn a_producer_keeps_its_guard_and_its_lowest_sequence() {
        let mut guards = Guards::default();
        let guard = guards.begin(first(1, 0, 5), WallMillis(0));
        assert_eq!(guards.begin(first(1, 0, 3), WallMillis(1)), guard);
        assert_eq!(guards.begin(first(1, 0, 9), WallMillis(1)), guard);
        assert_eq!(guards.of(1).expect("one").lowest_sequence, 3);
        guards.begin(first(1, 1, 7), WallMillis(1));
        assert_eq!(guards.of(1).expect("one").lowest_sequence, 7, "of the newer epoch");
        guards.begin(first(1, 0, 0), WallMillis(1));
        assert_eq!(guards.of(1).expect("one").lowest_sequence, 7, "an older epoch says nothing");
        let other = guards.begin(first(2, 0, 0), WallMillis(0));
        assert!(guards.is_held(1, Some(guard)) && guards.is_held(2, Some(other)));
        assert!(!guards.is_held(1, Some(other)) && !guards.is_held(1, None) && !guards.is_held(3, None));
    }

    #[test]
    fn guards_are_bounded_and_expire() {
        let mut guards = Guards::default();
        let oldest = guards.begin(first(-1, 0, 0), WallMillis(0));
        for id in 1..GUARDS_MAX as i64 {
            guards.begin(first(id, 0, 0), WallMillis(id));
        }
        assert!(guards.is_held(-1, Some(oldest)));
        guards.begin(first(i64::MAX, 0, 0), WallMillis(i64::MAX));
        assert!(!guards.is_held(-1, Some(oldest)), "the oldest made room");
        assert_eq!((guards.by_producer.len(), guards.by_age.len()), (GUARDS_MAX, GUARDS_MAX));
        guards.expire(WallMillis(1009), 1000);
        assert!(guards.of(9).is_none() && guards.of(10).is_some());
        assert_eq!(guards.by_producer.len(), guards.by_age.len());
    }
}
