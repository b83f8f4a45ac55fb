//! Makes the page cache the same for every start.

use std::fs::File;
use std::path::Path;

use rustix::fs::{Advice, fadvise};

use crate::problem::{Doing, Problem};

/// What of a directory's files is in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Warmth {
    /// All of it.
    Warm,
    /// Nothing of it.
    Cold,
}

/// Reads all files below a directory, or has the kernel forget them.
///
/// # Errors
/// A file can not be read or synced.
pub fn prepare_cache(directory: &Path, warmth: Warmth) -> Result<(), Problem> {
    each_file(directory, &mut |path| {
        let mut file = File::open(path).doing(format_args!("open {}", path.display()))?;
        match warmth {
            Warmth::Warm => std::io::copy(&mut file, &mut std::io::sink()).doing("read a file").map(drop),
            Warmth::Cold => {
                // Pages that are not on disk yet stay.
                file.sync_all().doing("sync a file")?;
                fadvise(&file, 0, None, Advice::DontNeed).doing("drop a file's pages")
            }
        }
    })
}

/// Copies all files below a directory to another, which must not exist.
///
/// # Errors
/// A file can not be copied.
pub fn copy_directory(from: &Path, to: &Path) -> Result<(), Problem> {
    std::fs::create_dir(to).doing(format_args!("create {}", to.display()))?;
    for entry in std::fs::read_dir(from).doing(format_args!("list {}", from.display()))? {
        let entry = entry.doing("list a directory")?;
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        if source.is_dir() {
            copy_directory(&source, &target)?;
        } else {
            std::fs::copy(&source, &target).doing(format_args!("copy {}", source.display()))?;
        }
    }
    Ok(())
}

fn each_file(directory: &Path, act: &mut impl FnMut(&Path) -> Result<(), Problem>) -> Result<(), Problem> {
    for entry in std::fs::read_dir(directory).doing(format_args!("list {}", directory.display()))? {
        let path = entry.doing("list a directory")?.path();
        if path.is_dir() {
            each_file(&path, act)?;
        } else {
            act(&path)?;
        }
    }
    Ok(())
}
