//! Rule 1: what was acknowledged is read back at exactly its offset, with its CRC, until compaction or retention may
//! remove it. What was aborted may go with it, and takes nothing with it.

use std::collections::HashMap;

use super::report::Report;
use super::rule::Rule;
use super::transactions::Transactions;
use super::view::{Attempt, Facts};
use crate::history::{LogDump, Partition, Value};

pub(super) fn check(
    partition: &Partition,
    facts: &Facts<'_>,
    transactions: &Transactions<'_>,
    report: &mut Report,
) {
    // A log that is missing altogether is judged by the rule on topics.
    let Some(log) = facts.log else { return };
    let places = Places::new(log, facts.compacted, transactions);
    for (attempt, offset) in facts.promises() {
        report.checked(Rule::AckedDurability, attempt.batch.count as usize);
        let removed = |place: usize, offset: i64| {
            // That a log does not begin above what was asked for is rule 10's.
            let expired = facts.begins_later() && offset < log.bounds.log_start;
            let key = attempt.batch.keys.get(place);
            let aborted = facts.compacted && transactions.is_aborted(attempt.value());
            expired || aborted || key.is_some_and(|key| places.has_later(*key, offset))
        };
        let mut records = attempt.batch.at(offset).records().enumerate();
        let lost = records.find(|(place, (offset, value))| {
            places.at(*offset) != Some((*value, attempt.batch.keys.get(*place).copied()))
                && !removed(*place, *offset)
                && !facts.may_be_cut(*offset, attempt.operation.completed)
        });
        if let Some((_, (offset, value))) = lost {
            report.violated(Rule::AckedDurability, || {
                let there = places.at(offset).map_or("nothing".to_owned(), |(value, _)| format!("value {value}"));
                format!(
                    "{partition} holds {there} at offset {offset}, where value {value} was acknowledged to client {}",
                    attempt.operation.client
                )
            });
        } else if !facts.compacted && !facts.may_be_cut(offset, attempt.operation.completed) {
            check_crc(partition, log, &attempt, offset, report);
        }
    }
}

fn check_crc(partition: &Partition, log: &LogDump, attempt: &Attempt<'_>, offset: i64, report: &mut Report) {
    let found = log.batches.binary_search_by_key(&offset, |batch| batch.base);
    let Some(batch) = found.ok().and_then(|place| log.batches.get(place)) else { return };
    if batch.crc != attempt.batch.crc {
        report.violated(Rule::AckedDurability, || {
            let (sent, read) = (attempt.batch.crc, batch.crc);
            format!("{partition}: the batch at offset {offset} was sent with CRC {sent:08x} and read with {read:08x}")
        });
    }
}

/// Where each value lies, and the last offset of each key.
struct Places {
    by_offset: HashMap<i64, (Value, Option<u32>)>,
    last_of_key: HashMap<u32, i64>,
}

impl Places {
    fn new(log: &LogDump, compacted: bool, transactions: &Transactions<'_>) -> Self {
        let (mut by_offset, mut last_of_key) = (HashMap::new(), HashMap::new());
        for batch in &log.batches {
            for (place, (offset, value)) in batch.records().enumerate() {
                let key = batch.keys.get(place).copied();
                by_offset.entry(offset).or_insert((value, key));
                if let Some(key) = key.filter(|_| compacted && !transactions.is_aborted(value)) {
                    last_of_key.insert(key, offset);
                }
            }
        }
        Self { by_offset, last_of_key }
    }

    fn at(&self, offset: i64) -> Option<(Value, Option<u32>)> {
        self.by_offset.get(&offset).copied()
    }

    /// Whether compaction may have removed a record with this key.
    fn has_later(&self, key: u32, offset: i64) -> bool {
        self.last_of_key.get(&key).is_some_and(|last| *last > offset)
    }
}
