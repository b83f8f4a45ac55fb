//! The command line of `kill-runs`.

use std::path::PathBuf;

use ottla_tests::problem::{Doing, Problem};

const USAGE: &str =
    "usage: kill-runs --cycles N --seed S --ledger FILE [--cycles-per-round N] [-c KEY=VALUE]…";

/// How many cycles go over one data directory.
const CYCLES_PER_ROUND: u32 = 50;

/// What is to be run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Arguments {
    pub(crate) cycles: u64,
    pub(crate) seed: u64,
    pub(crate) ledger: PathBuf,
    pub(crate) cycles_per_round: u32,
    /// Further settings of the broker.
    pub(crate) settings: Vec<String>,
}

impl Arguments {
    pub(crate) fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Self, Problem> {
        let (mut cycles, mut seed, mut ledger) = (None, None, None);
        let (mut cycles_per_round, mut settings) = (CYCLES_PER_ROUND, Vec::new());
        while let Some(name) = arguments.next() {
            let value =
                arguments.next().ok_or_else(|| Problem::new(format!("{name} has no value\n{USAGE}")))?;
            match name.as_str() {
                "--cycles" => cycles = Some(value.parse().doing("read --cycles")?),
                "--seed" => seed = Some(value.parse().doing("read --seed")?),
                "--ledger" => ledger = Some(PathBuf::from(value)),
                "--cycles-per-round" => cycles_per_round = value.parse().doing("read --cycles-per-round")?,
                "-c" => settings.push(value),
                _ => return Err(Problem::new(format!("{name} is no argument\n{USAGE}"))),
            }
        }
        let missing = || Problem::new(USAGE);
        Ok(Self {
            cycles: cycles.ok_or_else(missing)?,
            seed: seed.ok_or_else(missing)?,
            ledger: ledger.ok_or_else(missing)?,
            cycles_per_round,
            settings,
        })
    }
}
