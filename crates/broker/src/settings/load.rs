//! Where settings come from: `-c`, then the environment, then the file, then the default.

use std::path::{Path, PathBuf};

use super::broker::Settings;
use super::properties::properties;
use super::table::{base_row, nearest};
use super::value::SettingError;
use super::{groups, listeners, plug_ins, together};

/// All that may set something, strongest first: pairs, environment, file.
#[derive(Debug, Default)]
pub struct Sources {
    /// `KEY=VALUE` from the command line. An unknown key is an error.
    pub pairs: Vec<String>,
    /// Environment variables, of which those that begin with `KAFKA_` count, as in Apache Kafka's image.
    pub environment: Vec<(String, String)>,
    /// A Java properties file. An unknown key is a warning.
    pub file: Option<PathBuf>,
}

/// Settings, and what a person should be told about how they came to be.
#[derive(Debug, Default)]
pub struct Loaded {
    /// The settings.
    pub settings: Settings,
    /// One sentence each.
    pub warnings: Vec<String>,
    /// Names that were given and have no effect here.
    pub without_effect: Vec<String>,
}

/// Why settings could not be loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The file cannot be read as text.
    #[error("cannot read the settings file {path}: {reason}")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        reason: String,
    },
    /// A line of the file is wrong.
    #[error("{path}, line {line}: {error}")]
    Line {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// What is wrong.
        error: SettingError,
    },
    /// A pair or an environment variable is wrong.
    #[error(transparent)]
    Setting(#[from] SettingError),
}

/// Largest settings file; a real one has a few kilobytes.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// Variables of Apache Kafka's start scripts, which are no settings.
const SCRIPT_VARIABLES: &[&str] = &[
    "KAFKA_CLUSTER_ID",
    "KAFKA_DEBUG",
    "KAFKA_GC_LOG_OPTS",
    "KAFKA_HEAP_OPTS",
    "KAFKA_HOME",
    "KAFKA_JMX_HOSTNAME",
    "KAFKA_JMX_OPTS",
    "KAFKA_JMX_PORT",
    "KAFKA_JVM_PERFORMANCE_OPTS",
    "KAFKA_LOG4J_LOGGERS",
    "KAFKA_LOG4J_OPTS",
    "KAFKA_LOG4J_ROOT_LOGLEVEL",
    "KAFKA_OPTS",
    "KAFKA_TOOLS_LOG4J_LOGLEVEL",
    "KAFKA_VERSION",
];

impl Sources {
    /// Reads everything, weakest first.
    ///
    /// # Errors
    /// [`LoadError`] when the file cannot be read, a value does not fit, or a pair has an unknown key.
    pub fn load(&self) -> Result<Loaded, LoadError> {
        let mut loaded = Loaded::default();
        if let Some(path) = &self.file {
            let file = properties(&read(path)?);
            let file = file.map_err(|bad| LoadError::File { path: path.clone(), reason: bad.to_string() })?;
            let pairs = file.iter().map(|found| (found.key.clone(), found.value.clone())).collect();
            loaded.take_all(pairs, "in the settings file").map_err(|(place, error)| {
                let line = file.get(place).map_or(0, |found| found.line);
                LoadError::Line { path: path.clone(), line, error }
            })?;
        }
        let variables = self.environment.iter();
        let named =
            variables.filter_map(|(variable, value)| Some((setting_of_variable(variable)?, value.clone())));
        loaded.take_all(named.collect(), "in the environment").map_err(|(_, error)| error)?;
        let mut pairs = Vec::with_capacity(self.pairs.len());
        for pair in &self.pairs {
            let (name, value) = pair.split_once('=').ok_or_else(|| SettingError::Form(pair.clone()))?;
            let name = name.trim();
            if base_row(name).is_none() {
                return Err(SettingError::Unknown { name: name.to_owned(), nearest: nearest(name) }.into());
            }
            pairs.push((name.to_owned(), value.to_owned()));
        }
        loaded.take_all(pairs, "on the command line").map_err(|(_, error)| error)?;
        listeners::check(&loaded.settings)?;
        groups::check(&loaded.settings)?;
        together::check(&loaded.settings)?;
        loaded.warnings.extend(plug_ins::warnings(&loaded.settings));
        Ok(loaded)
    }
}

impl Loaded {
    /// Takes what one source says. Of a name that it has twice the last value counts, as in Java's properties.
    /// What is refused is told with its place in `given`.
    fn take_all(&mut self, given: Vec<(String, String)>, place: &str) -> Result<(), (usize, SettingError)> {
        for (at, (name, value)) in given.iter().enumerate() {
            let (main, is_alias) = alias(name);
            // Where both are given, Kafka goes by the one that is not the alias.
            if is_alias && given.iter().any(|(other, _)| other == main) {
                continue;
            }
            self.take(main, value, place).map_err(|error| (at, error))?;
        }
        Ok(())
    }

    fn take(&mut self, name: &str, value: &str, place: &str) -> Result<(), SettingError> {
        let Some(row) = base_row(name) else {
            let hint = nearest(name).map_or(String::new(), |near| format!("; did you mean '{near}'?"));
            self.warnings.push(format!("unknown setting '{name}' {place} is ignored{hint}"));
            return Ok(());
        };
        self.settings.set(name, value)?;
        let acts = row.acts() && row.name == name;
        if !acts && !self.without_effect.iter().any(|known| known == name) {
            self.without_effect.push(name.to_owned());
        }
        Ok(())
    }
}

/// The name that Kafka takes this one for, and whether that is another one.
fn alias(name: &str) -> (&str, bool) {
    match name {
        "log.dir" => ("log.dirs", true),
        "broker.id" => ("node.id", true),
        other => (other, false),
    }
}

fn read(path: &Path) -> Result<String, LoadError> {
    let wrong = |reason: String| LoadError::File { path: path.to_owned(), reason };
    let about = std::fs::metadata(path).map_err(|error| wrong(error.to_string()))?;
    if !about.is_file() {
        return Err(wrong("it is not a regular file".to_owned()));
    }
    if about.len() > FILE_BYTES_MAX {
        return Err(wrong(format!("it is larger than {FILE_BYTES_MAX} bytes")));
    }
    let bytes = std::fs::read(path).map_err(|error| wrong(error.to_string()))?;
    String::from_utf8(bytes).map_err(|_| {
        wrong(
            "it is not text in UTF-8; other characters can be written as escapes such as \\u00fc".to_owned(),
        )
    })
}

/// `KAFKA_LOG_SEGMENT_BYTES` is `log.segment.bytes`: one underscore is a dot, two are an underscore, three a dash
/// (`KafkaDockerWrapper` in Apache Kafka's image).
fn setting_of_variable(variable: &str) -> Option<String> {
    if SCRIPT_VARIABLES.contains(&variable) {
        return None;
    }
    let name = variable.strip_prefix("KAFKA_")?;
    let name = name.replace("___", "-").replace("__", "\u{0}").replace('_', ".").replace('\u{0}', "_");
    Some(name.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stronger_source_wins() {
        let dir = tempfile::tempdir().expect("temporary directory");
        let file = dir.path().join("server.properties");
        std::fs::write(
            &file,
            "# a comment\nnum.partitions = 2\nlog.segment.bytes:2000000\nnum.io.threads=8\nnum.partitons=9\n",
        )
        .expect("written");
        let mut sources = Sources { file: Some(file), ..Sources::default() };
        let loaded = sources.load().expect("loads");
        assert_eq!((loaded.settings.num_partitions, loaded.settings.log_segment_bytes), (2, 2_000_000));
        assert_eq!(loaded.without_effect, ["num.io.threads"]);
        assert_eq!(loaded.warnings.len(), 1);
        assert!(loaded.warnings[0].contains("did you mean 'num.partitions'?"), "{:?}", loaded.warnings);

        sources.environment =
            vec![("KAFKA_NUM_PARTITIONS".into(), "3".into()), ("KAFKA_HEAP_OPTS".into(), "-Xmx1g".into())];
        assert_eq!(sources.load().expect("loads").settings.num_partitions, 3);
        sources.pairs = vec!["num.partitions=4".into()];
        assert_eq!(sources.load().expect("loads").settings.num_partitions, 4);
    }

    #[test]
    fn an_unknown_pair_names_the_nearest_setting() {
        let sources = Sources { pairs: vec!["log.segment.byte=1".into()], ..Sources::default() };
        let error = sources.load().expect_err("unknown").to_string();
        assert!(error.contains("did you mean 'log.segment.bytes'?"), "{error}");
        for (pair, part) in
            [("nonsense", "KEY=VALUE"), ("num.partitions=0", "at least 1"), ("node.id=x", "type INT")]
        {
            let sources = Sources { pairs: vec![pair.into()], ..Sources::default() };
            let error = sources.load().expect_err("refused").to_string();
            assert!(error.contains(part), "{pair}: {error}");
        }
    }

    #[test]
    fn files_that_are_none_are_told() {
        let dir = tempfile::tempdir().expect("temporary directory");
        let binary = dir.path().join("binary");
        std::fs::write(&binary, [0xff, 0xfe, 0x00]).expect("written");
        for path in [dir.path().to_owned(), binary, dir.path().join("missing")] {
            let sources = Sources { file: Some(path), ..Sources::default() };
            assert!(sources.load().is_err());
        }
    }

    #[test]
    fn variables_are_named_as_in_kafkas_image() {
        assert_eq!(setting_of_variable("KAFKA_A__B_C___D").as_deref(), Some("a_b.c-d"));
        assert_eq!(setting_of_variable("HOME"), None);
    }
}
