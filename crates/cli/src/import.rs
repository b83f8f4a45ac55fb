//! `ottla import`.

use std::error::Error;
use std::io::{self, Write};
use std::path::PathBuf;

use clap::Args;
use ottla_broker::{ImportedPartition, ImportedTopic};

use crate::ask;
use crate::logs::{self, LogFormat};

/// Takes topics over from the data directory of a stopped Apache Kafka.
///
/// Kafka's files are only read. Every record keeps its offset, timestamp, key, value and headers. Topics have the default
/// settings unless --config says otherwise: look at cleanup.policy and retention.ms, by which records may go once Ottla
/// serves. Committed offsets are not taken over.
#[derive(Debug, Args)]
pub(crate) struct Import {
    /// Ottla's data directory, which no broker may be using [default: ./ottla-data]
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,

    /// Kafka's data directory; repeat it when log.dirs has several
    #[arg(long, value_name = "DIR", required = true)]
    from: Vec<PathBuf>,

    /// Set one of Apache Kafka's topic settings for the imported topics
    #[arg(long = "config", value_name = "KEY=VALUE", value_parser = ask::key_and_value)]
    configs: Vec<(String, String)>,

    /// The topics to import [default: all whose names do not begin with __]
    #[arg(value_name = "TOPIC")]
    topics: Vec<String>,

    /// How log lines are written, on standard error
    #[arg(long, value_enum, default_value = "text")]
    log_format: LogFormat,
}

impl Import {
    /// Imports the topics and tells what they hold.
    pub(crate) fn run(self) -> Result<(), Box<dyn Error>> {
        logs::begin(self.log_format);
        let is_compacted =
            self.configs.iter().any(|(key, value)| key == "cleanup.policy" && value.contains("compact"));
        let import = ottla_broker::Import {
            data_dir: self.data_dir.unwrap_or_else(|| PathBuf::from("ottla-data")),
            from: self.from,
            topics: self.topics,
            configs: self.configs,
        };
        let imported = ottla_broker::import(&import)?;
        let mut out = io::stdout().lock();
        for topic in &imported {
            tell(&mut out, topic, is_compacted)?;
        }
        out.flush()?;
        Ok(())
    }
}

fn tell(out: &mut impl Write, topic: &ImportedTopic, is_compacted: bool) -> io::Result<()> {
    let sum =
        |of: fn(&ImportedPartition) -> u64| topic.partitions.iter().map(of).fold(0, u64::saturating_add);
    let (partitions, records) = (topic.partitions.len(), sum(|partition| partition.records));
    let bytes = sum(|partition| partition.bytes);
    writeln!(out, "imported {}: {partitions} partitions, {records} records, {bytes} bytes", topic.name)?;
    if !is_compacted && topic.partitions.iter().any(|partition| partition.has_gaps) {
        writeln!(
            out,
            "  offsets are missing in between: if Kafka compacted this topic, set cleanup.policy=compact here too"
        )?;
    }
    for (index, partition) in topic.partitions.iter().enumerate() {
        if partition.bytes_cut > 0 {
            let (bytes, end) = (partition.bytes_cut, partition.end);
            writeln!(
                out,
                "  partition {index}: {bytes} torn bytes after offset {end} were left out, as Kafka does when it starts"
            )?;
        }
        if let Some(offset) = partition.open_transaction {
            writeln!(
                out,
                "  partition {index}: a transaction that begins at offset {offset} was never ended; \
                 readers of committed records stop there"
            )?;
        }
    }
    Ok(())
}
