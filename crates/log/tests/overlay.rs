//! A log that is opened through an overlay is what opening it for good would make of it, and nothing on disk changes.

#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "a test may fail")]

mod support;

use std::io;
use std::path::Path;
use std::sync::Arc;

use ottla_log::{Disk, Log, LogConfig, Open, OpenFile, OverlayDisk, RealDisk};
use support::*;

fn config() -> LogConfig {
    LogConfig { segment_bytes: 700, index_interval_bytes: 100, ..LogConfig::default() }
}

fn open(disk: Arc<dyn Disk>, place: &Place, clean: bool) -> Log {
    let open = Open { clean, recovery_point: 3, synced: false, now: NOW };
    Log::open(disk, &place.dir(), identity(), config(), open).expect("opened").0
}

/// A log of several segments; without a clean end unless it was closed.
fn written(is_closed: bool) -> Place {
    let place = Place::real();
    let mut log = place.fresh(&config());
    for number in 0..30 {
        append(&mut log, &batch(&[&format!("value {number}")])).expect("appended");
    }
    if is_closed {
        log.close(NOW).expect("closed");
    } else {
        log.sync().expect("synced");
    }
    place
}

/// What there is, and what more is done to it.
fn used(mut log: Log) -> Vec<(i64, String)> {
    let before = log.end_offset();
    for number in 0..20 {
        append(&mut log, &batch(&[&format!("next {number}")])).expect("appended");
    }
    assert_eq!(log.end_offset(), before + 20);
    let records = consume(&log, 0);
    let found = records.iter().map(|record| record.offset).zip(values(&records)).collect();
    log.close(NOW).expect("closed");
    found
}

#[test]
fn whatever_is_recovered_and_written_the_files_stay_as_they_are() {
    for (is_closed, damage) in [(true, ""), (false, ""), (false, "torn"), (false, "swap"), (false, "indexes")]
    {
        let place = written(is_closed);
        let names: Vec<String> = place.files().into_iter().map(|(name, _)| name).collect();
        let last = names.iter().rfind(|name| name.ends_with(".log")).expect("a segment");
        let first = "00000000000000000000.log";
        match damage {
            "torn" => place.write(last, &place.read(last)[..place.read(last).len() - 5]),
            "swap" => {
                place.write(&format!("{first}.swap"), &place.read(first));
                place.remove(first);
                place.write(&format!("{last}.cleaned"), b"left behind");
            }
            "indexes" => {
                names.iter().filter(|name| name.ends_with("index")).for_each(|name| place.remove(name));
            }
            _ => {}
        }
        let before = place.files();
        let overlay: Arc<dyn Disk> = Arc::new(OverlayDisk::default());
        let through = used(open(Arc::clone(&overlay), &place, is_closed));
        // What was written through it is there through it, and nowhere else.
        let again = consume(&open(overlay, &place, true), 0).len();
        assert_eq!(again, through.len(), "{damage}");
        assert!(place.files() == before, "{damage}: a file changed");
        assert_eq!(used(open(Arc::new(RealDisk), &place, is_closed)), through, "{damage}");
        assert!(place.files() != before, "{damage}");
    }
}

#[test]
fn files_behave_as_on_any_disk() {
    let dir = tempfile::tempdir().expect("temporary directory");
    let path = |name: &str| dir.path().join(name);
    std::fs::write(path("a"), b"0123456789").expect("written");
    std::fs::create_dir(path("folder")).expect("made");
    let disk = OverlayDisk::default();
    let file = |path: &Path| disk.open(path, OpenFile { create: false, capacity: 100 });
    let kind = |result: io::Result<()>| result.expect_err("refused").kind();

    let a = file(&path("a")).expect("opened");
    assert_eq!(a.slice(2, 3).expect("slice"), b"234"[..]);
    a.truncate(4).expect("cut");
    a.write_at(6, &[b"ab", b"cd"]).expect("written");
    assert_eq!(disk.read(&path("a")).expect("read"), b"0123\0\0abcd");
    for (from, length) in [(0, 4), (2, 6), (5, 5), (6, 4)] {
        let end = from + length;
        let bytes = b"0123\0\0abcd"[from..end].to_vec();
        assert_eq!(a.slice(from as u64, length).expect("slice"), bytes);
        let mut into = vec![9; length + 3];
        let read = a.read_at(from as u64, &mut into).expect("read");
        assert_eq!((read, &into[..length.min(10 - from)]), ((10 - from).min(length + 3), &bytes[..]));
    }
    assert_eq!(kind(a.slice(8, 3).map(drop)), io::ErrorKind::UnexpectedEof);

    disk.rename(&path("a"), &path("b")).expect("renamed");
    assert_eq!(kind(file(&path("a")).map(drop)), io::ErrorKind::NotFound);
    a.write_at(10, &[b"!"]).expect("written");
    assert_eq!(disk.read(&path("b")).expect("read"), b"0123\0\0abcd!");
    assert!(!disk.exists(&path("a")).expect("looked"));
    disk.replace(&path("c"), b"small").expect("replaced");
    disk.create_dir_all(&path("new")).expect("made");
    let mut listed = disk.list(dir.path()).expect("listed");
    listed.sort_by(|one, other| one.name.cmp(&other.name));
    let listed: Vec<_> = listed.iter().map(|entry| (&*entry.name, entry.is_dir, entry.length)).collect();
    assert_eq!(listed, [("b", false, 11), ("c", false, 5), ("folder", true, 0), ("new", true, 0)]);
    disk.remove_file(&path("b")).expect("removed");
    assert_eq!(kind(disk.remove_file(&path("b"))), io::ErrorKind::NotFound);
    for refused in [disk.remove_dir_all(&path("folder")), disk.rename(&path("folder"), &path("other"))] {
        assert_eq!(kind(refused), io::ErrorKind::Unsupported);
    }
    assert_eq!(std::fs::read(path("a")).expect("read"), b"0123456789");
    assert_eq!(std::fs::read_dir(dir.path()).expect("listed").count(), 2);
}
