//! What was committed at a time: what the first change after it replaced, or else what is committed now.

use std::collections::BTreeMap;

use ottla_control::catalog::Refusal;
use ottla_control::group::GroupOffsets;
use ottla_model::{ErrorCode, Offset, PartitionIndex, TopicName};

use super::OFFSETS_KEPT_MAX;
use super::scan::{Change, refusal};
use crate::private::{OffsetAt, OffsetDifference};

/// A partition of a topic.
type Place = (TopicName, PartitionIndex);

/// What the first change after the time says of an offset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Replaced {
    /// The offset before, or nothing when there was none.
    offset: Option<Offset>,
    /// False when the record of the change does not tell.
    is_known: bool,
    /// Changes since the time, this one included.
    changes: u64,
}

/// The offsets of a group at one time, as far as a scan has told.
#[derive(Debug)]
pub(super) struct Past {
    at_ms: i64,
    replaced: BTreeMap<Place, Replaced>,
}

impl Past {
    pub(super) fn new(at_ms: i64) -> Self {
        Self { at_ms, replaced: BTreeMap::new() }
    }

    /// Takes the next change into account.
    pub(super) fn note(&mut self, change: &Change) -> Result<(), Refusal> {
        if change.time_ms <= self.at_ms {
            return Ok(());
        }
        if self.replaced.len() >= OFFSETS_KEPT_MAX {
            return Err(refusal(
                ErrorCode::PolicyViolation,
                "the group has too many offsets to look back on",
            ));
        }
        let replaced =
            self.replaced.entry((change.topic.clone(), change.partition)).or_insert_with(|| Replaced {
                offset: change.why.as_ref().and_then(|why| why.previous),
                is_known: change.why.is_some(),
                changes: 0,
            });
        replaced.changes = replaced.changes.saturating_add(1);
        Ok(())
    }

    /// The offsets at the time, by topic and partition. `now` is what is committed at the end of the scan.
    pub(super) fn offsets(&self, now: &GroupOffsets) -> Vec<OffsetAt> {
        let mut offsets: BTreeMap<Place, (bool, Option<Offset>)> = BTreeMap::new();
        for (topic, partitions) in now {
            for (&partition, committed) in partitions {
                offsets.insert((topic.clone(), partition), (true, Some(committed.offset)));
            }
        }
        for (place, replaced) in &self.replaced {
            offsets.insert(place.clone(), (replaced.is_known, replaced.offset));
        }
        // One that there was not is nothing to tell, unless that cannot be known.
        let offsets = offsets.into_iter().filter(|(_, (is_known, offset))| !is_known || offset.is_some());
        offsets
            .map(|((topic, partition), (known, offset))| OffsetAt {
                topic: topic.to_string(),
                partition,
                known,
                offset,
            })
            .collect()
    }

    /// How often each offset changed after this time and until the one of `later`.
    pub(super) fn changes_until(&self, later: &Self) -> BTreeMap<(String, PartitionIndex), u64> {
        let changes = self.replaced.iter().map(|(place, replaced)| {
            let after = later.replaced.get(place).map_or(0, |later| later.changes);
            ((place.0.to_string(), place.1), replaced.changes.saturating_sub(after))
        });
        changes.filter(|(_, count)| *count > 0).collect()
    }
}

/// Offsets that differ, or that changed and came back, by topic and partition.
pub(super) fn differences(
    from: Vec<OffsetAt>,
    to: Vec<OffsetAt>,
    changes: BTreeMap<(String, PartitionIndex), u64>,
) -> Vec<OffsetDifference> {
    let mut sides: BTreeMap<(String, PartitionIndex), [Option<OffsetAt>; 2]> = BTreeMap::new();
    for offset in from {
        let [before, _] = sides.entry((offset.topic.clone(), offset.partition)).or_default();
        *before = Some(offset);
    }
    for offset in to {
        let [_, after] = sides.entry((offset.topic.clone(), offset.partition)).or_default();
        *after = Some(offset);
    }
    for place in changes.keys() {
        sides.entry(place.clone()).or_default();
    }
    let mut differences = Vec::new();
    for ((topic, partition), [before, after]) in sides {
        let count = changes.get(&(topic.clone(), partition)).copied().unwrap_or(0);
        if count == 0 {
            continue;
        }
        let known = [&before, &after].into_iter().flatten().all(|side| side.known);
        let (from, to) = (before.and_then(|side| side.offset), after.and_then(|side| side.offset));
        differences.push(OffsetDifference { topic, partition, known, from, to, changes: count });
    }
    differences
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shard::history::scan::Why;
    use ottla_control::codec::{Cause, CommitOddities};
    use ottla_control::group::RestoredValue;
    use ottla_model::TopicId;

    fn change(time_ms: i64, partition: i32, previous: Option<Option<i64>>, new: Option<i64>) -> Change {
        let value =
            |offset| RestoredValue { offset, leader_epoch: -1, metadata: "".into(), topic_id: TopicId::ZERO };
        Change {
            record_offset: 0,
            batch: 0,
            time_ms,
            topic: TopicName::new("t").expect("fits"),
            partition,
            value: new.map(value),
            why: previous.map(|previous| Why {
                cause: Cause::Commit,
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

    fn at(at_ms: i64, changes: &[Change]) -> (Past, Vec<(i32, Option<i64>)>) {
        let mut past = Past::new(at_ms);
        changes.iter().for_each(|change| past.note(change).expect("few"));
        let offsets = past.offsets(&GroupOffsets::new());
        let told = offsets.iter().map(|offset| (offset.partition, offset.offset.filter(|_| offset.known)));
        let told = told.collect();
        (past, told)
    }

    #[test]
    fn the_first_change_after_a_time_tells_what_was_then() {
        let changes = [
            change(10, 0, Some(None), Some(5)),
            change(20, 0, Some(Some(5)), Some(7)),
            change(20, 1, None, Some(3)),
            change(30, 0, Some(Some(7)), None),
            change(40, 1, Some(Some(3)), None),
        ];
        type Offsets = &'static [(i32, Option<i64>)];
        let expected: [(i64, Offsets); 6] = [
            (9, &[(1, None)]),
            (10, &[(0, Some(5)), (1, None)]),
            (19, &[(0, Some(5)), (1, None)]),
            (20, &[(0, Some(7)), (1, Some(3))]),
            (30, &[(1, Some(3))]),
            (40, &[]),
        ];
        for (at_ms, offsets) in expected {
            assert_eq!(at(at_ms, &changes).1, offsets, "at {at_ms}");
        }
        let (before, after) = (at(10, &changes).0, at(30, &changes).0);
        let now = GroupOffsets::new();
        let differ = differences(before.offsets(&now), after.offsets(&now), before.changes_until(&after));
        let told: Vec<_> =
            differ.iter().map(|one| (one.partition, one.known, one.from, one.to, one.changes)).collect();
        assert_eq!(told, [(0, true, Some(5), None, 2), (1, false, None, Some(3), 1)]);
    }
}
