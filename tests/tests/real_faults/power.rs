//! The power is cut: what the kernel had not written to the device is gone, and the file system replays its journal.

use std::path::Path;
use std::time::Duration;

use ottla_tests::check::Rule;
use ottla_tests::history::BrokerStep;
use ottla_tests::load::Random;
use ottla_tests::problem::Problem;

use crate::mounts::Disk;
use crate::seen::{lost_records, must, must_keep_rules, must_keep_rules_but, open_stage};

const SEED: u64 = 0x706f_7765;
/// How often the power is cut in each mode.
const CUTS: u32 = 10;
/// The cut comes so long after the broker was ready.
const CUT_AFTER_MS: std::ops::Range<u64> = 50..900;
/// What holds between logs. By default each log loses its own end, so that a transaction may be left without its marker in
/// one of them, and `docs/durability.md` says so.
const BETWEEN_LOGS: [Rule; 6] = [
    Rule::StableOffset,
    Rule::ReadCommitted,
    Rule::Atomicity,
    Rule::Fencing,
    Rule::NoneOpen,
    Rule::PendingOffsets,
];

/// With `log.flush.interval.messages=1` nothing that was acknowledged is lost, however often the power is cut.
pub(crate) fn flushed(directory: &Path) -> Result<(), Problem> {
    let disk = Disk::mount(directory)?;
    let mut random = Random::new(SEED);
    let mut stage = open_stage(directory, disk.directory(), &["log.flush.interval.messages=1"], SEED)?;
    stage.await_calm()?;
    for _ in 1..CUTS {
        stage.run_for(some_time(&mut random))?;
        stage.kill_by(|| disk.cut())?;
        disk.restore()?;
        stage.start()?;
    }
    stage.await_calm()?;
    stage.kill_by(|| disk.cut())?;
    stage.abandon();
    disk.restore()?;
    let judged = stage.judge()?;
    println!(
        "{CUTS} cuts of the power, {} records acknowledged and checked, {} commits read",
        judged.report.facts(Rule::AckedDurability),
        judged.report.facts(Rule::CommittedOffsets)
    );
    must_keep_rules(&judged.report)
}

/// By default each log may lose its end: what was acknowledged within the last window of the background flush.
pub(crate) fn background(directory: &Path) -> Result<(), Problem> {
    const FLUSH_MS: u64 = 200;
    // The window, and as much again and a little for the syncs themselves on a machine with other work.
    const WINDOW_MS: u64 = 1000;
    const RUN: Duration = Duration::from_millis(1800);
    let flush = format!("ottla.flush.background.ms={FLUSH_MS}");
    let (mut acknowledged, mut lost) = (0, 0);
    for cut in 0..CUTS {
        let directory = directory.join(format!("cut-{cut}"));
        std::fs::create_dir(&directory).map_err(|error| Problem::new(error.to_string()))?;
        let disk = Disk::mount(&directory)?;
        let seed = SEED + u64::from(cut);
        let mut stage = open_stage(&directory, disk.directory(), &[&flush], seed)?;
        stage.run_for(RUN)?;
        stage.note(BrokerStep::PowerCut { window_ms: WINDOW_MS });
        stage.kill_by(|| disk.cut())?;
        stage.abandon();
        disk.restore()?;
        let judged = stage.judge()?;
        must_keep_rules_but(&judged.report, &BETWEEN_LOGS)?;
        acknowledged += judged.report.facts(Rule::AckedDurability);
        lost += lost_records(&judged.history, &judged.dump);
    }
    println!(
        "{CUTS} cuts of the power, {acknowledged} records acknowledged and checked, {lost} lost at the ends"
    );
    // Or the cuts were none.
    must(lost > 0, "a cut of the power takes something")
}

fn some_time(random: &mut Random) -> Duration {
    Duration::from_millis(CUT_AFTER_MS.start + random.below(CUT_AFTER_MS.end - CUT_AFTER_MS.start))
}
