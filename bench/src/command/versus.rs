//! `bench-versus` without a subcommand: the measures beside others.

#![allow(clippy::print_stdout, reason = "the tables are what the command is for")]

use std::path::PathBuf;

use clap::Args;
use ottla_tests::problem::{Doing, Problem};

use super::results::{begin, default_file};
use crate::contender::{Contender, Kind};
use crate::measures::{ALL, Measure, by_name};
use crate::results::{Results, table};
use crate::run::Run;
use crate::size::Size;

/// What files of raw results begin with.
const NAME: &str = "versus";

#[derive(Debug, Args)]
pub(super) struct Versus {
    /// Who is measured: ottla, kafka (cold and warm), kfake, floor, and tansu where it is named
    #[arg(long, value_delimiter = ',', default_value = "ottla,kafka,kfake,floor")]
    contenders: Vec<String>,
    /// What is measured, all by default
    #[arg(long, value_delimiter = ',', value_name = "MEASURE")]
    only: Vec<String>,
    /// How often every contender gets its turn
    #[arg(long, default_value_t = 5)]
    rounds: u64,
    /// A quarter of the load
    #[arg(long, conflicts_with = "smoke")]
    quick: bool,
    /// So little load that it only shows that everything works
    #[arg(long)]
    smoke: bool,
    /// The file of raw results [default: docs/measurements/versus-DATE.ndjson]
    #[arg(long, value_name = "FILE", conflicts_with = "resume")]
    out: Option<PathBuf>,
    /// Goes on with a file of raw results: what it has is not measured again
    #[arg(long, value_name = "FILE")]
    resume: Option<PathBuf>,
}

impl Versus {
    pub(super) fn run(&self) -> Result<(), Problem> {
        let contenders: Vec<Contender> =
            self.kinds()?.into_iter().map(Contender::find).collect::<Result<_, _>>()?;
        let measures = self.measures()?;
        let mut results = self.results(&contenders)?;
        let logs = tempfile::tempdir().doing("make a directory for logs")?;
        let run = Run { contenders, measures, rounds: self.rounds, size: self.size(), logs: logs.path() };
        let outcome = run.measure(&mut results);
        for measure in &run.measures {
            println!("{}", table(*measure, &results.points));
        }
        println!("raw results: {}", results.path().display());
        outcome
    }

    fn kinds(&self) -> Result<Vec<Kind>, Problem> {
        let mut kinds = Vec::new();
        for name in &self.contenders {
            let named: Vec<Kind> = Kind::ALL.into_iter().filter(|kind| kind.program() == name).collect();
            if named.is_empty() {
                return Err(Problem::new(format!("there is no contender {name:?}")));
            }
            kinds.extend(named);
        }
        Ok(kinds)
    }

    fn measures(&self) -> Result<Vec<&'static dyn Measure>, Problem> {
        if self.only.is_empty() {
            return Ok(ALL.to_vec());
        }
        let measure = |name: &String| {
            by_name(name).ok_or_else(|| {
                let names: Vec<&str> = ALL.iter().map(|measure| measure.name()).collect();
                Problem::new(format!("there is no measure {name:?}, only {}", names.join(", ")))
            })
        };
        self.only.iter().map(measure).collect()
    }

    fn size(&self) -> Size {
        match (self.quick, self.smoke) {
            (true, _) => Size::Quick,
            (_, true) => Size::Smoke,
            _ => Size::Full,
        }
    }

    fn results(&self, contenders: &[Contender]) -> Result<Results, Problem> {
        match (&self.resume, &self.out) {
            (Some(file), _) => Results::read(file),
            (None, Some(file)) => begin(file, self.size(), contenders),
            (None, None) => begin(&default_file(NAME)?, self.size(), contenders),
        }
    }
}
