//! A disk that becomes read-only.

use std::path::Path;
use std::time::Duration;

use ottla_tests::history::BrokerStep;
use ottla_tests::problem::Problem;

use crate::mounts::{Disk, Tmpfs};
use crate::seen::{Seen, must, must_keep_rules, open_stage, spans};

const SEED: u64 = 0x726f;
const DISK_MEGABYTES: u32 = 64;
const A_WHILE: Duration = Duration::from_millis(1500);

/// The kernel does not let an operator make a file system read-only while a broker has it open for writing, and the
/// broker goes on.
pub(crate) fn remount(directory: &Path) -> Result<(), Problem> {
    let disk = Tmpfs::mount(&directory.join("disk"), DISK_MEGABYTES)?;
    let mut stage = open_stage(directory, disk.directory(), &[], SEED)?;
    stage.await_calm()?;
    must(disk.remount("ro").is_err(), "the kernel refuses the remount")?;
    stage.await_calm()?;
    stage.kill()?;
    disk.remount("ro")?;
    must(stage.start().is_err(), "no broker starts on a read-only disk")?;
    stage.kill()?;
    disk.remount("rw")?;
    stage.start()?;
    stage.await_calm()?;
    stage.quiesce();
    stage.kill()?;
    must_keep_rules(&stage.judge()?.report)
}

/// After an error of the device the kernel takes a file system away from its writers. Reads go on; nothing is
/// acknowledged any more; it does not become writable again before it was unmounted, and what was flushed is there then.
pub(crate) fn aborted(directory: &Path) -> Result<(), Problem> {
    // A sync that is under way in the moment when ext4 gives up its journal may be told as done, by Linux 6.18 to any
    // program: what was acknowledged then may be gone.
    const MOMENT_MS: u64 = 200;
    let disk = Disk::mount(directory)?;
    let mut stage = open_stage(directory, disk.directory(), &["log.flush.interval.messages=1"], SEED + 1)?;
    stage.await_calm()?;
    stage.run_for(A_WHILE)?;
    stage.note(BrokerStep::Faulted);
    disk.abort()?;
    stage.note(BrokerStep::PowerCut { window_ms: MOMENT_MS });
    stage.run_for(A_WHILE)?;
    stage.kill()?;
    stage.abandon();
    must(disk.remount("rw").is_err(), "the kernel refuses to write again")?;
    disk.restore()?;
    let judged = stage.judge()?;
    must_keep_rules(&judged.report)?;
    let history = &judged.history;
    let faults = spans(history, BrokerStep::PowerCut { window_ms: MOMENT_MS }, BrokerStep::Killing);
    for fault in faults {
        let seen = Seen::within(history, fault);
        println!("read-only: {seen:?}");
        must(seen.refused_sends() > 0, "produce was answered with KAFKA_STORAGE_ERROR")?;
        must(!seen.sends.contains_key(&0), "nothing was acknowledged")?;
        must(!seen.commits.contains_key(&0), "no commit was acknowledged")?;
        must(seen.reads > 0, "records were read")?;
    }
    Ok(())
}
