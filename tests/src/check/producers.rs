//! Rules 5, 6 and 7: what a producer may rely on within one partition.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::report::Report;
use super::rule::Rule;
use super::view::{Attempt, Facts};
use crate::history::{Answer, Call, History, Outcome, Partition, Sequence, UNREADABLE, Value};

const OUT_OF_ORDER_SEQUENCE_NUMBER: i16 = 45;
const DUPLICATE_SEQUENCE_NUMBER: i16 = 46;
const INVALID_PRODUCER_EPOCH: i16 = 47;
const UNKNOWN_PRODUCER_ID: i16 = 59;

pub(super) fn check(partition: &Partition, facts: &Facts<'_>, report: &mut Report) {
    order(partition, facts, report);
    duplicates(partition, facts, report);
    resends(partition, facts, report);
    sequences(partition, facts, report);
    refusals(partition, facts, report);
}

/// Rule 6, over all partitions: a producer id is given to one producer only.
pub(super) fn check_ids(history: &History, report: &mut Report) {
    let mut given = HashSet::new();
    for operation in &history.operations {
        if let (Call::ProducerId, Some(Answer::ProducerId { id })) = (&operation.call, operation.answer()) {
            report.checked(Rule::NoDuplicates, 1);
            if !given.insert(*id) {
                report.violated(Rule::NoDuplicates, || format!("the producer id {id} was given out twice"));
            }
        }
    }
}

/// Rule 5: values of one producer rise with the offsets. Where a value is there twice, only the first one counts: the
/// second is rule 6's or 8's.
fn order(partition: &Partition, facts: &Facts<'_>, report: &mut Report) {
    let mut last: HashMap<u32, (u64, i64)> = HashMap::new();
    let mut seen = HashSet::new();
    for (offset, value) in facts.records().filter(|(_, value)| seen.insert(*value)) {
        report.checked(Rule::ProducerOrder, 1);
        let (number, before) = last.entry(value.producer).or_insert((value.number, offset));
        if value.number < *number {
            report.violated(Rule::ProducerOrder, || {
                format!(
                    "{partition}: value {value} at offset {offset} was sent before value {number} at offset {before}"
                )
            });
        } else {
            (*number, *before) = (value.number, offset);
        }
    }
}

/// Rule 6: no value of an idempotent producer and no sequence is in the log twice.
fn duplicates(partition: &Partition, facts: &Facts<'_>, report: &mut Report) {
    let Some(log) = facts.log else { return };
    let mut places: HashMap<Value, i64> = HashMap::new();
    let mut firsts: HashMap<(i64, i16, i32), i64> = HashMap::new();
    for batch in &log.batches {
        let Some(Sequence { id, epoch, first }) = batch.sequence else { continue };
        report.checked(Rule::NoDuplicates, 1);
        // Bytes that are no value are nobody's, however often they are there.
        let mut values = batch.records().filter(|(_, value)| *value != UNREADABLE);
        let again = values.find_map(|(offset, value)| Some((value, places.insert(value, offset)?, offset)));
        let sequence_again = firsts.insert((id, epoch, first), batch.base);
        if let Some((value, before, offset)) = again {
            report.violated(Rule::NoDuplicates, || {
                format!("{partition}: value {value} is at offset {before} and at offset {offset}")
            });
        } else if let Some(before) = sequence_again {
            let base = batch.base;
            report.violated(Rule::NoDuplicates, || {
                format!(
                    "{partition}: sequence {first} of producer {id}, epoch {epoch}, is at offsets {before} and {base}"
                )
            });
        }
    }
}

/// Rule 6: a batch that is sent again gets the offset of the first time, and is not called a duplicate instead.
fn resends(partition: &Partition, facts: &Facts<'_>, report: &mut Report) {
    let promises: HashMap<Value, i64> =
        facts.promises().into_iter().map(|(attempt, offset)| (attempt.value(), offset)).collect();
    for attempt in facts.sends.iter().filter(|attempt| attempt.batch.sequence.is_some()) {
        let first = promises.get(&attempt.value());
        if attempt.operation.error() == Some(DUPLICATE_SEQUENCE_NUMBER) {
            report.violated(Rule::NoDuplicates, || {
                format!("{partition}: {} was refused as a duplicate of no known offset", attempt.value())
            });
        } else if let (Some(offset), Some(first)) = (attempt.offset(), first)
            && offset != *first
        {
            report.violated(Rule::NoDuplicates, || {
                format!("{partition}: {} was acknowledged at {first} and again at {offset}", attempt.value())
            });
        }
    }
}

/// Rule 7: within an epoch of a producer, the sequences in the log have no gaps; a later epoch begins at 0. Compaction
/// may leave any part of them.
fn sequences(partition: &Partition, facts: &Facts<'_>, report: &mut Report) {
    let Some(log) = facts.log.filter(|_| !facts.compacted) else { return };
    let mut seen: HashSet<(i64, i16, i32)> = HashSet::new();
    let mut expected: HashMap<i64, (i16, i32)> = HashMap::new();
    for batch in &log.batches {
        let Some(sequence) = batch.sequence else { continue };
        report.checked(Rule::Sequences, 1);
        let Sequence { id, epoch, first } = sequence;
        if !seen.insert((id, epoch, first)) {
            continue;
        }
        let next = match expected.get(&id) {
            Some((known, next)) if *known == epoch => Some((epoch, *next)),
            Some((known, _)) if *known > epoch => None,
            // What retention removed may have been the beginning.
            None if facts.begins_later() => Some((epoch, first)),
            Some(_) | None => Some((epoch, 0)),
        };
        if next != Some((epoch, first)) {
            let base = batch.base;
            report.violated(Rule::Sequences, || {
                let expected = next.map_or("a later epoch".to_owned(), |(_, next)| format!("sequence {next}"));
                format!(
                    "{partition}: producer {id}, epoch {epoch}, has sequence {first} at offset {base}, after {expected} \
                     was expected"
                )
            });
        }
        if next.is_some() {
            let count =
                u32::try_from(batch.last.saturating_sub(batch.base).saturating_add(1)).unwrap_or(u32::MAX);
            expected.insert(id, (epoch, sequence.after(count)));
        }
    }
}

/// Rule 7: a batch whose predecessor is acknowledged is in order, and the newest epoch is not stale.
fn refusals(partition: &Partition, facts: &Facts<'_>, report: &mut Report) {
    let acknowledged = acknowledged_ends(facts);
    let mut newest: BTreeMap<i64, i16> = BTreeMap::new();
    for attempt in &facts.sends {
        let Some(Sequence { id, epoch, first }) = attempt.batch.sequence else { continue };
        let newest = newest.entry(id).or_insert(epoch);
        *newest = epoch.max(*newest);
        let Some(error) = attempt.operation.error() else { continue };
        let in_order = first == 0
            || acknowledged.get(&(id, epoch, first)).is_some_and(|at| *at < attempt.operation.invoked);
        let wrong = match error {
            OUT_OF_ORDER_SEQUENCE_NUMBER | UNKNOWN_PRODUCER_ID => in_order,
            // Of a transactional producer the coordinator may have begun a newer one.
            INVALID_PRODUCER_EPOCH => epoch >= *newest && attempt.batch.transaction.is_none(),
            _ => false,
        };
        if wrong {
            report.violated(Rule::Sequences, || {
                format!(
                    "{partition}: {} with sequence {first} of producer {id}, epoch {epoch}, follows an acknowledged one \
                     and was refused with error {error}",
                    attempt.value()
                )
            });
        }
    }
}

/// Which sequence comes after each batch that was acknowledged, and when that was known.
fn acknowledged_ends(facts: &Facts<'_>) -> HashMap<(i64, i16, i32), u64> {
    let mut ends = HashMap::new();
    for Attempt { operation, batch } in &facts.sends {
        if let (Some(sequence), Outcome::Ok(_)) = (batch.sequence, &operation.outcome) {
            let at =
                ends.entry((sequence.id, sequence.epoch, sequence.after(batch.count))).or_insert(u64::MAX);
            *at = operation.completed.min(*at);
        }
    }
    ends
}
