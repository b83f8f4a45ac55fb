//! `bench-versus hour`: a steady load over a long time.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use ottla_tests::broker::Options;
use ottla_tests::problem::{Doing, Problem};

use super::results::{begin, default_file};
use crate::contender::Contender;
use crate::hour::{BROKER_SETTINGS, CONTENDERS, NAME, measure};
use crate::size::Size;
use crate::stage::Stage;

#[derive(Debug, Args)]
pub(super) struct Hour {
    /// How many minutes
    #[arg(long, default_value_t = 60)]
    minutes: u64,
    /// Seconds of a minute; fewer only show that it works
    #[arg(long, default_value_t = 60.0)]
    seconds: f64,
    /// Who gets the load: ottla or kafka
    #[arg(long, default_value = "ottla")]
    contender: String,
    /// The file of raw results [default: docs/measurements/hour-DATE.ndjson]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

impl Hour {
    pub(super) fn run(&self) -> Result<(), Problem> {
        let kind = CONTENDERS.into_iter().find(|kind| kind.program() == self.contender);
        let kind = kind.ok_or_else(|| Problem::new(format!("there is no contender {:?}", self.contender)))?;
        let contender = Contender::find(kind)?;
        let minute = Duration::try_from_secs_f64(self.seconds).doing("read --seconds")?;
        let file = match &self.out {
            Some(file) => file.clone(),
            None => default_file(NAME)?,
        };
        let mut results = begin(&file, Size::Full, std::slice::from_ref(&contender))?;
        let logs = tempfile::tempdir().doing("make a directory for logs")?;
        let settings = BROKER_SETTINGS.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        let options = Options { settings, ..Options::default() };
        let broker = contender.start(None, &logs.path().join("broker.log"), options)?;
        let mut stage = Stage::new(kind, broker, Size::Full);
        measure(&mut stage, self.minutes, minute, &mut results)
    }
}
