//! What open transactions are about to change, while a log is gone through. It is known at their ends what becomes of it.

use std::collections::{BTreeMap, HashMap};

use ottla_control::catalog::Refusal;
use ottla_model::{ErrorCode, PartitionIndex, ProducerId, TopicName};

use super::scan::{Change, refusal};

/// Changes of open transactions that are kept in mind.
const PENDING_CHANGES_MAX: usize = 100_000;

/// A partition of a topic.
type Place = (TopicName, PartitionIndex);

/// The newest change of each offset by each producer whose transaction is open.
#[derive(Debug, Default)]
pub(super) struct Pending {
    by_producer: HashMap<ProducerId, BTreeMap<Place, Change>>,
    count: usize,
}

impl Pending {
    /// Keeps a change until its transaction ends.
    ///
    /// # Errors
    /// There are too many.
    pub(super) fn keep(&mut self, producer: ProducerId, change: Change) -> Result<(), Refusal> {
        let changes = self.by_producer.entry(producer).or_default();
        if changes.insert((change.topic.clone(), change.partition), change).is_none() {
            self.count = self.count.saturating_add(1);
        }
        if self.count > PENDING_CHANGES_MAX {
            return Err(refusal(ErrorCode::PolicyViolation, "too many open transactions to look at"));
        }
        Ok(())
    }

    /// Takes note of a change that counts. Earlier records about the offset do not count any more, however their
    /// transactions end; a later one replaces this change.
    pub(super) fn counted(&mut self, change: &Change) {
        let place = (change.topic.clone(), change.partition);
        for changes in self.by_producer.values_mut() {
            let Some(pending) = changes.get_mut(&place) else { continue };
            if pending.record_offset < change.record_offset {
                changes.remove(&place);
                self.count = self.count.saturating_sub(1);
            } else if let (Some(why), Some(before), Some(value)) =
                (&mut pending.why, &change.value, &pending.value)
            {
                why.previous = Some(before.offset);
                why.oddities.went_backward = value.offset < before.offset;
            }
        }
        self.by_producer.retain(|_, changes| !changes.is_empty());
    }

    /// Takes the changes of a transaction that has ended, in the order of their records.
    pub(super) fn end(&mut self, producer: ProducerId) -> Vec<Change> {
        let ended = self.by_producer.remove(&producer).unwrap_or_default();
        self.count = self.count.saturating_sub(ended.len());
        let mut changes: Vec<_> = ended.into_values().collect();
        changes.sort_unstable_by_key(|change| change.record_offset);
        changes
    }
}

#[cfg(test)]
mod tests {
    use ottla_control::codec::{Cause, CommitOddities};
    use ottla_control::group::RestoredValue;
    use ottla_model::TopicId;

    use super::*;
    use crate::shard::history::scan::Why;

    fn change(record_offset: i64, partition: i32, previous: Option<i64>, new: Option<i64>) -> Change {
        Change {
            record_offset,
            batch: record_offset,
            time_ms: record_offset,
            topic: TopicName::new("t").expect("fits"),
            partition,
            value: new.map(|offset| RestoredValue {
                offset,
                leader_epoch: -1,
                metadata: "".into(),
                topic_id: TopicId::ZERO,
            }),
            why: Some(Why {
                cause: Cause::TransactionalCommit,
                oddities: CommitOddities::default(),
                previous,
                generation: -1,
                member_id: String::new(),
                instance_id: None,
                client_id: None,
                client_host: String::new(),
            }),
        }
    }

    /// Where each change has its record, what it replaces and by what, and whether it goes backward.
    fn ended(pending: &mut Pending, producer: ProducerId) -> Vec<(i64, Option<i64>, i64, bool)> {
        let ended = pending.end(producer);
        let told = ended.iter().map(|change| {
            let (why, value) = (change.why.as_ref().expect("told"), change.value.as_ref().expect("a commit"));
            (change.record_offset, why.previous, value.offset, why.oddities.went_backward)
        });
        told.collect()
    }

    fn with(changes: &[(ProducerId, i64, i32, i64)]) -> Pending {
        let mut pending = Pending::default();
        for &(producer, record_offset, partition, new) in changes {
            pending.keep(producer, change(record_offset, partition, Some(1), Some(new))).expect("few");
        }
        pending
    }

    #[test]
    fn the_newest_of_each_producer_counts() {
        let mut pending = with(&[(7, 10, 0, 5), (7, 11, 1, 6), (8, 12, 0, 7), (7, 13, 0, 8)]);
        assert_eq!(ended(&mut pending, 7), [(11, Some(1), 6, false), (13, Some(1), 8, false)]);
        assert_eq!(ended(&mut pending, 7), []);
        assert_eq!((ended(&mut pending, 8).len(), pending.count), (1, 0));
    }

    #[test]
    fn what_counts_later_voids_what_is_earlier() {
        let mut pending = with(&[(7, 10, 0, 5), (7, 11, 1, 6), (8, 12, 0, 7)]);
        pending.counted(&change(14, 0, Some(1), Some(9)));
        assert_eq!(ended(&mut pending, 8), []);
        pending.counted(&change(15, 1, Some(1), None));
        assert_eq!((ended(&mut pending, 7), pending.count), (vec![], 0), "a deletion is about all of them");
    }

    #[test]
    fn what_counts_earlier_is_what_a_later_one_replaces() {
        let mut pending = with(&[(7, 10, 0, 9), (8, 12, 0, 7)]);
        for change in pending.end(7) {
            pending.counted(&change);
        }
        assert_eq!(ended(&mut pending, 8), [(12, Some(9), 7, true)]);
    }

    #[test]
    fn they_are_bounded() {
        let mut pending = Pending::default();
        let mut keep = |producer| pending.keep(producer, change(producer, 0, None, Some(1)));
        assert!((1..=PENDING_CHANGES_MAX as i64).all(|producer| keep(producer).is_ok()));
        assert!(keep(1).is_ok(), "in place of another");
        assert!(keep(0).is_err());
    }
}
