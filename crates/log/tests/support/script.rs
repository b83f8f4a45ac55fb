//! A script of everything that is done to a log, its story as the outside world knows it, and the check of what
//! a crash left against that story.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use ottla_log::disk::sim::{Class, Loss};
use ottla_log::{
    Append, BatchBuilder, BatchHeader, Compression, Disk, Log, LogConfig, NewRecord, Open, Origin, Outcome,
    RecoveryReport, SimDisk,
};
use ottla_model::Offset;

use super::transactions::{Transactor, check_surviving, coordinator, marker};
use super::{Framing, NOW, Seeded, compress, identity};

pub const DIRECTORY: &str = "/data/topic-0";
const PRODUCERS: u64 = 3;
/// The producers that write in transactions.
const TRANSACTORS: std::ops::RangeInclusive<i64> = 11..=13;

/// What is done to a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// A producer sends its next batch; `None` is one without an id.
    Append {
        producer: Option<i64>,
        records: u64,
        codec: Compression,
    },
    /// A producer sends the next batch of its transaction, which begins with it when none is open.
    Transact {
        producer: i64,
        records: u64,
    },
    /// A transaction ends, if it is open.
    End {
        producer: i64,
        outcome: Outcome,
    },
    /// A producer sends its last batch again.
    Resend(i64),
    Sync,
    /// A sync during which the log is appended to.
    SyncAround,
    Close,
    /// The process is killed and started again.
    Kill,
    /// DeleteRecords of so many tenths of the log.
    AdvanceStart(u64),
    Cool,
}

/// A list of steps. The same seed always gives the same one.
pub fn steps(seed: u64, count: usize) -> Vec<Step> {
    let mut random = Seeded(seed);
    let codecs = [Compression::None, Compression::Gzip, Compression::Lz4, Compression::Zstd];
    let mut step = || match random.below(100) {
        0..14 => Step::Transact {
            producer: TRANSACTORS.start() + random.below(3) as i64,
            records: random.between(1, 3),
        },
        14..24 => Step::End {
            producer: TRANSACTORS.start() + random.below(3) as i64,
            outcome: if random.below(3) == 0 { Outcome::Commit } else { Outcome::Abort },
        },
        24..60 => Step::Append {
            producer: match random.below(PRODUCERS + 1) {
                0 => None,
                producer => Some(producer as i64),
            },
            records: random.between(1, 4),
            codec: codecs[random.below(4) as usize],
        },
        60..66 => Step::Resend(random.between(1, PRODUCERS) as i64),
        66..78 => Step::Sync,
        78..84 => Step::SyncAround,
        84..88 => Step::Close,
        88..92 => Step::Kill,
        92..96 => Step::AdvanceStart(random.between(1, 4)),
        _ => Step::Cool,
    };
    // The first sync of a log is like no other, so it comes before anything else can have done its work.
    let first = Step::Append { producer: None, records: 2, codec: Compression::None };
    [first, Step::Sync].into_iter().chain((2..count).map(|_| step())).collect()
}

/// A batch as it is in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    pub base: Offset,
    pub last: Offset,
    pub stored: Bytes,
}

/// What everybody outside the log knows.
#[derive(Debug, Clone, Default)]
pub struct Story {
    /// Acknowledged appends.
    pub batches: Vec<Sent>,
    /// An append that was begun and not answered.
    pub in_flight: Option<Sent>,
    /// Everything before it was synced, and the sync succeeded.
    pub synced_end: Offset,
    /// The next sequence number of each producer.
    pub sequences: BTreeMap<i64, i32>,
    /// The transactional producers, and which of them have a transaction open.
    pub transactors: BTreeMap<i64, Transactor>,
    pub open: BTreeSet<i64>,
    /// What the checkpoints of the data directory say, which outlive everything.
    pub recovery_point: Offset,
    pub start: Offset,
    pub clean: bool,
    /// Whether the file system is synced before the log is opened.
    pub synced: bool,
    pub epoch: i32,
}

impl Story {
    pub fn end(&self) -> Offset {
        self.batches.last().map_or(0, |batch| batch.last + 1)
    }

    pub fn open(&self) -> Open {
        Open { clean: self.clean, recovery_point: self.recovery_point, synced: self.synced, now: NOW }
    }
}

pub fn config() -> LogConfig {
    // Several blocks a segment, so that some of them can be lost, and several segments a script.
    LogConfig { segment_bytes: 10_000, index_interval_bytes: 1000, ..LogConfig::default() }
}

pub fn new_disk(seed: u64) -> SimDisk {
    SimDisk::new(Path::new(DIRECTORY).parent().expect("parent"), seed)
}

pub fn path(name: &str) -> PathBuf {
    Path::new(DIRECTORY).join(name)
}

/// Names and bytes of all files of the log.
pub fn files(disk: &SimDisk) -> Vec<(String, Vec<u8>)> {
    let entries = disk.list(Path::new(DIRECTORY)).unwrap_or_default();
    entries.into_iter().map(|file| (file.name.clone(), disk.read(&path(&file.name)).expect("read"))).collect()
}

pub fn open_log(disk: &SimDisk, open: Open) -> Result<(Log, RecoveryReport), ottla_log::LogError> {
    if open.synced {
        disk.volume(Path::new(DIRECTORY).parent().expect("a parent")).and_then(|volume| volume.sync_all())?;
    }
    Log::open(Arc::new(disk.clone()), Path::new(DIRECTORY), identity(), config(), open)
}

/// Runs the steps and writes the story down. It ends early when the machine goes off.
pub struct Runner<'a> {
    disk: &'a SimDisk,
    random: Seeded,
    log: Option<Log>,
    pub story: Story,
}

impl<'a> Runner<'a> {
    pub fn new(disk: &'a SimDisk, seed: u64) -> Self {
        let story = Story { clean: true, ..Story::default() };
        Self { disk, random: Seeded(seed ^ 0x5eed), log: None, story }
    }

    pub fn run(disk: &'a SimDisk, seed: u64, steps: &[Step]) -> Story {
        let mut runner = Self::new(disk, seed);
        for step in steps {
            runner.step(*step);
            if disk.is_off() {
                break;
            }
        }
        runner.story
    }

    fn step(&mut self, step: Step) {
        if self.log.is_none() && !self.open() {
            return;
        }
        match step {
            Step::Append { producer, records, codec } => self.append(producer, records, codec),
            Step::Transact { producer, records } => self.transact(producer, records),
            Step::End { producer, outcome } => self.end(producer, outcome),
            Step::Resend(producer) => self.resend(producer),
            Step::Sync => self.sync(false),
            Step::SyncAround => self.sync(true),
            Step::Close => self.close(),
            Step::Kill => self.log = None,
            Step::AdvanceStart(tenths) => {
                let log = self.log.as_mut().expect("open");
                let length = log.end_offset() - log.start_offset();
                let to = log.start_offset() + length * tenths as i64 / 10;
                // The checkpoint comes first, so that what was deleted does not come back.
                self.story.start = self.story.start.max(to);
                let _ = log.advance_start_offset(to);
            }
            Step::Cool => self.log.as_mut().expect("open").cool(),
        }
    }

    fn open(&mut self) -> bool {
        let opened = open_log(self.disk, self.story.open());
        // The mark of the clean stop goes before the first change.
        self.story.clean = false;
        let Ok((mut log, report)) = opened else { return false };
        assert_eq!(
            (report.bytes_cut, report.quarantined.len(), report.not_clean),
            (0, 0, false),
            "{report:?}"
        );
        if log.restore_start_offset(self.story.start).is_err() {
            return false;
        }
        assert_eq!(log.end_offset(), self.story.end(), "nothing is lost without a crash");
        // What was kept was synced.
        self.story.synced_end = log.end_offset();
        self.story.recovery_point = log.recovery_point();
        self.story.epoch += 1;
        self.log = Some(log);
        true
    }

    fn append(&mut self, producer: Option<i64>, records: u64, codec: Compression) {
        let sequence = producer.map(|id| *self.story.sequences.entry(id).or_default());
        let mut builder = BatchBuilder::new();
        if let (Some(id), Some(sequence)) = (producer, sequence) {
            builder = builder.producer(id, 0, sequence);
        }
        for _ in 0..records {
            let length = self.random.below(1200) as usize;
            let value = self.random.bytes(length);
            let timestamp = NOW.0 + self.random.below(1000) as i64;
            builder.push(NewRecord { timestamp, key: None, value: Some(&value), headers: &[] });
        }
        let bytes = compress(&builder.build(), codec, Framing::Default);
        let append = Append::new(self.story.epoch, Origin::Client, NOW);
        if self.send(&bytes, records as i64, append)
            && let Some(id) = producer
        {
            *self.story.sequences.entry(id).or_default() += records as i32;
        }
    }

    fn transact(&mut self, producer: i64, records: u64) {
        // The epochs of one of them rise.
        let bumps_epochs = producer == *TRANSACTORS.end();
        let new = Transactor { bumps_epochs, ..Transactor::new(producer) };
        let transactor = self.story.transactors.entry(producer).or_insert(new).clone();
        let values: Vec<String> = (0..records).map(|_| "v".repeat(self.random.below(300) as usize)).collect();
        let records: Vec<_> = values.iter().map(|value| ("key", Some(value.as_str()))).collect();
        let log = self.log.as_mut().expect("open");
        let guard = log.begin_verification(transactor.first(), NOW).expect("not fenced");
        let append = Append { guard, ..Append::new(self.story.epoch, Origin::Client, NOW) };
        if self.send(&transactor.batch(&records), records.len() as i64, append) {
            self.story.open.insert(producer);
            let transactor = self.story.transactors.get_mut(&producer).expect("above");
            transactor.sequence += records.len() as i32;
        }
    }

    fn end(&mut self, producer: i64, outcome: Outcome) {
        if !self.story.open.contains(&producer) {
            return;
        }
        let mut next = self.story.transactors[&producer].clone();
        if next.bumps_epochs {
            next.epoch += 1;
            next.sequence = 0;
        }
        let append = Append { leader_epoch: self.story.epoch, ..coordinator(next.bumps_epochs) };
        if self.send(&marker(producer, next.epoch, outcome), 1, append) {
            self.story.open.remove(&producer);
            self.story.transactors.insert(producer, next);
        }
    }

    /// Appends a batch. False when the machine went off.
    fn send(&mut self, bytes: &Bytes, records: i64, append: Append) -> bool {
        let base = self.story.end().max(self.log.as_ref().expect("open").end_offset());
        let last = base + records - 1;
        let stored = stamped(bytes, base, self.story.epoch);
        self.story.in_flight = Some(Sent { base, last, stored });
        let log = self.log.as_mut().expect("open");
        match log.append(bytes.clone(), append) {
            Ok(appended) => {
                assert_eq!(
                    (appended.base_offset, appended.last_offset, appended.duplicate),
                    (base, last, false)
                );
                let sent = self.story.in_flight.take().expect("set above");
                self.story.batches.push(sent);
                true
            }
            Err(error) => {
                assert!(self.disk.is_off(), "{error}");
                false
            }
        }
    }

    fn resend(&mut self, producer: i64) {
        let Some(sent) = last_of(&self.story.batches, producer) else { return };
        let append = Append::new(self.story.epoch, Origin::Client, NOW);
        match self.log.as_mut().expect("open").append(unstamped(&sent.stored), append) {
            Ok(appended) => assert_eq!((appended.base_offset, appended.duplicate), (sent.base, true)),
            Err(error) => assert!(self.disk.is_off(), "{error}"),
        }
    }

    fn sync(&mut self, around: bool) {
        let end = self.story.end();
        let Ok(flush) = self.log.as_mut().expect("open").begin_flush() else { return };
        if around {
            self.append(None, 2, Compression::None);
        }
        let result = flush.run();
        let log = self.log.as_mut().expect("open");
        if log.end_flush(flush, result).is_ok() {
            self.story.synced_end = end;
            // The checkpoint of recovery points may lag.
            if self.random.below(3) > 0 {
                self.story.recovery_point = log.recovery_point();
            }
        }
    }

    fn close(&mut self) {
        let mut log = self.log.take().expect("open");
        if let Ok(closed) = log.close(NOW) {
            assert_eq!(closed.recovery_point, self.story.end().max(self.story.start));
            self.story.recovery_point = closed.recovery_point;
            self.story.synced_end = self.story.end();
            self.story.clean = true;
        }
    }
}

fn last_of(batches: &[Sent], producer: i64) -> Option<Sent> {
    let of = |sent: &&Sent| BatchHeader::parse(&sent.stored).expect("header").producer_id == producer;
    batches.iter().rev().find(of).cloned()
}

/// A batch as the log stores it: with its base offset and leader epoch.
pub fn stamped(bytes: &[u8], base: Offset, epoch: i32) -> Bytes {
    [&base.to_be_bytes()[..], &bytes[8..12], &epoch.to_be_bytes()[..], &bytes[16..]].concat().into()
}

fn unstamped(bytes: &[u8]) -> Bytes {
    stamped(bytes, 0, -1)
}

/// Which promise a disk must keep.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Promise {
    /// After a kill everything that was acknowledged is there.
    Acknowledged,
    /// After a power loss everything that was synced is.
    Synced,
}

/// Opens what a crash left and checks it against the story. Returns the log for more.
pub fn check(disk: &SimDisk, story: &Story, promise: Promise, what: &str) -> Log {
    if story.synced_end > 0 {
        let metadata = disk.read(&path("partition.metadata")).unwrap_or_default();
        assert!(metadata.ends_with(b"BwcHBwcHBwcHBwcHBwcHBw"), "{what}: nothing says whose log it is");
    }
    let (mut log, report) = open_log(disk, story.open()).unwrap_or_else(|error| panic!("{what}: {error}"));
    assert!(report.quarantined.is_empty(), "{what}: a crash damages nothing that was synced: {report:?}");
    assert!(log.start_offset() <= story.start, "{what}");
    log.restore_start_offset(story.start).unwrap_or_else(|error| panic!("{what}: {error}"));
    let floor = match promise {
        Promise::Acknowledged => story.end(),
        Promise::Synced => story.synced_end,
    };
    let end = log.end_offset();
    assert!(end >= floor, "{what}: the log ends at {end}, before {floor}");
    let all: Vec<&Sent> = story.batches.iter().chain(&story.in_flight).collect();
    let kept = all.iter().filter(|batch| batch.last < end && batch.last >= log.start_offset());
    let mut expected = kept.copied();
    for batch in log.batches(log.start_offset()) {
        let batch = batch.unwrap_or_else(|error| panic!("{what}: {error}"));
        assert_eq!(
            expected.next().map(|sent| &sent.stored),
            Some(&batch),
            "{what}: another batch than was sent"
        );
    }
    assert_eq!(expected.next(), None, "{what}: a hole before the end");
    let ends_with_batch = all.iter().any(|batch| batch.last + 1 == end);
    assert!(ends_with_batch || end == log.start_offset(), "{what}: it ends within a batch");
    check_surviving(&log, all.iter().filter(|batch| batch.last < end).map(|batch| &batch.stored), what);
    log
}

/// What a producer sees that sends its last batch again, and then the next one.
pub fn check_producers(mut log: Log, story: &Story, what: &str) {
    let (start, end) = (log.start_offset(), log.end_offset());
    let append = Append::new(story.epoch + 1, Origin::Client, NOW);
    let all: Vec<Sent> = story.batches.iter().chain(&story.in_flight).cloned().collect();
    let kept: Vec<Sent> =
        all.iter().filter(|batch| batch.base >= start && batch.last < end).cloned().collect();
    for producer in 1..=PRODUCERS as i64 {
        let Some(sent) = last_of(&kept, producer) else { continue };
        let again =
            log.append(unstamped(&sent.stored), append).unwrap_or_else(|error| panic!("{what}: {error}"));
        assert_eq!((again.base_offset, again.duplicate), (sent.base, true), "{what}: producer {producer}");
        // The next one may have been lost: it is taken as new, at an offset of its own.
        let next = all.iter().find(|batch| {
            batch.base > sent.base
                && BatchHeader::parse(&batch.stored).expect("header").producer_id == producer
        });
        if let Some(next) = next {
            let end = log.end_offset();
            let appended = log.append(unstamped(&next.stored), append);
            let appended = appended.unwrap_or_else(|error| panic!("{what}: {error}"));
            assert_eq!(
                (appended.base_offset, appended.duplicate),
                (end, false),
                "{what}: producer {producer}"
            );
        }
    }
}

/// The disks that a machine which stopped may leave, with a promise for each and a name.
pub fn left_behind(disk: &SimDisk, seeds: std::ops::Range<u64>) -> Vec<(SimDisk, Promise, String)> {
    let mut left = vec![(disk.kill(), Promise::Acknowledged, "killed".to_owned())];
    for loss in Loss::ALL {
        // These two leave nothing to chance.
        let seeds = if matches!(loss, Loss::Dropped | Loss::Kept) { 0..1 } else { seeds.clone() };
        for seed in seeds {
            let promise = if loss == Loss::Kept { Promise::Acknowledged } else { Promise::Synced };
            left.push((disk.crash(loss, seed), promise, format!("{loss:?} with seed {seed}")));
        }
    }
    left
}

/// Operations that change or sync the disk, from now on.
pub fn operations(disk: &SimDisk) -> u64 {
    disk.count(Class::Any)
}

/// How often the expensive tests repeat themselves with other seeds (`OTTLA_FAULT_ROUNDS`).
pub fn rounds() -> u64 {
    std::env::var("OTTLA_FAULT_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(1)
}
