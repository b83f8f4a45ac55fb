//! `ottla consume`.

mod assign;
mod batch;
mod fetch;
mod format;
mod group;
mod membership;
mod options;
mod output;
mod plain;
mod position;
mod start;

use std::error::Error;

use crate::client::Cluster;
use crate::progress::{Progress, Unit};
use crate::signals::Stop;
pub(crate) use options::Consume;
use output::Output;

/// A record with the place where it was read.
#[derive(Debug)]
struct Incoming {
    topic: std::sync::Arc<str>,
    partition: i32,
    /// True when the broker gave it its time.
    log_append_time: bool,
    record: ottla_log::Record,
}

/// How far a reader goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Go {
    /// There may be more.
    On,
    /// Enough records were written, or nobody reads them any more.
    Ended,
}

impl Consume {
    /// Reads and writes until there is a reason to stop.
    pub(crate) fn run(self) -> Result<(), Box<dyn Error>> {
        self.check()?;
        let stop = Stop::catch()?;
        let cluster = Cluster::connect(&self.bootstrap)?;
        let progress = if Output::is_on_a_terminal() || self.quiet {
            Progress::hidden()
        } else {
            Progress::begin(Unit::Records, self.count)
        };
        let mut output = Output::new(self.form()?, self.count, &progress);
        let outcome = match &self.group {
            None => plain::consume(cluster, &self, &mut output, &stop),
            Some(group) => group::consume(cluster, &self, group, &mut output, &stop),
        };
        progress.end();
        outcome
    }
}
