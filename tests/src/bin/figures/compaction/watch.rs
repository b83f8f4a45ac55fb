//! Watches the directory of a partition from outside while its log is compacted.

use std::path::Path;
use std::time::{Duration, Instant};

use ottla_tests::broker::Broker;
use ottla_tests::problem::{Doing, Problem};

/// The pause between two looks.
const INTERVAL: Duration = Duration::from_millis(10);

/// For how long the files of a log must stay as they are before its compaction counts as done.
const SETTLED: Duration = Duration::from_secs(3);

/// A compaction that has not ended by then is stuck.
const LIMIT: Duration = Duration::from_secs(600);

/// The files of a log at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Files {
    /// Segments that serve: their names and sizes, in order.
    segments: Vec<(String, u64)>,
    /// Whether a file is there that a compactor has made and not put into its place yet.
    unfinished: bool,
}

impl Files {
    pub(super) fn of(directory: &Path) -> Result<Self, Problem> {
        let mut files = Self::default();
        for entry in std::fs::read_dir(directory).doing(format_args!("list {}", directory.display()))? {
            let entry = entry.doing("list a directory")?;
            let name = entry.file_name().to_string_lossy().into_owned();
            files.unfinished |= name.ends_with(".cleaned") || name.ends_with(".swap");
            // A file may be renamed at any time.
            if let (true, Ok(metadata)) = (name.ends_with(".log"), entry.metadata()) {
                files.segments.push((name, metadata.len()));
            }
        }
        files.segments.sort();
        Ok(files)
    }

    pub(super) fn bytes(&self) -> u64 {
        self.segments.iter().map(|(_, bytes)| bytes).sum()
    }

    pub(super) fn count(&self) -> usize {
        self.segments.len()
    }
}

/// What was seen of a compaction.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    /// When the first file of the compactor was seen. It has read the keys by then.
    pub(super) first_file: Option<Instant>,
    /// When the last segment changed.
    pub(super) end: Instant,
    /// The log afterwards.
    pub(super) after: Files,
}

/// Waits for the one compaction of a log, which makes it smaller, and for `on_end` calls back as soon as its files look
/// done; should they change again, it does so again.
pub(super) fn watch_compaction(
    broker: &mut Broker,
    directory: &Path,
    mut on_end: impl FnMut(Instant) -> Result<(), Problem>,
) -> Result<Seen, Problem> {
    let before = Files::of(directory)?;
    let deadline = Instant::now() + LIMIT;
    let (mut last, mut end) = (before.clone(), Instant::now());
    let (mut first_file, mut told) = (None, None);
    loop {
        broker.idle(INTERVAL)?;
        let now = Instant::now();
        let files = Files::of(directory)?;
        if files.unfinished {
            first_file.get_or_insert(now);
        }
        if files != last {
            (last, end) = (files, now);
        }
        let looks_done = !last.unfinished && last.bytes() < before.bytes();
        if looks_done && told != Some(end) {
            on_end(end)?;
            told = Some(end);
        }
        if looks_done && now.duration_since(end) > SETTLED {
            return Ok(Seen { first_file, end, after: last });
        }
        if now > deadline {
            return Err(Problem::new(format!("the log was not compacted within {LIMIT:?}")));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_segments_that_serve_count() {
        let directory = tempfile::tempdir().unwrap();
        let write = |name: &str| std::fs::write(directory.path().join(name), "12345").unwrap();
        ["1.log", "1.index", "2.log", "0.log.deleted"].into_iter().for_each(write);
        let files = Files::of(directory.path()).unwrap();
        assert_eq!((files.bytes(), files.count(), files.unfinished), (10, 2, false));
        write("2.log.cleaned");
        assert!(Files::of(directory.path()).unwrap().unfinished);
    }
}
