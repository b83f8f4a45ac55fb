//! The files that the rules look at.

use std::process::Command;

use ottla_tests::workspace::root;

/// A text file of the repository.
pub(crate) struct SourceFile {
    /// Its path from the top of the repository.
    pub(crate) path: String,
    pub(crate) text: String,
}

impl SourceFile {
    pub(crate) fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }

    /// The lines before the file's unit tests, or all lines when it has none.
    pub(crate) fn lines_before_tests(&self) -> impl Iterator<Item = &str> {
        self.text.lines().take_while(|line| !line.starts_with("#[cfg(test)]"))
    }

    /// The lines that only tests run, each with its number: all lines of a file under a `tests` directory, else those
    /// from `#[cfg(test)]` on.
    pub(crate) fn test_lines(&self) -> impl Iterator<Item = (usize, &str)> {
        let all = self.path.split('/').any(|part| part == "tests");
        let first = if all { 0 } else { self.lines_before_tests().count() };
        self.text.lines().enumerate().skip(first).map(|(index, line)| (index + 1, line))
    }
}

/// Every text file that git tracks or would track. Files that are not UTF-8 are no text.
pub(crate) fn repository_files() -> Vec<SourceFile> {
    let arguments = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
    let output = Command::new("git").args(arguments).current_dir(root()).output().unwrap();
    assert!(output.status.success(), "git ls-files failed: {}", String::from_utf8_lossy(&output.stderr));
    let paths = String::from_utf8(output.stdout).unwrap();
    let read = |path: &str| {
        let text = std::fs::read_to_string(root().join(path)).ok()?;
        Some(SourceFile { path: path.to_owned(), text })
    };
    let files: Vec<SourceFile> = paths.split_terminator('\0').filter_map(read).collect();
    assert!(files.iter().any(|file| file.path == "Cargo.toml"), "git lists no Cargo.toml at the top");
    files
}

/// A file that does not exist, for the tests of the rules.
#[cfg(test)]
pub(crate) fn made_up(path: &str, text: &str) -> SourceFile {
    SourceFile { path: path.to_owned(), text: text.to_owned() }
}
