//! Rule 26: a broker that was started serves every client within 5 seconds, whatever was done to it before; so does one
//! whose fault has ended.

use std::collections::BTreeMap;
use std::time::Duration;

use super::report::Report;
use super::rule::Rule;
use crate::history::{Answer, BrokerStep, Call, History, Operation, Outcome};

/// How long after the start of its process, or the end of a fault, a broker must have served everybody.
pub const SERVES_WITHIN: Duration = Duration::from_secs(5);

/// A time in which the broker ran without a fault, from the start of its process or the end of a fault to the next kill
/// or fault.
struct Run {
    started: u64,
    ended: u64,
}

pub(super) fn check(history: &History, report: &mut Report) {
    let limit = u64::try_from(SERVES_WITHIN.as_nanos()).unwrap_or(u64::MAX);
    let done = Done::new(history);
    for run in runs(history) {
        let deadline = run.started.saturating_add(limit);
        let late: Vec<String> = done.missing(run.started, deadline.min(run.ended));
        let served = late.is_empty();
        // A run that was cut short says nothing about who was not served yet.
        if served || run.ended >= deadline {
            report.checked(Rule::Liveness, 1);
        }
        if !served && run.ended >= deadline {
            report.violated(Rule::Liveness, || {
                format!(
                    "within {SERVES_WITHIN:?} after the start or mending at {} ns there was no {}",
                    run.started,
                    late.join(", no ")
                )
            });
        }
    }
}

fn runs(history: &History) -> Vec<Run> {
    let mut runs = Vec::new();
    let mut started = None;
    for (at, step) in &history.broker {
        match step {
            BrokerStep::Started | BrokerStep::Mended => started = Some(*at),
            BrokerStep::Killing | BrokerStep::Faulted => {
                runs.extend(started.take().map(|started| Run { started, ended: *at }));
            }
            BrokerStep::Quiesced => {
                runs.extend(started.take().map(|started| Run { started, ended: *at }));
                // Nobody asks for anything any more.
                break;
            }
            BrokerStep::Ready | BrokerStep::Killed | BrokerStep::PowerCut { .. } => {}
        }
    }
    runs
}

/// The client that makes the topics before and reads everything afterwards; it asks for nothing in between.
const OPERATOR: u32 = 0;

/// When each client was served, and when anybody sent and read records.
struct Done(BTreeMap<String, Vec<u64>>);

impl Done {
    fn new(history: &History) -> Self {
        let mut done: BTreeMap<String, Vec<u64>> = BTreeMap::new();
        let served = |operation: &&Operation| {
            operation.client != OPERATOR && matches!(operation.outcome, Outcome::Ok(_))
        };
        for operation in history.operations.iter().filter(served) {
            let mut note = |who: String| done.entry(who).or_default().push(operation.completed);
            note(format!("answer to client {}", operation.client));
            if let Some(kind) = kind(operation) {
                note(kind.to_owned());
            }
        }
        for times in done.values_mut() {
            times.sort_unstable();
        }
        Self(done)
    }

    /// Who was served at some time, but not between these.
    fn missing(&self, from: u64, to: u64) -> Vec<String> {
        let not_served = |times: &Vec<u64>| {
            let first = times.partition_point(|at| *at < from);
            times.get(first).is_none_or(|at| *at > to)
        };
        self.0.iter().filter(|(_, times)| not_served(times)).map(|(who, _)| who.clone()).collect()
    }
}

fn kind(operation: &Operation) -> Option<&'static str> {
    match (&operation.call, operation.answer()) {
        (Call::Send(_), _) => Some("acknowledged batch"),
        (Call::Commit { .. }, _) => Some("acknowledged commit"),
        (Call::Poll { .. }, Some(Answer::Polled { batches, .. })) if !batches.is_empty() => {
            Some("batch read")
        }
        _ => None,
    }
}
