//! What the clients saw while a fault lasted and after it.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use ottla_tests::check::{Report, Rule};
use ottla_tests::history::{Answer, BrokerStep, Call, Dump, History, Operation, Outcome, Partition, TopicId};
use ottla_tests::kill::Stage;
use ottla_tests::ottla::Ottla;
use ottla_tests::problem::Problem;

pub(crate) const KAFKA_STORAGE_ERROR: i16 = 56;

/// Opens a stage with its data on a file system of the test.
pub(crate) fn open_stage(
    directory: &Path,
    data: &Path,
    settings: &[&str],
    seed: u64,
) -> Result<Stage, Problem> {
    let settings: Vec<String> = settings.iter().map(ToString::to_string).collect();
    Stage::open(&Ottla::find()?, directory, data, &settings, seed)
}

/// No rule is broken, or the test fails with what is.
pub(crate) fn must_keep_rules(report: &Report) -> Result<(), Problem> {
    match report.violation_count() {
        0 => Ok(()),
        _ => Err(Problem::new(report.to_string())),
    }
}

/// No rule is broken but these, which the fault suspends.
pub(crate) fn must_keep_rules_but(report: &Report, suspended: &[Rule]) -> Result<(), Problem> {
    match report.broken().iter().all(|rule| suspended.contains(rule)) {
        true => Ok(()),
        false => Err(Problem::new(report.to_string())),
    }
}

/// Fails with these words unless they are true.
pub(crate) fn must(holds: bool, what: &str) -> Result<(), Problem> {
    if holds { Ok(()) } else { Err(Problem::new(format!("it is not so that {what}"))) }
}

/// The times between these steps of the broker: from one of the first kind to the next of the second.
pub(crate) fn spans(history: &History, from: BrokerStep, to: BrokerStep) -> Vec<(u64, u64)> {
    let (mut spans, mut began) = (Vec::new(), None);
    for (at, step) in &history.broker {
        if *step == from {
            began = Some(*at);
        } else if *step == to {
            spans.extend(began.take().map(|began| (began, *at)));
        }
    }
    spans
}

/// What came of requests that were made and answered within a time.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// Sends by their errors; 0 for those that were acknowledged.
    pub(crate) sends: BTreeMap<i16, usize>,
    /// Commits likewise.
    pub(crate) commits: BTreeMap<i16, usize>,
    /// Reads that gave records.
    pub(crate) reads: usize,
    /// Reads of records that were refused, by their errors.
    pub(crate) refused_reads: BTreeMap<i16, usize>,
}

impl Seen {
    pub(crate) fn within(history: &History, (from, to): (u64, u64)) -> Self {
        let mut seen = Self::default();
        let inside = |operation: &&Operation| operation.invoked >= from && operation.completed <= to;
        for operation in history.operations.iter().filter(inside) {
            let counted = match (&operation.call, &operation.outcome) {
                (Call::Send(_), _) => &mut seen.sends,
                (Call::Commit { .. }, _) => &mut seen.commits,
                (Call::Poll { .. }, Outcome::Ok(Answer::Polled { batches, .. })) if !batches.is_empty() => {
                    seen.reads += 1;
                    continue;
                }
                (Call::Poll { .. }, Outcome::Fail(_) | Outcome::Info(_)) => &mut seen.refused_reads,
                _ => continue,
            };
            let code = match operation.outcome {
                Outcome::Ok(_) => Some(0),
                Outcome::Fail(error) => Some(error),
                Outcome::Info(error) => error,
            };
            *counted.entry(code.unwrap_or(i16::MIN)).or_default() += 1;
        }
        seen
    }

    pub(crate) fn refused_sends(&self) -> usize {
        self.sends.get(&KAFKA_STORAGE_ERROR).copied().unwrap_or_default()
    }
}

/// How long after `from` each partition of the topics that stay was written to; none when not until `to`.
pub(crate) fn first_sends(
    history: &History,
    (from, to): (u64, u64),
) -> BTreeMap<Partition, Option<Duration>> {
    let mut first: BTreeMap<Partition, Option<Duration>> = BTreeMap::new();
    let stable = first_topics(history);
    for operation in &history.operations {
        let Call::Send(batch) = &operation.call else { continue };
        if !stable.contains(&batch.partition.topic) {
            continue;
        }
        let known = first.entry(batch.partition).or_default();
        let inside = operation.invoked >= from && operation.completed <= to;
        if inside && operation.answer().is_some() {
            let after = Duration::from_nanos(operation.completed - from);
            *known = Some(known.map_or(after, |known| known.min(after)));
        }
    }
    first
}

/// The topics that were made before the load began: by the operator.
fn first_topics(history: &History) -> Vec<TopicId> {
    let made = history.operations.iter().filter(|operation| operation.client == 0);
    made.filter_map(|operation| match operation.answer() {
        Some(Answer::Created { id }) => Some(*id),
        _ => None,
    })
    .collect()
}

/// How many records were acknowledged and lie behind the end of their log.
pub(crate) fn lost_records(history: &History, dump: &Dump) -> u64 {
    let lost =
        history.operations.iter().filter_map(|operation| match (&operation.call, operation.answer()) {
            (Call::Send(batch), Some(Answer::Sent { offset, .. })) => {
                let end = dump.logs.get(&batch.partition)?.bounds.high_watermark;
                (*offset >= end).then_some(u64::from(batch.count))
            }
            _ => None,
        });
    lost.sum()
}
