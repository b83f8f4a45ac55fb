//! Settings, quotas and feature levels that are changed while the broker runs, with a SIGKILL right behind the answers.

mod ask;
mod change;
mod known;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::victim::Victim;
use crate::load::Random;
use crate::measure::{Connection, NewTopic, request_topics};
use crate::ottla::Ottla;
use crate::problem::Problem;

use change::Change;
use known::Known;

const READY_LIMIT: Duration = Duration::from_secs(60);
/// Most changes between two kills.
const CHANGES_MAX: u64 = 8;
/// The topics whose settings are changed.
const TOPICS: [&str; 2] = ["orders", "payments"];

/// What is to be done.
#[derive(Debug, Clone, Copy)]
pub struct SettingsRun {
    /// Decides what is changed.
    pub seed: u64,
    /// How often the broker is killed.
    pub kills: u32,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingsOutcome {
    /// Changes that were answered without an error.
    pub changes: u64,
    /// What was described otherwise after a start, with the changes that came before; empty when all was kept.
    pub found: Vec<String>,
}

/// Runs with its files in `directory`, which must be empty.
///
/// # Errors
/// The broker ended by itself, did not start, or refused a legal change.
pub fn run_settings(
    program: &Ottla,
    directory: &Path,
    run: &SettingsRun,
) -> Result<SettingsOutcome, Problem> {
    let victim = Arc::new(Victim::new(program.clone(), directory, directory, &[])?);
    let mut random = Random::new(run.seed);
    let mut known = Known::default();
    let mut outcome = SettingsOutcome { changes: 0, found: Vec::new() };
    let mut running = victim.start_ready(READY_LIMIT)?;
    let mut connection = Connection::open(&victim.address())?;
    let topics = TOPICS.map(|name| NewTopic { name: name.to_owned(), partitions: 1, settings: Vec::new() });
    request_topics(&mut connection, &topics)?;
    for kill in 0..run.kills {
        let mut made = Vec::new();
        for _ in 0..=random.below(CHANGES_MAX) {
            let change = Change::draw(&mut random, &TOPICS, &known);
            ask::make(&mut connection, &change)?;
            known.note(&change);
            outcome.changes += 1;
            made.push(change);
        }
        running.kill()?;
        running = victim.start_ready(READY_LIMIT)?;
        connection = Connection::open(&victim.address())?;
        let told = ask::described(&mut connection, &known)?;
        if told != known {
            outcome.found.push(format!("kill {kill}, after {made:?}: {known:?} became {told:?}"));
            break;
        }
    }
    running.kill()?;
    Ok(outcome)
}
