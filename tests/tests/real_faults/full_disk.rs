//! A disk without space: appends and commits are refused, reads go on, and all is well again soon after there is space,
//! without a restart.

use std::path::Path;
use std::time::Duration;

use ottla_tests::check::SERVES_WITHIN;
use ottla_tests::history::BrokerStep;
use ottla_tests::problem::Problem;

use crate::mounts::Tmpfs;
use crate::seen::{Seen, first_sends, must, must_keep_rules, open_stage, spans};

const DISK_MEGABYTES: u32 = 96;
const SEED: u64 = 0x6675_6c6c;
const ROUNDS: usize = 3;
/// How long the disk is full each time, and how long it is not.
const FULL: Duration = Duration::from_millis(1000);
const FREE: Duration = Duration::from_millis(1000);

/// Fills the disk and frees it, several times, under load; then kills the broker and checks all that was acknowledged.
pub(crate) fn refuses_and_heals(directory: &Path) -> Result<(), Problem> {
    let disk = Tmpfs::mount(&directory.join("disk"), DISK_MEGABYTES)?;
    let mut stage = open_stage(directory, disk.directory(), &[], SEED)?;
    stage.await_calm()?;
    for _ in 0..ROUNDS {
        stage.run_for(FREE)?;
        stage.note(BrokerStep::Faulted);
        let ballast = disk.fill()?;
        stage.run_for(FULL)?;
        ballast.drop_it()?;
        stage.note(BrokerStep::Mended);
        stage.await_calm()?;
    }
    stage.run_for(FREE)?;
    stage.quiesce();
    stage.kill()?;
    let judged = stage.judge()?;
    must_keep_rules(&judged.report)?;
    let history = &judged.history;
    let faults = spans(history, BrokerStep::Faulted, BrokerStep::Mended);
    must(faults.len() == ROUNDS, "every fault ended")?;
    for fault in &faults {
        let seen = Seen::within(history, *fault);
        println!("full: {seen:?}");
        must(
            seen.refused_sends() > 0,
            "produce was answered with KAFKA_STORAGE_ERROR while the disk was full",
        )?;
        must(seen.commits.keys().any(|error| *error != 0), "commits were refused while the disk was full")?;
        must(seen.reads > 0, "records were read while the disk was full")?;
        let limit = u64::try_from(SERVES_WITHIN.as_nanos()).unwrap_or(u64::MAX);
        let healed = first_sends(history, (fault.1, fault.1.saturating_add(limit)));
        println!("healed: {healed:?}");
        must(
            healed.values().all(Option::is_some),
            "every partition took records again within 5 seconds after there was space",
        )?;
    }
    Ok(())
}

/// Kills the broker while the disk is full and starts it again before there is space and after.
pub(crate) fn start_when_full(directory: &Path) -> Result<(), Problem> {
    let disk = Tmpfs::mount(&directory.join("disk"), DISK_MEGABYTES)?;
    let mut stage = open_stage(directory, disk.directory(), &[], SEED + 1)?;
    stage.await_calm()?;
    stage.note(BrokerStep::Faulted);
    let ballast = disk.fill()?;
    stage.run_for(FULL)?;
    stage.kill()?;
    // It may serve or say why it can not; it may not harm anything.
    let started = stage.start();
    println!("the start on a full disk: {:?}", started.as_ref().map_err(|problem| problem.to_string()));
    if started.is_ok() {
        stage.run_for(FULL)?;
    }
    stage.kill()?;
    ballast.drop_it()?;
    stage.start()?;
    stage.await_calm()?;
    stage.quiesce();
    stage.kill()?;
    must_keep_rules(&stage.judge()?.report)
}
