//! Checkpoint files: an offset of every partition, in Apache Kafka's format (`OffsetCheckpointFile`).
//!
//! `recovery-point-offset-checkpoint` says below which offset a log is on disk, so that a start after a crash reads
//! only what lies above. `log-start-offset-checkpoint` says where a log begins when DeleteRecords or retention moved
//! that. `cleaner-offset-checkpoint` says how far it is compacted.
//!
//! They name partitions by their topic's name. So a topic that is deleted leaves them before it is gone: one that is
//! made later under its name must not inherit them.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use ottla_log::Disk;
use ottla_model::{Offset, PartitionIndex, TopicName};
use tracing::warn;

/// Where recovery starts.
const RECOVERY_POINTS: &str = "recovery-point-offset-checkpoint";
/// How far logs are compacted.
const CLEANED: &str = "cleaner-offset-checkpoint";
/// Where logs start.
const LOG_STARTS: &str = "log-start-offset-checkpoint";

/// Version of the format, its first line.
const VERSION: &str = "0";

/// A partition.
pub(super) type Named = (TopicName, PartitionIndex);
/// Offsets by partition.
pub(super) type Offsets = BTreeMap<Named, Offset>;

/// What the files hold.
#[derive(Debug, Default)]
pub(crate) struct Checkpoints {
    recovery_points: Offsets,
    log_starts: Offsets,
    cleaned: Offsets,
}

impl Checkpoints {
    /// Reads all files.
    pub(crate) fn read(disk: &dyn Disk, directory: &Path) -> Self {
        let recovery_points = read(disk, &directory.join(RECOVERY_POINTS));
        let log_starts = read(disk, &directory.join(LOG_STARTS));
        Self { recovery_points, log_starts, cleaned: read(disk, &directory.join(CLEANED)) }
    }

    /// Below this the log was on disk when the file was written.
    pub(crate) fn recovery_point(&self, topic: &TopicName, partition: PartitionIndex) -> Offset {
        self.recovery_points.get(&(topic.clone(), partition)).copied().unwrap_or(0)
    }

    /// The log starts here or later.
    pub(crate) fn log_start(&self, topic: &TopicName, partition: PartitionIndex) -> Offset {
        self.log_starts.get(&(topic.clone(), partition)).copied().unwrap_or(0)
    }

    /// Writes the recovery points if they have changed.
    pub(super) fn set_recovery_points(
        &mut self,
        disk: &dyn Disk,
        directory: &Path,
        points: Offsets,
    ) -> io::Result<()> {
        if self.recovery_points != points {
            write(disk, &directory.join(RECOVERY_POINTS), &points)?;
            self.recovery_points = points;
        }
        Ok(())
    }

    /// Adds recovery points to those that are known.
    pub(super) fn add_recovery_points(
        &mut self,
        disk: &dyn Disk,
        directory: &Path,
        points: impl IntoIterator<Item = (Named, Offset)>,
    ) -> io::Result<()> {
        let mut all = self.recovery_points.clone();
        all.extend(points);
        self.set_recovery_points(disk, directory, all)
    }

    /// The log is compacted up to here.
    pub(super) fn cleaned_to(&self, topic: &TopicName, partition: PartitionIndex) -> Offset {
        self.cleaned.get(&(topic.clone(), partition)).copied().unwrap_or(0)
    }

    /// Writes how far one log is compacted.
    pub(super) fn set_cleaned_to(
        &mut self,
        disk: &dyn Disk,
        directory: &Path,
        partition: Named,
        cleaned_to: Offset,
    ) -> io::Result<()> {
        self.cleaned.insert(partition, cleaned_to);
        write(disk, &directory.join(CLEANED), &self.cleaned)
    }

    /// Writes the start of some logs.
    pub(super) fn set_log_starts(
        &mut self,
        disk: &dyn Disk,
        directory: &Path,
        moved: impl IntoIterator<Item = (Named, Offset)>,
    ) -> io::Result<()> {
        let mut starts = self.log_starts.clone();
        starts.extend(moved);
        write(disk, &directory.join(LOG_STARTS), &starts)?;
        self.log_starts = starts;
        Ok(())
    }

    /// Takes a topic out of all files.
    pub(super) fn forget(&mut self, disk: &dyn Disk, directory: &Path, topic: &TopicName) -> io::Result<()> {
        self.keep(disk, directory, |known| known != topic)
    }

    /// Takes topics out of all files but those that are to be kept.
    pub(super) fn keep(
        &mut self,
        disk: &dyn Disk,
        directory: &Path,
        is_kept: impl Fn(&TopicName) -> bool,
    ) -> io::Result<()> {
        let files = [
            (RECOVERY_POINTS, &mut self.recovery_points),
            (LOG_STARTS, &mut self.log_starts),
            (CLEANED, &mut self.cleaned),
        ];
        for (name, offsets) in files {
            let before = offsets.len();
            offsets.retain(|(topic, _), _| is_kept(topic));
            if offsets.len() != before {
                write(disk, &directory.join(name), offsets)?;
            }
        }
        Ok(())
    }
}

/// Reads a checkpoint. One that is missing or damaged counts as empty, which costs time and loses nothing for recovery
/// points; every line is checked, and the count, so that half a file is not believed.
fn read(disk: &dyn Disk, path: &Path) -> Offsets {
    match disk.read(path) {
        Ok(bytes) => parse(&bytes).unwrap_or_else(|| {
            warn!(file = %path.display(), "a damaged checkpoint is not believed");
            Offsets::new()
        }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Offsets::new(),
        Err(error) => {
            warn!(file = %path.display(), %error, "cannot read a checkpoint");
            Offsets::new()
        }
    }
}

/// Replaces a checkpoint. It is on disk when this returns.
fn write(disk: &dyn Disk, path: &Path, offsets: &Offsets) -> io::Result<()> {
    let mut text = format!("{VERSION}\n{}\n", offsets.len());
    for ((topic, partition), offset) in offsets {
        text.push_str(&format!("{topic} {partition} {offset}\n"));
    }
    disk.replace(path, text.as_bytes())
}

fn parse(bytes: &[u8]) -> Option<Offsets> {
    // Without the last line's end its number may be a part of one.
    let mut lines = std::str::from_utf8(bytes).ok()?.strip_suffix('\n')?.lines();
    if lines.next()? != VERSION {
        return None;
    }
    let count: usize = lines.next()?.parse().ok()?;
    let mut offsets = Offsets::new();
    for line in lines {
        let mut words = line.split(' ');
        let topic = TopicName::new(words.next()?).ok()?;
        let partition = words.next()?.parse().ok().filter(|partition| *partition >= 0)?;
        let offset = words.next()?.parse().ok().filter(|offset| *offset >= 0)?;
        if words.next().is_some() {
            return None;
        }
        offsets.insert((topic, partition), offset);
    }
    (offsets.len() == count).then_some(offsets)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ottla_log::MemoryDisk;

    #[test]
    fn a_checkpoint_reads_back_and_half_of_one_does_not_count() {
        let disk = MemoryDisk::default();
        let path = Path::new("/data/checkpoint");
        disk.create_dir_all(Path::new("/data")).expect("made");
        assert_eq!(read(&disk, path), Offsets::new());
        let topic = |name| TopicName::new(name).expect("legal");
        let offsets =
            Offsets::from([((topic("a"), 0), 7), ((topic("a"), 1), 0), ((topic("b.c"), 12), i64::MAX)]);
        write(&disk, path, &offsets).expect("written");
        assert_eq!(read(&disk, path), offsets);
        let bytes = disk.read(path).expect("read");
        assert_eq!(bytes, b"0\n3\na 0 7\na 1 0\nb.c 12 9223372036854775807\n");
        for cut in 0..bytes.len() {
            assert_eq!(parse(&bytes[..cut]), None, "{cut}");
        }
    }
}
