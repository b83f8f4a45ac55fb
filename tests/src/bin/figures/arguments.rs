//! The command line of `figures`.

use std::path::PathBuf;
use std::time::Duration;

use ottla_tests::measure::Warmth;
use ottla_tests::problem::{Doing, Problem};
use ottla_tests::workspace::root;

const USAGE: &str = "usage: figures [start | footprint | compaction | groups | transactions] \
                     [--out DIRECTORY] [--scale F] [--rounds N] [--brokers ottla,kafka] [--cache warm|cold]";

const ROUNDS: usize = 3;

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum What {
    /// The image, and what its binary takes.
    Footprint,
    /// The start with many full partitions.
    Start,
    /// The compaction of a large offsets log.
    Compaction,
    /// Groups that form, lose a member, and are read again.
    Groups,
    /// Transactions.
    Transactions,
}

/// What was asked for.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Arguments {
    pub(crate) what: What,
    /// Where the raw figures go.
    pub(crate) out: PathBuf,
    /// The part of the full size that is measured, in (0, 1].
    pub(crate) scale: f64,
    /// How often each broker is measured.
    pub(crate) rounds: usize,
    /// Which brokers.
    pub(crate) brokers: Vec<String>,
    /// What of a broker's files is in memory when it starts.
    pub(crate) cache: Warmth,
    /// All of it as it was given, for the raw figures.
    pub(crate) command: String,
}

impl Arguments {
    pub(crate) fn parse(arguments: impl Iterator<Item = String>) -> Result<Self, Problem> {
        let given: Vec<String> = arguments.collect();
        let mut parsed = Self {
            what: What::Start,
            out: root().join("docs/measurements"),
            scale: 1.0,
            rounds: ROUNDS,
            brokers: vec!["ottla".to_owned(), "kafka".to_owned()],
            cache: Warmth::Warm,
            command: format!("cargo run --release -p ottla-tests --bin figures {}", given.join(" ")),
        };
        let mut arguments = given.into_iter();
        while let Some(name) = arguments.next() {
            match name.as_str() {
                "footprint" => parsed.what = What::Footprint,
                "start" => parsed.what = What::Start,
                "compaction" => parsed.what = What::Compaction,
                "groups" => parsed.what = What::Groups,
                "transactions" => parsed.what = What::Transactions,
                _ => {
                    let value = arguments.next();
                    let value = value.ok_or_else(|| Problem::new(format!("{name} has no value\n{USAGE}")))?;
                    parsed.set(&name, &value)?;
                }
            }
        }
        Ok(parsed)
    }

    fn set(&mut self, name: &str, value: &str) -> Result<(), Problem> {
        match (name, value) {
            ("--out", _) => self.out = PathBuf::from(value),
            ("--scale", _) => self.scale = value.parse().doing("read --scale")?,
            ("--rounds", _) => self.rounds = value.parse().doing("read --rounds")?,
            ("--brokers", _) => self.brokers = value.split(',').map(ToOwned::to_owned).collect(),
            ("--cache", "warm") => self.cache = Warmth::Warm,
            ("--cache", "cold") => self.cache = Warmth::Cold,
            _ => return Err(Problem::new(format!("{name} {value} is no argument\n{USAGE}"))),
        }
        if !(self.scale > 0.0 && self.scale <= 1.0) {
            return Err(Problem::new(format!("--scale is {}, not above 0 and at most 1", self.scale)));
        }
        Ok(())
    }

    /// A time at this scale.
    pub(crate) fn scaled_time(&self, full: Duration) -> Duration {
        full.mul_f64(self.scale)
    }

    /// A number of things at this scale, at least 1.
    pub(crate) fn scaled(&self, full: u32) -> u32 {
        // A float that is cast to an integer saturates, so any product will do.
        ((f64::from(full) * self.scale).round() as u32).max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(arguments: &[&str]) -> Result<Arguments, Problem> {
        Arguments::parse(arguments.iter().map(ToString::to_string))
    }

    #[test]
    fn arguments_are_read() {
        let parsed = parse(&["start", "--scale", "0.1", "--brokers", "kafka", "--cache", "cold"]).unwrap();
        assert_eq!((parsed.what, parsed.cache, parsed.rounds), (What::Start, Warmth::Cold, ROUNDS));
        assert_eq!((parsed.brokers.join(" "), parsed.scaled(1000)), ("kafka".to_owned(), 100));
        assert_eq!(parse(&[]).unwrap().what, What::Start);
    }

    #[test]
    fn wrong_arguments_are_refused() {
        for wrong in [&["--scale", "0"] as &[&str], &["--scale"], &["--cache", "hot"], &["stop"]] {
            assert!(parse(wrong).is_err(), "{wrong:?}");
        }
    }
}
