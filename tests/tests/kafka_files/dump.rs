//! Apache Kafka's `DumpLogSegments` over the files of a stopped Ottla.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use ottla_tests::kafka::Kafka;

use super::workload::{GROUPS, TOPICS, Workload};

const MAIN_CLASS: &str = "org.apache.kafka.tools.DumpLogSegments";
const SUFFIXES: [&str; 5] = ["log", "index", "timeindex", "txnindex", "snapshot"];
const INDEX_SUFFIXES: [&str; 2] = ["index", "timeindex"];

/// What the tool says of files that are not good, besides what it writes to standard error.
const COMPLAINTS: [&str; 3] = ["invalid bytes", "isvalid: false", "Exception"];

/// The tool, and a data directory.
pub(crate) struct Dump<'a> {
    pub(crate) kafka: &'a Kafka,
    pub(crate) data: PathBuf,
}

impl Dump<'_> {
    /// Has the tool look at every file in every way, and compares what it reads with what was written. Tells how much
    /// that was.
    pub(crate) fn check(&self, workload: &Workload) -> String {
        let all = self.files(|_| true, &SUFFIXES);
        let records = self.check_records(workload);
        let indexes = self.files(|_| true, &INDEX_SUFFIXES);
        self.run(&["--verify-index-only"], &indexes);
        let told = self.run(&["--index-sanity-check"], &indexes);
        let sane =
            told.lines().filter(|line| line.ends_with("passed sanity check.") || line.ends_with("is empty."));
        assert_eq!(sane.count(), indexes.len(), "{told}");
        let commits = self.check_commits(workload);
        self.check_catalog();
        let (files, indexes) = (all.len(), indexes.len());
        format!(
            "{files} files dumped, {indexes} of them indexes; {records} records and {commits} commits are right"
        )
    }

    /// Every file of the topics, with its records.
    fn check_records(&self, workload: &Workload) -> usize {
        let is_topic = |partition: &str| !partition.starts_with("__");
        let files = self.files(is_topic, &SUFFIXES);
        let told = self.run(&["--deep-iteration", "--print-data-log"], &files);
        let mut found: BTreeMap<String, Vec<&str>> = BTreeMap::new();
        let mut partition = String::new();
        for line in told.lines() {
            if let Some(file) = line.strip_prefix("Dumping ") {
                partition = partition_of(Path::new(file));
            } else if line.starts_with("| offset: ") {
                found.entry(partition.clone()).or_default().push(line);
            }
        }
        let mut count = 0;
        for (topic, index, records) in workload.partitions() {
            let expected: Vec<String> = records.iter().map(super::records::Plain::dumped).collect();
            let name = format!("{}-{index}", topic.name);
            assert_eq!(found.remove(&name).unwrap_or_default(), expected, "{name}");
            count += expected.len();
        }
        assert!(found.is_empty(), "{:?}", found.keys());
        assert!(told.contains("producerId: "), "snapshots tell of the idempotent producer");
        count
    }

    fn check_commits(&self, workload: &Workload) -> usize {
        let files = self.files(|partition| partition.starts_with("__consumer_offsets-"), &["log"]);
        let told = self.run(&["--offsets-decoder"], &files);
        let mut count = 0;
        for (topic, index, _) in workload.partitions() {
            for group in GROUPS {
                let key = format!(r#""group":"{group}","topic":"{}","partition":{index}"#, topic.name);
                let last = told.lines().rfind(|line| line.contains(&key));
                let last = last.unwrap_or_else(|| panic!("no commit of {key} in {told}"));
                let offset = format!(r#""offset":{},"#, workload.committed(index));
                assert!(last.contains(&offset) && last.contains("by a test"), "{offset} {last}");
                count += 1;
            }
        }
        count
    }

    fn check_catalog(&self) {
        let files = self.files(|partition| partition == "__cluster_metadata-0", &["log"]);
        let told = self.run(&["--cluster-metadata-decoder"], &files);
        for topic in TOPICS {
            let name = format!(r#""name":"{}""#, topic.name);
            let created = told.lines().filter(|line| line.contains("TOPIC_RECORD") && line.contains(&name));
            assert_eq!(created.count(), 1, "{name}: {told}");
        }
    }

    /// Runs the tool over many files at once. It must have nothing to complain of.
    fn run(&self, arguments: &[&str], files: &[PathBuf]) -> String {
        assert!(!files.is_empty(), "{arguments:?}");
        let list: Vec<String> = files.iter().map(|file| file.display().to_string()).collect();
        let mut command = self.kafka.java(&self.data, MAIN_CLASS);
        let output = command.args(arguments).arg("--files").arg(list.join(",")).output().unwrap();
        let told = String::from_utf8(output.stdout).unwrap();
        let complained = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {}\n{complained}", output.status);
        assert_eq!(complaints(&complained), [""; 0], "{arguments:?}");
        for complaint in COMPLAINTS {
            let line = told.lines().find(|line| line.contains(complaint));
            assert_eq!(line, None, "{arguments:?}");
        }
        assert_eq!(told.lines().filter(|line| line.starts_with("Dumping ")).count(), files.len());
        told
    }

    /// The files with such suffixes in the folders of such partitions, by name.
    fn files(&self, is_wanted: impl Fn(&str) -> bool, suffixes: &[&str]) -> Vec<PathBuf> {
        let mut files = Vec::new();
        for folder in std::fs::read_dir(&self.data).unwrap().map(|entry| entry.unwrap().path()) {
            if folder.is_dir() && is_wanted(&folder.file_name().unwrap().to_string_lossy()) {
                files.extend(std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()));
            }
        }
        let has_suffix = |file: &PathBuf| {
            file.extension().is_some_and(|suffix| suffixes.iter().any(|wanted| suffix == *wanted))
        };
        files.retain(has_suffix);
        files.sort();
        files
    }
}

/// What the tool writes to standard error, less what it writes of good files too: it has no logger, and takes the first
/// record of each file that does not begin at offset 0 for one that misses others before it.
fn complaints(error_output: &str) -> Vec<&str> {
    const NON_CONSECUTIVE: &str = "Non-consecutive offsets in ";
    let mut lines = Vec::new();
    let mut file = None;
    for line in error_output.lines().filter(|line| !line.starts_with("SLF4J: ")) {
        if let Some(path) = line.strip_prefix(NON_CONSECUTIVE) {
            file = Path::new(path).file_stem().and_then(|stem| stem.to_str()?.parse::<i64>().ok());
            continue;
        }
        let first = file.map(|base_offset| format!("  -1 is followed by {base_offset}"));
        if first.as_deref() != Some(line) {
            lines.push(line);
        }
    }
    lines
}

#[test]
fn complaints_of_good_files_are_passed_over() {
    let good = "SLF4J: no logger\nNon-consecutive offsets in /t-0/00000000000000000045.log\n  -1 is followed by 45\n";
    assert_eq!(complaints(good), [""; 0]);
    for bad in ["  -1 is followed by 46", "  50 is followed by 52", "Mismatches in :/t-0/x.index"] {
        assert_eq!(complaints(&format!("{good}{bad}\n")), [bad]);
    }
}

fn partition_of(file: &Path) -> String {
    file.parent().unwrap().file_name().unwrap().to_string_lossy().into_owned()
}
