//! Reads partitions without a group.

use std::error::Error;

use super::fetch::{Fetcher, check};
use super::output::Output;
use super::start::{begins, choose, ends, leaders};
use super::{Consume, Go};
use crate::client::Cluster;
use crate::signals::Stop;

/// Reads until there is a reason to stop.
pub(super) fn consume(
    mut cluster: Cluster,
    options: &Consume,
    output: &mut Output<'_>,
    stop: &Stop,
) -> Result<(), Box<dyn Error>> {
    check(&mut cluster)?;
    let read_committed = options.read_committed();
    let mut leaders = leaders(&mut cluster, &options.topics, output.progress())?;
    choose(&mut leaders, &options.partitions)?;
    // The ends come first: with the beginnings behind them, `-o end -e` would wait for a record that came between.
    let ends = ends(&mut cluster, &leaders, options.until(), options.exit, read_committed)?;
    let begins = begins(&mut cluster, &leaders, options.begin(), read_committed)?;
    let mut fetcher = Fetcher::new(&leaders, &begins, &ends, read_committed);
    while !(stop.is_asked() || output.is_enough() || fetcher.is_at_end()) {
        if fetcher.round(&mut cluster, output)? == Go::Ended {
            break;
        }
    }
    Ok(())
}
