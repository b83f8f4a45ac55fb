//! Rule 8: what failed for certain is never read, what is read was sent, and what was sent once is there at most once.

use std::collections::{HashMap, HashSet};

use super::report::Report;
use super::rule::Rule;
use super::view::Facts;
use crate::history::{Batch, Outcome, Partition, SentBatch, Value};

pub(super) fn check(partition: &Partition, facts: &Facts<'_>, report: &mut Report) {
    let sent = Sent::new(facts);
    let polled = facts.polls.iter().filter_map(|poll| poll.read).flat_map(|(_, batches)| batches);
    let polled = polled.flat_map(Batch::records);
    let mut told = HashSet::new();
    for (offset, value) in polled.chain(facts.records()) {
        report.checked(Rule::NoAborted, 1);
        let why = match sent.fate(value) {
            None => "nobody sent",
            Some(Fate::Failed) => "was refused",
            Some(Fate::Possible) => continue,
        };
        if told.insert(value) {
            report.violated(Rule::NoAborted, || {
                format!("{partition}: value {value} at offset {offset} is one that {why}")
            });
        }
    }
    twice(partition, facts, &sent, report);
}

/// Values of producers without idempotence that the final log holds twice. Such values are sent only once; those with
/// idempotence are rule 6's.
fn twice(partition: &Partition, facts: &Facts<'_>, sent: &Sent<'_>, report: &mut Report) {
    let mut places: HashMap<Value, i64> = HashMap::new();
    for (offset, value) in facts.records() {
        let Some(before) = places.insert(value, offset) else { continue };
        if sent.batch(value).is_some_and(|(batch, _)| batch.sequence.is_none()) {
            report.violated(Rule::NoAborted, || {
                format!("{partition}: value {value} was sent once and is at offsets {before} and {offset}")
            });
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// Every attempt failed for certain.
    Failed,
    /// It was acknowledged, or nobody knows.
    Possible,
}

/// The batches that were sent to a partition, by their first value.
struct Sent<'a>(Vec<(Value, &'a SentBatch, Fate)>);

impl<'a> Sent<'a> {
    fn new(facts: &Facts<'a>) -> Self {
        let mut fates: HashMap<Value, (&'a SentBatch, Fate)> = HashMap::new();
        for attempt in &facts.sends {
            let fate = match attempt.operation.outcome {
                Outcome::Fail(_) => Fate::Failed,
                Outcome::Ok(_) | Outcome::Info(_) => Fate::Possible,
            };
            let known = fates.entry(attempt.value()).or_insert((attempt.batch, fate));
            if fate == Fate::Possible {
                known.1 = fate;
            }
        }
        let mut sent: Vec<_> = fates.into_iter().map(|(value, (batch, fate))| (value, batch, fate)).collect();
        sent.sort_unstable_by_key(|(value, ..)| *value);
        Self(sent)
    }

    fn batch(&self, value: Value) -> Option<(&'a SentBatch, Fate)> {
        let after = self.0.partition_point(|(first, ..)| *first <= value);
        let (first, batch, fate) = self.0.get(after.checked_sub(1)?)?;
        let inside = first.producer == value.producer
            && value.number < first.number.saturating_add(u64::from(batch.count));
        inside.then_some((*batch, *fate))
    }

    fn fate(&self, value: Value) -> Option<Fate> {
        self.batch(value).map(|(_, fate)| fate)
    }
}
