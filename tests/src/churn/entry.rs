//! A round in the ledger of a long run.

use serde::{Deserialize, Serialize};

use super::run::Outcome;
use crate::problem::Problem;

/// One round.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The seed of the run.
    pub seed: u64,
    /// The round's place in the run, from 0.
    pub round: u64,
    /// What the round's own seed was; it follows from `seed` and `round`.
    pub round_seed: u64,
    /// The broker, with its version.
    pub broker: String,
    /// What was done and counted; none when the round came to no end.
    pub done: Option<Done>,
    /// How many violations of the rules there are.
    pub violations: u64,
    /// The first of them, or what ended the round early.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub found: Vec<String>,
}

/// What was done in a round.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Done {
    /// How many members there were in all.
    pub members: u64,
    /// How many of them were killed.
    pub killed: u64,
    /// How many times one was paused.
    pub paused: u64,
    /// How many times the broker was killed.
    pub broker_kills: u64,
    /// How many times members were told what they own.
    pub assignments: u64,
    /// How many clients gave up for good and were replaced.
    pub renewed: u64,
    /// Commits of members that were acknowledged.
    pub commits: u64,
    /// Commits of members that were refused.
    pub refused: u64,
    /// Commits in the name of former owners.
    pub forged: u64,
    /// How long the groups took to settle, in milliseconds.
    pub settled_after_ms: u64,
    /// How long the round took, in milliseconds.
    pub took_ms: u64,
}

impl Entry {
    /// The entry of a round.
    #[must_use]
    pub fn of(
        seed: u64,
        round: u64,
        round_seed: u64,
        broker: &str,
        outcome: &Result<Outcome, Problem>,
    ) -> Self {
        let (done, violations, found) = match outcome {
            Ok(outcome) => {
                let found = outcome.report.violations().iter().map(ToString::to_string).collect();
                (Some(Done::of(outcome)), outcome.report.violation_count(), found)
            }
            // What stopped it counts as a violation.
            Err(problem) => (None, 1, vec![problem.to_string()]),
        };
        Self { seed, round, round_seed, broker: broker.to_owned(), done, violations, found }
    }
}

impl Done {
    /// The figures of a run that came to its end.
    #[must_use]
    pub fn of(outcome: &Outcome) -> Self {
        let milliseconds =
            |duration: std::time::Duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        Self {
            members: outcome.members,
            killed: outcome.killed,
            paused: outcome.paused,
            broker_kills: outcome.broker_kills,
            assignments: outcome.assignments,
            renewed: outcome.renewed,
            commits: outcome.commits,
            refused: outcome.refused,
            forged: outcome.forged,
            settled_after_ms: milliseconds(outcome.settled_after),
            took_ms: milliseconds(outcome.took),
        }
    }
}

impl std::fmt::Display for Done {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            members,
            killed,
            paused,
            broker_kills,
            assignments,
            renewed,
            commits,
            refused,
            forged,
            ..
        } = self;
        write!(
            formatter,
            "{members} members, {killed} killed, {paused} pauses, the broker killed {broker_kills} times, {assignments} \
             assignments, {renewed} clients replaced, {commits} commits acknowledged, {refused} refused, {forged} made up; settled after {} ms, \
             all in {} ms",
            self.settled_after_ms, self.took_ms
        )
    }
}
