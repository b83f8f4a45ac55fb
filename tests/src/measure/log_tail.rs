//! What a broker writes to its log from some moment on.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use crate::problem::{Doing, Problem};

/// A place in a log.
#[derive(Debug, Clone)]
pub struct LogTail {
    file: PathBuf,
    position: u64,
}

impl LogTail {
    /// The end that the log has now.
    ///
    /// # Errors
    /// There is no such file.
    pub fn begin(file: &Path) -> Result<Self, Problem> {
        let length = std::fs::metadata(file).doing(format_args!("look at {}", file.display()))?.len();
        Ok(Self { file: file.to_owned(), position: length })
    }

    /// The lines since then that hold one of these texts.
    ///
    /// # Errors
    /// The log can not be read.
    pub fn lines_with(&self, texts: &[&str]) -> Result<Vec<String>, Problem> {
        let mut file = File::open(&self.file).doing(format_args!("open {}", self.file.display()))?;
        file.seek(SeekFrom::Start(self.position)).doing("seek in a log")?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).doing("read a log")?;
        let text = String::from_utf8_lossy(&bytes);
        let lines = text.lines().filter(|line| texts.iter().any(|text| line.contains(text)));
        Ok(lines.map(|line| line.trim().to_owned()).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_new_lines_are_read() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("log");
        std::fs::write(&file, "one old\n").unwrap();
        let tail = LogTail::begin(&file).unwrap();
        std::fs::write(&file, "one old\n one new\ntwo new\n").unwrap();
        assert_eq!(tail.lines_with(&["one"]).unwrap(), ["one new"]);
    }
}
