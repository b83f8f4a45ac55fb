//! What brokers leave behind, kept until the run is over.
//!
//! For minutes after a file was deleted ext4 does not give its inode out again, and looks at all of those in a row for
//! each file that is made (`recently_deleted` in its `ialloc.c`). After a broker of 10,000 partitions, whose files are
//! deleted, the next one took seven times as long to make as many. So files are emptied when their broker has ended,
//! which gives back their bytes, and deleted at the end.

use std::fs::{self, OpenOptions};
use std::path::Path;

use ottla_tests::problem::{Doing, Problem};
use tempfile::TempDir;

/// Directories of brokers that have ended; dropping it deletes them.
#[derive(Debug, Default)]
pub(crate) struct Spent(Vec<TempDir>);

impl Spent {
    /// Empties the files of a broker that has ended, and keeps them.
    pub(crate) fn keep(&mut self, directory: TempDir) -> Result<(), Problem> {
        empty_files(directory.path())?;
        self.0.push(directory);
        Ok(())
    }
}

fn empty_files(directory: &Path) -> Result<(), Problem> {
    for entry in fs::read_dir(directory).doing(format_args!("list {}", directory.display()))? {
        let entry = entry.doing("list a directory")?;
        let (path, kind) = (entry.path(), entry.file_type().doing("look at a file")?);
        if kind.is_dir() {
            empty_files(&path)?;
        } else if kind.is_file() {
            let emptied = OpenOptions::new().write(true).truncate(true).open(&path);
            emptied.doing(format_args!("empty {}", path.display()))?;
        }
    }
    Ok(())
}
