//! A crash at every operation of a compaction, and every set of files that one could leave.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use ottla_log::{DirEntry, Disk, DiskFile, Log, MemoryDisk, Open, OpenFile, Volume};

use super::keyed::*;
use super::support::*;

type Image = BTreeMap<String, Vec<u8>>;

/// A disk that keeps what a directory holds after each operation that changes it.
#[derive(Debug)]
struct Recording {
    inner: Arc<MemoryDisk>,
    dir: PathBuf,
    images: Arc<Mutex<Vec<Image>>>,
    names: Arc<Mutex<Vec<NameChange>>>,
}

/// What was done to the names in the directory.
#[derive(Debug, Clone)]
enum NameChange {
    Rename(String, String),
    Remove(String),
    /// All before it are down.
    Sync,
}

impl NameChange {
    fn apply(&self, image: &mut Image) {
        match self {
            Self::Rename(from, to) => {
                if let Some(bytes) = image.remove(from) {
                    image.insert(to.clone(), bytes);
                }
            }
            Self::Remove(name) => {
                image.remove(name);
            }
            Self::Sync => {}
        }
    }
}

fn name_of(path: &Path) -> String {
    path.file_name().and_then(|name| name.to_str()).expect("a name").to_owned()
}

#[derive(Debug)]
struct RecordingFile {
    inner: Arc<dyn DiskFile>,
    recorder: Arc<Recording>,
}

fn image(disk: &dyn Disk, dir: &Path) -> Image {
    let entries = disk.list(dir).unwrap_or_default();
    entries
        .into_iter()
        .map(|entry| (entry.name.clone(), disk.read(&dir.join(&entry.name)).expect("read")))
        .collect()
}

impl Recording {
    fn new(inner: Arc<MemoryDisk>, dir: &Path) -> Self {
        Self { inner, dir: dir.to_owned(), images: Arc::default(), names: Arc::default() }
    }

    fn note(&self, change: NameChange) {
        self.names.lock().expect("lock").push(change);
    }

    fn record<T>(&self, result: io::Result<T>) -> io::Result<T> {
        let now = image(self.inner.as_ref(), &self.dir);
        let mut images = self.images.lock().expect("lock");
        if images.last() != Some(&now) {
            images.push(now);
        }
        result
    }
}

impl Disk for Recording {
    fn open(&self, path: &Path, open: OpenFile) -> io::Result<Arc<dyn DiskFile>> {
        let inner = self.record(self.inner.open(path, open))?;
        let recorder = Arc::new(Self {
            inner: Arc::clone(&self.inner),
            dir: self.dir.clone(),
            images: Arc::clone(&self.images),
            names: Arc::clone(&self.names),
        });
        Ok(Arc::new(RecordingFile { inner, recorder }))
    }

    fn create_dir_all(&self, path: &Path) -> io::Result<()> {
        self.inner.create_dir_all(path)
    }

    fn list(&self, path: &Path) -> io::Result<Vec<DirEntry>> {
        self.inner.list(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.note(NameChange::Rename(name_of(from), name_of(to)));
        self.record(self.inner.rename(from, to))
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        self.note(NameChange::Remove(name_of(path)));
        self.record(self.inner.remove_file(path))
    }

    fn remove_dir_all(&self, path: &Path) -> io::Result<()> {
        self.inner.remove_dir_all(path)
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        self.note(NameChange::Sync);
        self.inner.sync_dir(path)
    }

    fn exists(&self, path: &Path) -> io::Result<bool> {
        self.inner.exists(path)
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        self.inner.read(path)
    }

    fn replace(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        self.record(self.inner.replace(path, bytes))
    }

    fn volume(&self, directory: &Path) -> io::Result<Arc<dyn Volume>> {
        self.inner.volume(directory)
    }
}

impl DiskFile for RecordingFile {
    fn write_at(&self, position: u64, parts: &[&[u8]]) -> io::Result<()> {
        self.recorder.record(self.inner.write_at(position, parts))
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
        self.recorder.record(self.inner.truncate(length))
    }

    fn sync(&self) -> io::Result<()> {
        self.inner.sync()
    }

    fn unmap(&self) {}
}

const DIR: &str = "/data/topic-0";

fn disk_of(image: &Image) -> Arc<MemoryDisk> {
    let disk = MemoryDisk::default();
    disk.create_dir_all(Path::new(DIR)).expect("made");
    for (name, bytes) in image {
        disk.replace(&Path::new(DIR).join(name), bytes).expect("written");
    }
    Arc::new(disk)
}

fn open(disk: Arc<dyn Disk>, end: i64) -> Log {
    let open = Open { clean: false, recovery_point: end, synced: false, now: NOW };
    Log::open(disk, Path::new(DIR), identity(), compacted(), open).expect("opened").0
}

/// The files of segments.
fn segments(image: &Image) -> Image {
    let wanted = |name: &str| [".log", ".index", ".timeindex"].iter().any(|suffix| name.ends_with(suffix));
    image.iter().filter(|(name, _)| wanted(name)).map(|(name, bytes)| (name.clone(), bytes.clone())).collect()
}

/// What is there after recovery, which a second one leaves as it is. The active segment has its indexes in memory.
fn recovered(image: &Image, end: i64) -> Image {
    let disk = disk_of(image);
    let log = open(Arc::clone(&disk) as Arc<dyn Disk>, end);
    assert_eq!(log.end_offset(), end);
    let after = self::image(disk.as_ref(), Path::new(DIR));
    drop(open(Arc::clone(&disk) as Arc<dyn Disk>, end));
    assert_eq!(self::image(disk.as_ref(), Path::new(DIR)), after, "recovery run twice");
    let odd =
        |name: &&String| [".swap", ".cleaned", ".deleted", ".tmp"].iter().any(|end| name.ends_with(end));
    assert_eq!(after.keys().find(odd), None);
    segments(&after)
}

/// What a compaction has done, step by step.
struct Steps {
    images: Vec<Image>,
    /// What the swap and the removal of the old files did to the names.
    swap: Vec<NameChange>,
    end: i64,
    before: Image,
    after: Image,
}

fn steps(seed: u64) -> Steps {
    let disk = Arc::new(MemoryDisk::default());
    disk.create_dir_all(Path::new(DIR)).expect("made");
    let recording = Arc::new(Recording::new(Arc::clone(&disk), Path::new(DIR)));
    let images = Arc::clone(&recording.images);
    let names = Arc::clone(&recording.names);
    let mut log = open(recording, 0);
    // Segments that were compacted before and are joined now, and full ones that are not.
    append_random(&mut log, &mut Seeded(seed), 120);
    let cleaned_to = clean_up(&mut log, NOW, 0);
    append_random(&mut log, &mut Seeded(seed + 100), 60);
    log.sync().expect("synced");
    let end = log.end_offset();
    images.lock().expect("lock").clear();
    let before = recovered(&image(disk.as_ref(), Path::new(DIR)), end);
    let folded = fold(&log);
    let cleaned = run(&log, NOW, cleaned_to, &limits()).expect("dirty");
    // The run ends with a sync of the names that it has made.
    assert!(matches!(names.lock().expect("lock").pop(), Some(NameChange::Sync)));
    names.lock().expect("lock").clear();
    let report = log.finish_clean(cleaned).expect("finished");
    assert!(report.segments_made > 2 && report.segments_replaced > report.segments_made, "{report:?}");
    assert_eq!(fold(&log), folded);
    report.deleted.remove().expect("removed");
    log.sync().expect("synced");
    let after = recovered(&image(disk.as_ref(), Path::new(DIR)), end);
    assert_ne!(before, after);
    let images = std::mem::take(&mut *images.lock().expect("lock"));
    let swap = std::mem::take(&mut *names.lock().expect("lock"));
    Steps { images, swap, end, before, after }
}

#[test]
fn a_crash_at_every_operation_leaves_the_log_before_or_after() {
    let mut seen = [0, 0];
    for seed in 0..2 {
        let steps = steps(seed);
        let mut is_after = false;
        for (step, image) in steps.images.iter().enumerate() {
            let found = recovered(image, steps.end);
            assert!(
                found == steps.before || found == steps.after,
                "seed {seed}, step {step}: {:?}",
                image.keys()
            );
            assert!(!is_after || found == steps.after, "seed {seed}, step {step}: it went back");
            is_after = found == steps.after;
            seen[usize::from(is_after)] += 1;
        }
        assert!(is_after);
    }
    assert!(seen[0] > 20 && seen[1] > 20, "{seen:?}");
}

#[test]
fn a_crash_during_the_recovery_of_a_crash_is_harmless() {
    let steps = steps(7);
    for image in steps.images.iter().step_by(5) {
        let disk = disk_of(image);
        let recording = Arc::new(Recording::new(Arc::clone(&disk), Path::new(DIR)));
        let images = Arc::clone(&recording.images);
        drop(open(recording, steps.end));
        let end_state = segments(&self::image(disk.as_ref(), Path::new(DIR)));
        for (step, image) in images.lock().expect("lock").iter().enumerate() {
            assert_eq!(recovered(image, steps.end), end_state, "step {step}");
        }
    }
}

/// Between two syncs of the directory, the disk may make any of the changes of its names durable and lose others.
#[test]
fn renames_that_were_lost_in_any_order() {
    let steps = steps(3);
    let written = |image: &&Image| image.keys().all(|name| !name.ends_with(".swap"));
    let written = steps.images.iter().take_while(written).last().expect("one");
    let (count, seen) = lose_names(written, &steps.swap, 30, &steps);
    assert!(count > 60 && seen.len() == 2, "{count} disks, {} kinds", seen.len());
}

/// A crash anywhere in a swap, and another one while it is recovered.
#[test]
fn renames_that_recovery_has_lost_in_any_order() {
    let steps = steps(3);
    for image in
        steps.images.iter().filter(|image| image.keys().any(|name| name.ends_with(".swap"))).step_by(7)
    {
        let recording = Arc::new(Recording::new(disk_of(image), Path::new(DIR)));
        let names = Arc::clone(&recording.names);
        drop(open(recording, steps.end));
        let changes = names.lock().expect("lock").clone();
        lose_names(image, &changes, 6, &steps);
    }
}

/// Makes disks that have all changes up to some sync and some of those up to the next one, and recovers them. Each
/// compacted segment is there or is not. Returns how many disks there were, and whether both ends were among them.
fn lose_names(start: &Image, changes: &[NameChange], choices: u64, steps: &Steps) -> (usize, BTreeSet<bool>) {
    let folded = fold(&open(disk_of(&steps.before), steps.end));
    let mut seeded = Seeded(99);
    let (mut image, mut count, mut seen) = (start.clone(), 0, BTreeSet::new());
    for window in changes.split_inclusive(|change| matches!(change, NameChange::Sync)) {
        for _ in 0..choices {
            let mut left = image.clone();
            window.iter().filter(|_| seeded.below(2) == 0).for_each(|change| change.apply(&mut left));
            let found = recovered(&left, steps.end);
            let log = open(disk_of(&found), steps.end);
            assert!(offsets(&log).is_sorted_by(|one, next| one < next), "{:?}", left.keys());
            assert_eq!(fold(&log), folded, "{:?}", left.keys());
            if found == steps.before || found == steps.after {
                seen.insert(found == steps.after);
            }
            count += 1;
        }
        window.iter().for_each(|change| change.apply(&mut image));
    }
    (count, seen)
}

/// Files that no crash leaves together, on a whole log.
#[test]
fn every_subset_of_strange_leftovers() {
    let steps = steps(5);
    let full = steps.images.iter().find(|image| image.keys().any(|name| name.ends_with(".log.cleaned")));
    let base = "00000000000000000000";
    let log = &steps.after[&format!("{base}.log")];
    let index = &steps.after[&format!("{base}.index")];
    let times = &steps.after[&format!("{base}.timeindex")];
    let mut strange: Vec<(String, &Vec<u8>)> = Vec::new();
    for suffix in ["cleaned", "swap", "deleted"] {
        strange.push((format!("{base}.log.{suffix}"), log));
        strange.push((format!("{base}.index.{suffix}"), index));
        strange.push((format!("{base}.timeindex.{suffix}"), times));
    }
    let mut start = steps.images[0].clone();
    start.retain(|name, _| !name.ends_with(".cleaned"));
    assert!(full.is_some());
    for set in 0..1u32 << strange.len() {
        let mut image = start.clone();
        for (place, (name, bytes)) in strange.iter().enumerate() {
            if set >> place & 1 == 1 {
                image.insert(name.clone(), (*bytes).clone());
            }
        }
        let found = recovered(&image, steps.end);
        let swapped = set & 0b111 == 0 && set >> 3 & 1 == 1;
        let first = found[&format!("{base}.log")] == *log;
        assert_eq!(first, swapped, "set {set:b}");
        if !swapped {
            assert_eq!(found, steps.before, "set {set:b}");
        }
    }
}

#[test]
fn a_damaged_swap_gives_way_to_what_it_was_to_replace() {
    let steps = steps(5);
    let base = "00000000000000000000";
    let mut image = steps.images[0].clone();
    image.retain(|name, _| !name.ends_with(".cleaned"));
    let log = &steps.after[&format!("{base}.log")];
    image.insert(format!("{base}.log.swap"), log[..log.len() - 1].to_vec());
    image.insert(format!("{base}.index.swap"), vec![0; 8]);
    assert_eq!(recovered(&image, steps.end), steps.before);
}
