//! A power loss and an error at every operation of a compaction and of a retention.

use std::path::Path;
use std::sync::Arc;

use ottla_log::disk::sim::{Class, Fault, Loss, Rule};
use ottla_log::{Disk, Log, LogConfig, Open, SimDisk};
use ottla_model::{Offset, WallMillis};

use super::keyed::*;
use super::support::*;

const ROOT: &str = "/data";
const DIR: &str = "/data/topic-0";

fn open(disk: SimDisk, end: Offset) -> Log {
    let open = Open { clean: false, recovery_point: end, synced: false, now: NOW };
    Log::open(Arc::new(disk), Path::new(DIR), identity(), compacted(), open).expect("opened").0
}

/// A disk with a log on it, all of it down.
struct Prepared {
    disk: SimDisk,
    config: LogConfig,
    end: Offset,
    cleaned_to: Offset,
}

impl Prepared {
    fn new(seed: u64, config: LogConfig, fill: impl FnOnce(&mut Log) -> Offset) -> Self {
        let disk = Arc::new(SimDisk::new(Path::new(ROOT), seed));
        let at = Open { clean: true, recovery_point: 0, synced: false, now: NOW };
        let on = Arc::clone(&disk) as Arc<dyn Disk>;
        let mut log = Log::open(on, Path::new(DIR), identity(), config.clone(), at).expect("opened").0;
        let cleaned_to = fill(&mut log);
        log.sync().expect("synced");
        Self { disk: disk.kill(), config, end: log.end_offset(), cleaned_to }
    }

    /// A log that was compacted once and is dirty again.
    fn dirty(seed: u64) -> Self {
        Self::new(seed, compacted(), |log| {
            append_random(log, &mut Seeded(seed), 70);
            let cleaned_to = clean_up(log, NOW, 0);
            append_random(log, &mut Seeded(seed + 100), 30);
            cleaned_to
        })
    }

    /// The log on a copy of the disk, which fails by that rule.
    fn open(&self, rule: Option<Rule>) -> (Arc<SimDisk>, Log) {
        let disk = Arc::new(self.disk.kill());
        let on = Arc::clone(&disk) as Arc<dyn Disk>;
        let at = Open { clean: true, recovery_point: self.end, synced: false, now: NOW };
        let log = Log::open(on, Path::new(DIR), identity(), self.config.clone(), at).expect("opened").0;
        disk.set_rules(rule.into_iter().collect());
        (disk, log)
    }
}

/// A whole compaction, as far as it gets.
fn attempt(log: &mut Log, cleaned_to: Offset) -> Result<(), ottla_log::LogError> {
    let plan = log.plan_clean(NOW, i64::MAX, cleaned_to)?.expect("dirty");
    let cleaned = plan.run(&limits(), &mut |_| true)?;
    let report = log.finish_clean(cleaned)?;
    report.deleted.remove()?;
    log.sync()
}

/// Operations of a whole compaction.
fn operations(prepared: &Prepared) -> u64 {
    let (disk, mut log) = prepared.open(None);
    attempt(&mut log, prepared.cleaned_to).expect("done");
    disk.count(Class::Any)
}

#[test]
fn a_power_loss_at_every_operation() {
    let seed = 3;
    let prepared = Prepared::dirty(seed);
    let (end, folded) = (prepared.end, fold(&prepared.open(None).1));
    let count = operations(&prepared);
    assert!(count > 60, "{count}");
    for number in 0..=count {
        let (disk, mut log) = prepared.open(Some(Rule::once(Class::Any, number, Fault::Off)));
        assert_eq!(attempt(&mut log, prepared.cleaned_to).is_ok(), number == count);
        for loss in Loss::ALL {
            // A checkpoint that was never written makes all of it be judged.
            for (choice, recovery_point) in (0..choices(loss)).zip([0, end].into_iter().cycle()) {
                let context = format!("seed {seed}, operation {number}, {loss:?}, choice {choice}");
                let log = open(disk.crash(loss, number * 100 + choice), recovery_point);
                assert_eq!(log.end_offset(), end, "{context}");
                assert!(offsets(&log).is_sorted_by(|one, next| one < next), "{context}");
                assert_eq!(fold(&log), folded, "{context}");
            }
        }
    }
}

/// How many of the disks that a loss may leave are looked at.
fn choices(loss: Loss) -> u64 {
    match loss {
        Loss::Dropped | Loss::Kept => 2,
        Loss::Torn | Loss::Blocks => 2,
        Loss::Reordered => 6,
    }
}

#[test]
fn a_power_loss_during_the_recovery_of_a_swap() {
    let seed = 4;
    let prepared = Prepared::dirty(seed);
    let (end, folded) = (prepared.end, fold(&prepared.open(None).1));
    for number in (0..operations(&prepared)).step_by(3) {
        let (disk, mut log) = prepared.open(Some(Rule::once(Class::Any, number, Fault::Off)));
        assert!(attempt(&mut log, prepared.cleaned_to).is_err());
        let left = disk.kill();
        let entries = left.list(Path::new(DIR)).expect("listed");
        if !entries.iter().any(|entry| entry.name.ends_with(".swap")) {
            continue;
        }
        for again in 0.. {
            let disk = Arc::new(left.kill());
            disk.set_rules(vec![Rule::once(Class::Any, again, Fault::Off)]);
            let at = Open { clean: false, recovery_point: end, synced: false, now: NOW };
            let on = Arc::clone(&disk) as Arc<dyn Disk>;
            let opened = Log::open(on, Path::new(DIR), identity(), compacted(), at);
            for choice in 0..2 {
                let log = open(disk.crash(Loss::Reordered, choice), end);
                let context = format!("operation {number}, then {again}, choice {choice}");
                assert!(offsets(&log).is_sorted_by(|one, next| one < next), "{context}");
                assert_eq!((log.end_offset(), fold(&log)), (end, folded.clone()), "{context}");
            }
            if opened.is_ok() {
                break;
            }
        }
    }
}

#[test]
fn an_error_at_every_operation() {
    let prepared = Prepared::dirty(0);
    let (end, folded) = (prepared.end, fold(&prepared.open(None).1));
    let count = operations(&prepared);
    for fault in [Fault::Full, Fault::ShortWrite, Fault::Failing] {
        let (mut undone, mut offline) = (0, 0);
        for number in 0..count {
            let (disk, mut log) = prepared.open(Some(Rule::once(Class::Any, number, fault)));
            let result = attempt(&mut log, prepared.cleaned_to);
            let context = format!("operation {number}, {fault:?}: {result:?}");
            if log.is_open() {
                undone += 1;
                let entries = disk.list(Path::new(DIR)).expect("listed");
                assert!(!entries.iter().any(|entry| entry.name.ends_with(".swap")), "{context}");
                assert_eq!(fold(&log), folded, "{context}");
                append(&mut log, &keyed(&[("on", Some("it goes"))])).expect("appended");
                clean_up(&mut log, NOW, prepared.cleaned_to);
                log.sync().expect("synced");
            } else {
                offline += 1;
            }
            let goes_on = log.is_open();
            drop(log);
            let mut log = open(disk.kill(), end);
            let mut after = fold(&log);
            assert_eq!(after.remove(&b"on"[..]).is_some(), goes_on, "{context}");
            assert_eq!(after, folded, "{context}");
            assert_eq!(log.end_offset(), end + i64::from(goes_on), "{context}");
            append(&mut log, &keyed(&[("on", Some("it goes"))])).expect("appended");
        }
        assert!(undone > 20 && offline > 0, "{fault:?}: {undone} and {offline}");
    }
}

#[test]
fn a_power_loss_while_a_compaction_that_did_not_fit_is_undone() {
    let prepared = Prepared::dirty(5);
    let (end, folded) = (prepared.end, fold(&prepared.open(None).1));
    let mut undone = 0;
    let count = operations(&prepared);
    // The first half writes files that have no part in the log yet.
    for number in (count / 2..count).step_by(2) {
        let (disk, mut log) = prepared.open(Some(Rule::once(Class::Any, number, Fault::Full)));
        let failed = attempt(&mut log, prepared.cleaned_to).is_err();
        // What was done after the error is the undoing.
        let last = disk.count(Class::Any);
        if !failed || !log.is_open() {
            continue;
        }
        undone += 1;
        for later in (number + 1..last).step_by(2) {
            let (disk, mut log) = prepared.open(None);
            let rules = [(number, Fault::Full), (later, Fault::Off)];
            disk.set_rules(rules.map(|(number, fault)| Rule::once(Class::Any, number, fault)).to_vec());
            assert!(attempt(&mut log, prepared.cleaned_to).is_err());
            for (choice, loss) in (0..).zip([Loss::Dropped, Loss::Kept, Loss::Reordered]) {
                let context = format!("full at {number}, off at {later}, {loss:?}");
                let log = open(disk.crash(loss, choice), end);
                assert_eq!((log.end_offset(), fold(&log)), (end, folded.clone()), "{context}");
                assert!(offsets(&log).is_sorted_by(|one, next| one < next), "{context}");
            }
        }
    }
    assert!(undone > 5, "{undone}");
}

#[test]
fn retention_and_a_power_loss_at_every_operation() {
    let config = LogConfig { retention_ms: 0, ..small_segments() };
    let prepared = Prepared::new(1, config.clone(), |log| {
        append_random(log, &mut Seeded(1), 60);
        0
    });
    let expire = |log: &mut Log| {
        let report = log.delete_expired(WallMillis(NOW.0 * 2), log.end_offset() - 1)?;
        log.sync()?;
        report.deleted.remove()?;
        Ok::<Offset, ottla_log::LogError>(report.start_offset)
    };
    let (disk, mut log) = prepared.open(None);
    let all = consume(&log, 0);
    let start = expire(&mut log).expect("done");
    for number in 0..=disk.count(Class::Any) {
        let (disk, mut log) = prepared.open(Some(Rule::once(Class::Any, number, Fault::Off)));
        let _ = expire(&mut log);
        for loss in [Loss::Dropped, Loss::Kept, Loss::Torn] {
            let at = Open { clean: false, recovery_point: prepared.end, synced: false, now: NOW };
            let crashed = Arc::new(disk.crash(loss, number));
            let log = Log::open(crashed, Path::new(DIR), identity(), config.clone(), at).expect("opened").0;
            assert!(log.start_offset() <= start);
            assert_eq!(log.end_offset(), prepared.end, "operation {number}, {loss:?}");
            let left = all.iter().filter(|record| record.offset >= log.start_offset());
            assert_eq!(consume(&log, log.start_offset()), left.cloned().collect::<Vec<_>>());
        }
    }
}
