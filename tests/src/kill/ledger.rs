//! The ledger of a long run: one JSON line a round, appended as it ends, so that a run that is interrupted goes on where
//! it was.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, ErrorKind, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::round::Outcome;
use crate::check::Rule;
use crate::problem::{Doing, Problem};

/// One round.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The seed of the run.
    pub seed: u64,
    /// The round's place in the run, from 0.
    pub round: u64,
    /// What the round's own seed follows from: `seed` and `round`.
    pub round_seed: u64,
    /// The version of the broker, as it tells it.
    pub broker: String,
    /// How many times the broker was killed.
    pub cycles: u32,
    /// Of these, how many times while it started.
    pub killed_starting: u32,
    /// The longest start in milliseconds.
    pub longest_start_ms: u64,
    /// How long the round took in milliseconds.
    pub took_ms: u64,
    /// Acknowledged records that were looked for in the final logs.
    pub records_acknowledged: u64,
    /// Records read, by consumers and by the final scan, of which each was sent and none had failed.
    pub records_read: u64,
    /// Reads of committed offsets that were compared.
    pub commits_read: u64,
    /// Transactions whose outcome was compared in all partitions and groups.
    #[serde(default)]
    pub transactions: u64,
    /// Reads of committed data that were compared with what was committed.
    #[serde(default)]
    pub committed_reads: u64,
    /// Responses that came.
    pub responses: u64,
    /// How many violations of the rules there are.
    pub violations: u64,
    /// The first of them, or what ended the round early.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub found: Vec<String>,
}

impl Entry {
    /// The entry of a round that came to its end.
    #[must_use]
    pub fn of(seed: u64, round: u64, round_seed: u64, broker: &str, outcome: &Outcome) -> Self {
        let milliseconds =
            |duration: std::time::Duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        let report = &outcome.report;
        Self {
            seed,
            round,
            round_seed,
            broker: broker.to_owned(),
            cycles: outcome.cycles,
            killed_starting: outcome.killed_starting,
            longest_start_ms: milliseconds(outcome.longest_start),
            took_ms: milliseconds(outcome.took),
            records_acknowledged: outcome.acknowledged(),
            records_read: report.facts(Rule::NoAborted),
            commits_read: report.facts(Rule::CommittedOffsets),
            transactions: report.facts(Rule::Atomicity),
            committed_reads: report.facts(Rule::ReadCommitted),
            responses: report.facts(Rule::OneResponse),
            violations: report.violation_count(),
            found: report.violations().iter().map(ToString::to_string).collect(),
        }
    }

    /// The entry of a round that came to no end: what stopped it counts as a violation.
    #[must_use]
    pub fn stopped(seed: u64, round: u64, round_seed: u64, broker: &str, problem: &Problem) -> Self {
        Self {
            seed,
            round,
            round_seed,
            broker: broker.to_owned(),
            cycles: 0,
            killed_starting: 0,
            longest_start_ms: 0,
            took_ms: 0,
            records_acknowledged: 0,
            records_read: 0,
            commits_read: 0,
            transactions: 0,
            committed_reads: 0,
            responses: 0,
            violations: 1,
            found: vec![problem.to_string()],
        }
    }
}

/// A file of entries.
#[derive(Debug)]
pub struct Ledger {
    file: PathBuf,
    entries: Vec<Entry>,
}

impl Ledger {
    /// Opens a ledger; a file that does not exist is an empty one.
    ///
    /// # Errors
    /// It can not be read, or is no ledger.
    pub fn open(file: &Path) -> Result<Self, Problem> {
        let name = file.display();
        let mut entries = Vec::new();
        match File::open(file) {
            Ok(opened) => {
                for line in BufReader::new(opened).lines() {
                    let line = line.doing(format_args!("read {name}"))?;
                    entries.push(serde_json::from_str(&line).doing(format_args!("read {name}"))?);
                }
            }
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error).doing(format_args!("open {name}")),
        }
        Ok(Self { file: file.to_owned(), entries })
    }

    /// The entries of one run.
    pub fn of_seed(&self, seed: u64) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(move |entry| entry.seed == seed)
    }

    /// Appends an entry and syncs it.
    ///
    /// # Errors
    /// The file can not be written.
    pub fn append(&mut self, entry: Entry) -> Result<(), Problem> {
        let name = self.file.display();
        let mut line = serde_json::to_vec(&entry).doing("write an entry")?;
        line.push(b'\n');
        let opened = OpenOptions::new().create(true).append(true).open(&self.file);
        let mut opened = opened.doing(format_args!("open {name}"))?;
        opened.write_all(&line).and_then(|()| opened.sync_all()).doing(format_args!("write {name}"))?;
        self.entries.push(entry);
        Ok(())
    }
}
