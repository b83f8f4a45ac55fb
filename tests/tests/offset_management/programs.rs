//! The programs of the page.

use std::path::PathBuf;

use ottla_tests::problem::{Doing, Problem};
use ottla_tests::toolchain::Toolchain;
use ottla_tests::workspace::root;

/// Where they are, from the page.
pub(crate) const DIRECTORY: &str = "examples/offset-management";

/// What begins the line in a program that names the settings it needs.
const SETTINGS_LINE: &str = "For ottla serve ";

/// Settings of a broker, by name.
pub(crate) type Settings = Vec<(String, String)>;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Language {
    Java,
    Python,
    /// Commands of `ottla`.
    Shell,
}

impl Language {
    pub(crate) const ALL: [Self; 3] = [Self::Java, Self::Python, Self::Shell];

    /// The name of its directory, which is also that of its code blocks.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Java => "java",
            Self::Python => "python",
            Self::Shell => "sh",
        }
    }

    /// What its programs need, which for the commands is what runs before them.
    pub(crate) fn toolchain(self) -> Toolchain {
        match self {
            Self::Java => Toolchain::Java,
            Self::Python | Self::Shell => Toolchain::Python,
        }
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Program {
    pub(crate) language: Language,
    pub(crate) file: String,
    pub(crate) text: String,
}

impl Program {
    pub(crate) fn at(language: Language, file: &str) -> Result<Self, Problem> {
        let path = directory(language).join(file);
        let text = std::fs::read_to_string(&path).doing(format_args!("read {}", path.display()))?;
        Ok(Self { language, file: file.to_owned(), text })
    }

    pub(crate) fn name(&self) -> String {
        format!("{}::{}", self.language.name(), self.file)
    }

    pub(crate) fn path(&self) -> PathBuf {
        directory(self.language).join(&self.file)
    }

    /// How the page links it.
    pub(crate) fn link(&self) -> String {
        format!("{DIRECTORY}/{}/{}", self.language.name(), self.file)
    }

    /// The file's name without its ending, which is the name of a Java program's class.
    pub(crate) fn stem(&self) -> &str {
        self.file.split('.').next().unwrap_or_default()
    }

    /// The settings that its broker needs, from the line that tells them to readers.
    pub(crate) fn settings(&self) -> Settings {
        let line = self.text.lines().find_map(|line| line.split_once(SETTINGS_LINE));
        let words = line.map(|(_, command)| command.split_whitespace()).into_iter().flatten();
        let settings = words.filter_map(|word| word.split_once('='));
        settings.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }
}

pub(crate) fn directory(language: Language) -> PathBuf {
    root().join("docs").join(DIRECTORY).join(language.name())
}

/// The programs in both languages. Those with settings of their own are first: they are the ones that take longest.
pub(crate) fn list() -> Result<Vec<Program>, Problem> {
    let mut programs = list_of(Language::Java)?;
    programs.extend(list_of(Language::Python)?);
    programs.sort_by_key(|program| std::cmp::Reverse(program.settings()));
    Ok(programs)
}

pub(crate) fn list_of(language: Language) -> Result<Vec<Program>, Problem> {
    let entries = std::fs::read_dir(directory(language)).doing("list the programs")?;
    let mut files = Vec::new();
    for entry in entries {
        files.push(entry.doing("list the programs")?.file_name().to_string_lossy().into_owned());
    }
    files.sort();
    files.iter().map(|file| Program::at(language, file)).collect()
}

/// Java programs that name the class of another one. They are compiled together here, and one by one for readers.
pub(crate) fn that_need_another() -> Result<Vec<String>, Problem> {
    let programs = list_of(Language::Java)?;
    let names = |program: &Program, other: &Program| {
        program.file != other.file && program.text.contains(&format!("{}.", other.stem()))
    };
    let pairs = programs.iter().flat_map(|program| programs.iter().map(move |other| (program, other)));
    let wrong = pairs.filter(|(program, other)| names(program, other));
    Ok(wrong.map(|(program, other)| format!("{} names {}", program.file, other.stem())).collect())
}
