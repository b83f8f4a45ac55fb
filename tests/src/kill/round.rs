//! One round: cycles over one data directory, then the check.

use std::path::Path;
use std::time::{Duration, Instant};

use super::cycle::Cycle;
use super::stage::{Judged, Stage};
use crate::check::{Report, Rule};
use crate::load::Random;
use crate::ottla::Ottla;
use crate::problem::Problem;

/// What a round is to do.
#[derive(Debug, Clone)]
pub struct Round {
    /// Decides what the clients do and when the kills come.
    pub seed: u64,
    /// How many times the broker is killed at most.
    pub cycles: u32,
    /// No new cycle begins after this.
    pub until: Option<Instant>,
    /// Settings of the broker, as `KEY=VALUE`, beyond those of every round.
    pub settings: Vec<String>,
}

/// What a round did and found.
#[derive(Debug)]
pub struct Outcome {
    /// How many times the broker was killed.
    pub cycles: u32,
    /// Of these, how many times before it said that it serves.
    pub killed_starting: u32,
    /// The longest time from a start until the broker said that it serves.
    pub longest_start: Duration,
    /// How long the round took.
    pub took: Duration,
    /// What the rules found.
    pub report: Report,
}

/// Runs a round with its files in `directory`, which must be empty: the data, `history.ndjson`, `dump.ndjson` and
/// `broker.log`.
///
/// # Errors
/// The broker ended by itself, did not start, or refused to be read; or the harness failed.
pub fn run(program: &Ottla, directory: &Path, round: &Round) -> Result<Outcome, Problem> {
    let began = Instant::now();
    let stage = Stage::open(program, directory, directory, &round.settings, round.seed)?;
    let random = Random::part(round.seed, u64::MAX);
    let mut killer = Killer { stage, random, cycles: 0, killed_starting: 0 };
    let killed = killer.cycles(round);
    killer.stage.quiesce();
    killed?;
    killer.kill()?;
    let Killer { stage, cycles, killed_starting, .. } = killer;
    let longest_start = stage.longest_start();
    let Judged { report, .. } = stage.judge()?;
    Ok(Outcome { cycles, killed_starting, longest_start, took: began.elapsed(), report })
}

struct Killer {
    stage: Stage,
    random: Random,
    cycles: u32,
    killed_starting: u32,
}

impl Killer {
    fn kill(&mut self) -> Result<(), Problem> {
        self.stage.kill()?;
        self.cycles += 1;
        Ok(())
    }

    /// Kills and starts; at the end every client was served, and the broker runs.
    fn cycles(&mut self, round: &Round) -> Result<(), Problem> {
        let mut cycle = Cycle::Calm;
        // The kill before the scan is one of the round's.
        while self.cycles.saturating_add(1) < round.cycles
            && round.until.is_none_or(|until| Instant::now() < until)
        {
            match cycle {
                Cycle::Calm => self.stage.await_calm()?,
                Cycle::UnderLoad(after) => self.stage.run_for(after)?,
                Cycle::DuringStart(_) => {}
            }
            self.kill()?;
            cycle = cycle.next(&mut self.random, self.stage.last_start());
            match cycle {
                Cycle::DuringStart(after) => {
                    if !self.stage.start_for(after)? {
                        self.killed_starting += 1;
                    }
                }
                Cycle::UnderLoad(_) | Cycle::Calm => self.stage.start()?,
            }
        }
        if let Cycle::DuringStart(_) = cycle {
            self.kill()?;
            self.stage.start()?;
        }
        self.stage.await_calm()
    }
}

impl Outcome {
    /// How many acknowledged records were looked for in the final logs.
    #[must_use]
    pub fn acknowledged(&self) -> u64 {
        self.report.facts(Rule::AckedDurability)
    }
}
