//! Disks that are full, and disks that fail.

#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "a test may fail")]

mod support;

use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use ottla_log::{
    AppendError, DirEntry, Disk, DiskFile, Identity, Log, LogConfig, LogError, MemoryDisk, Open, OpenFile,
    ReadError,
};
use support::*;

/// A disk whose writes or syncs fail from the Nth on, until it is mended.
#[derive(Debug)]
struct Faulty {
    inner: MemoryDisk,
    fault: Arc<Fault>,
}

#[derive(Debug)]
struct Fault {
    /// Operations that still succeed; negative ones fail.
    writes_left: AtomicI64,
    syncs_left: AtomicI64,
    error: Mutex<io::ErrorKind>,
}

#[derive(Debug)]
struct FaultyFile {
    inner: Arc<dyn DiskFile>,
    fault: Arc<Fault>,
}

impl Fault {
    fn take(&self, left: &AtomicI64) -> io::Result<()> {
        if left.fetch_sub(1, Ordering::Relaxed) <= 0 {
            Err((*self.error.lock().expect("lock")).into())
        } else {
            Ok(())
        }
    }

    fn write(&self) -> io::Result<()> {
        self.take(&self.writes_left)
    }

    fn sync(&self) -> io::Result<()> {
        self.take(&self.syncs_left)
    }

    fn arm(&self, writes: i64, syncs: i64, kind: io::ErrorKind) {
        *self.error.lock().expect("lock") = kind;
        self.writes_left.store(writes, Ordering::Relaxed);
        self.syncs_left.store(syncs, Ordering::Relaxed);
    }

    fn mend(&self) {
        self.arm(i64::MAX, i64::MAX, io::ErrorKind::Other);
    }
}

impl Disk for Faulty {
    fn open(&self, path: &Path, open: OpenFile) -> io::Result<Arc<dyn DiskFile>> {
        if open.create && !self.inner.exists(path)? {
            self.fault.write()?;
        }
        Ok(Arc::new(FaultyFile { inner: self.inner.open(path, open)?, fault: Arc::clone(&self.fault) }))
    }

    fn create_dir_all(&self, path: &Path) -> io::Result<()> {
        self.fault.write()?;
        self.inner.create_dir_all(path)
    }

    fn list(&self, path: &Path) -> io::Result<Vec<DirEntry>> {
        self.inner.list(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.fault.write()?;
        self.inner.rename(from, to)
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        self.inner.remove_file(path)
    }

    fn remove_dir_all(&self, path: &Path) -> io::Result<()> {
        self.inner.remove_dir_all(path)
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        self.fault.sync()?;
        self.inner.sync_dir(path)
    }

    fn exists(&self, path: &Path) -> io::Result<bool> {
        self.inner.exists(path)
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        self.inner.read(path)
    }

    fn replace(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        self.fault.write()?;
        self.fault.sync()?;
        self.inner.replace(path, bytes)
    }
}

impl DiskFile for FaultyFile {
    fn write_at(&self, position: u64, parts: &[&[u8]]) -> io::Result<()> {
        self.fault.write().inspect_err(|_| {
            // A part of the bytes is there, as after a short write.
            let half: Vec<u8> = parts.concat();
            let _ = self.inner.write_at(position, &[&half[..half.len() / 2]]);
        })?;
        self.inner.write_at(position, parts)
    }

    fn read_at(&self, position: u64, into: &mut [u8]) -> io::Result<usize> {
        self.inner.read_at(position, into)
    }

    fn slice(&self, position: u64, length: usize) -> io::Result<Bytes> {
        self.inner.slice(position, length)
    }

    fn length(&self) -> io::Result<u64> {
        self.inner.length()
    }

    fn truncate(&self, length: u64) -> io::Result<()> {
        self.fault.write()?;
        self.inner.truncate(length)
    }

    fn sync(&self) -> io::Result<()> {
        self.fault.sync()
    }

    fn unmap(&self) {}
}

struct Machine {
    disk: Arc<Faulty>,
    fault: Arc<Fault>,
}

impl Machine {
    fn new() -> Self {
        let fault = Arc::new(Fault {
            writes_left: AtomicI64::new(i64::MAX),
            syncs_left: AtomicI64::new(i64::MAX),
            error: Mutex::new(io::ErrorKind::Other),
        });
        let inner = MemoryDisk::default();
        inner.create_dir_all(Path::new("/data")).expect("made");
        Self { disk: Arc::new(Faulty { inner, fault: Arc::clone(&fault) }), fault }
    }

    fn open(&self, config: &LogConfig, clean: bool) -> Log {
        let open = Open { clean, recovery_point: 0, now: NOW };
        let identity: Identity = identity();
        let disk: Arc<dyn Disk> = self.disk.clone();
        Log::open(disk, Path::new("/data/topic-0"), identity, config.clone(), open).expect("opened").0
    }
}

#[test]
fn a_full_disk_refuses_and_heals_wherever_it_happens() {
    // Every number of writes that still fit, so that each step of an append, the first one and a roll are
    // hit.
    for fit in 0..120 {
        let machine = Machine::new();
        let config = small_segments();
        let mut log = machine.open(&config, true);
        let mut written = Vec::new();
        machine.fault.arm(fit, i64::MAX, io::ErrorKind::StorageFull);
        for number in 0..60 {
            let value = format!("value {number}");
            match append(&mut log, &batch(&[&value])) {
                Ok(appended) => {
                    assert_eq!(appended.base_offset, written.len() as i64, "{fit}");
                    written.push(value);
                }
                Err(AppendError::Storage(error)) => assert_eq!(error.kind(), io::ErrorKind::StorageFull),
                Err(other) => panic!("{fit}: {other}"),
            }
            assert_eq!(values(&consume(&log, 0)), written, "reading goes on, {fit}");
            if number == 45 {
                machine.fault.mend();
            }
        }
        assert!(written.len() >= 14, "it healed, {fit}");
        let (clean, end) = (fit % 2 == 0, written.len() as i64);
        if clean {
            assert_eq!(log.close(NOW).expect("closed").recovery_point, end);
        } else {
            drop(log);
        }
        let log = machine.open(&config, clean);
        assert_eq!(values(&consume(&log, 0)), written, "{fit}");
    }
}

#[test]
fn what_a_short_write_left_is_gone_before_the_log_is_closed() {
    let machine = Machine::new();
    let mut log = machine.open(&LogConfig::default(), true);
    append(&mut log, &batch(&["one"])).expect("appended");
    // Neither the write nor taking back what it left succeeds.
    machine.fault.arm(0, i64::MAX, io::ErrorKind::StorageFull);
    assert!(append(&mut log, &batch(&["two"])).is_err());
    machine.fault.mend();
    let size = log.size_bytes();
    log.close(NOW).expect("closed");
    let path = Path::new("/data/topic-0/00000000000000000000.log");
    assert_eq!(machine.disk.read(path).expect("read").len() as u64, size);
}

#[test]
fn a_write_that_fails_for_good_closes_the_log() {
    let machine = Machine::new();
    let mut log = machine.open(&LogConfig::default(), true);
    append(&mut log, &batch(&["one"])).expect("appended");
    machine.fault.arm(0, i64::MAX, io::ErrorKind::Other);
    assert!(matches!(append(&mut log, &batch(&["two"])), Err(AppendError::Storage(_))));
    machine.fault.mend();
    assert!(!log.is_open());
    assert!(matches!(append(&mut log, &batch(&["two"])), Err(AppendError::Closed)));
    assert!(matches!(log.read(0, everything()), Err(ReadError::Closed)));
    assert!(matches!(log.sync(), Err(LogError::Offline)));
    assert!(matches!(log.close(NOW), Err(LogError::Offline)));
    let log = machine.open(&LogConfig::default(), false);
    assert_eq!(values(&consume(&log, 0)), ["one"]);
}

#[test]
fn a_failed_sync_is_never_tried_again() {
    for kind in [io::ErrorKind::Other, io::ErrorKind::StorageFull] {
        let machine = Machine::new();
        let mut log = machine.open(&LogConfig::default(), true);
        append(&mut log, &batch(&["one"])).expect("appended");
        machine.fault.arm(i64::MAX, 0, kind);
        assert!(matches!(log.sync(), Err(LogError::Storage(_))));
        machine.fault.mend();
        assert_eq!(log.recovery_point(), 0);
        assert!(matches!(log.sync(), Err(LogError::Offline)));
        assert!(matches!(append(&mut log, &batch(&["two"])), Err(AppendError::Closed)));
    }
}

#[test]
fn a_log_that_could_not_be_closed_is_recovered() {
    for fit in 0..6 {
        let machine = Machine::new();
        let config = small_segments();
        let mut log = machine.open(&config, true);
        for _ in 0..50 {
            append(&mut log, &batch(&["some value"])).expect("appended");
        }
        machine.fault.arm(fit, i64::MAX, io::ErrorKind::StorageFull);
        assert!(log.close(NOW).is_err(), "{fit}");
        machine.fault.mend();
        let log = machine.open(&config, false);
        assert_eq!(consume(&log, 0).len(), 50, "{fit}");
    }
}

#[test]
fn a_flush_runs_while_the_log_goes_on() {
    let place = Place::real();
    let config = small_segments();
    let mut log = place.fresh(&config);
    append(&mut log, &batch(&["one"])).expect("appended");
    let flush = log.begin_flush().expect("begun");
    assert!(!flush.is_empty());
    for _ in 0..50 {
        append(&mut log, &batch(&["some value"])).expect("appended");
    }
    let result = flush.run();
    log.end_flush(flush, result).expect("synced");
    assert_eq!(log.recovery_point(), 1);
    log.sync().expect("synced");
    assert_eq!(log.recovery_point(), 51);
    assert!(log.begin_flush().expect("begun").is_empty());
}
