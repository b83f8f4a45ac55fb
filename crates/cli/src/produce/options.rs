//! What `ottla produce` is told.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};
use ottla_log::Compression;

use crate::ask::Bootstrap;
use crate::record::{Header, unescape};

/// Sends records that it reads from files or standard input to a topic, of any Kafka.
///
/// Each line is a record; -D says what else ends one. With -K, what stands before the first key delimiter is the key, and a
/// record without one has no key. Records with a key go to the partition that Kafka's Java clients choose; others fill one
/// partition's batch after the other's.
///
/// A record counts as sent when all in-sync replicas have it. What fails for a reason that may pass is sent again, without
/// being written twice, until --timeout; then the command ends with exit code 1 and says which record it was. The broker
/// creates a missing topic if its auto.create.topics.enable says so.
#[derive(Debug, Args)]
pub(crate) struct Produce {
    /// The topic
    #[arg(value_name = "TOPIC")]
    pub(super) topic: String,

    /// What to read; - is standard input [default: standard input]
    #[arg(value_name = "FILE")]
    pub(super) files: Vec<PathBuf>,

    /// The partition [default: by the key]
    #[arg(short, long, value_name = "NUMBER", value_parser = clap::value_parser!(i32).range(0..))]
    pub(super) partition: Option<i32>,

    /// What ends a record; \n, \t, \0, \xNN are understood
    #[arg(short = 'D', long, value_name = "TEXT", default_value = "\\n", value_parser = delimiter)]
    #[arg(allow_hyphen_values = true)]
    pub(super) delimiter: Bytes,

    /// What stands between key and value
    #[arg(short = 'K', long, value_name = "TEXT", value_parser = delimiter, allow_hyphen_values = true)]
    pub(super) key_delimiter: Option<Bytes>,

    /// The key of all records
    #[arg(short, long, value_name = "KEY", conflicts_with = "key_delimiter", allow_hyphen_values = true)]
    pub(super) key: Option<String>,

    /// A header of all records; repeat it for several
    #[arg(short = 'H', long = "header", value_name = "NAME=VALUE", value_parser = header)]
    pub(super) headers: Vec<Header>,

    /// Send what is empty as null: a value (a tombstone) and, with -K, a key
    #[arg(short = 'Z', long)]
    pub(super) null: bool,

    /// Each file is one record
    #[arg(long, requires = "files", conflicts_with_all = ["delimiter", "key_delimiter", "from_json"])]
    pub(super) whole_files: bool,

    /// Each line is a record in JSON, as ottla consume --json writes it; key, value, headers and timestamp are taken from
    /// it, and topic, partition and offset passed over
    #[arg(long, conflicts_with_all = ["delimiter", "key_delimiter", "key", "null"])]
    pub(super) from_json: bool,

    /// How batches are compressed
    #[arg(short = 'z', long, value_enum, value_name = "CODEC", default_value = "none")]
    pub(super) compression: Codec,

    /// Who has to have a record before it counts as sent: all in-sync replicas, the leader (1), or nobody (0). With fewer
    /// than all, what is sent again may be written twice
    #[arg(short, long, value_enum, default_value = "all")]
    pub(super) acks: Acks,

    /// Stop after so many records
    #[arg(short, long, value_name = "RECORDS")]
    pub(super) count: Option<u64>,

    /// How long a record may take to be sent, in seconds
    #[arg(long, value_name = "SECONDS", default_value = "120", value_parser = seconds)]
    pub(super) timeout: Duration,

    /// Show no progress
    #[arg(short, long)]
    pub(super) quiet: bool,

    #[command(flatten)]
    pub(super) bootstrap: Bootstrap,

    /// Print, at the end, a JSON document that says how many records went where
    #[arg(long)]
    pub(super) json: bool,
}

/// Bytes that an argument stands for.
pub(crate) type Bytes = std::sync::Arc<[u8]>;

/// How batches are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Codec {
    None,
    Gzip,
    Snappy,
    Lz4,
    Zstd,
}

impl Codec {
    pub(super) fn compression(self) -> Compression {
        match self {
            Self::None => Compression::None,
            Self::Gzip => Compression::Gzip,
            Self::Snappy => Compression::Snappy,
            Self::Lz4 => Compression::Lz4,
            Self::Zstd => Compression::Zstd,
        }
    }
}

/// Who has to have a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Acks {
    #[value(alias = "-1")]
    All,
    #[value(name = "1")]
    Leader,
    #[value(name = "0")]
    Nobody,
}

impl Acks {
    pub(super) fn code(self) -> i16 {
        match self {
            Self::All => -1,
            Self::Leader => 1,
            Self::Nobody => 0,
        }
    }
}

fn delimiter(text: &str) -> Result<Bytes, String> {
    let bytes = unescape(text)?;
    if bytes.is_empty() { Err("it must not be empty".to_owned()) } else { Ok(bytes.into()) }
}

fn header(text: &str) -> Result<Header, String> {
    let (name, value) = match text.split_once('=') {
        Some((name, value)) => (name, Some(bytes::Bytes::copy_from_slice(value.as_bytes()))),
        None => (text, None),
    };
    if name.is_empty() {
        return Err("it must be NAME=VALUE, or NAME for a null".to_owned());
    }
    Ok((bytes::Bytes::copy_from_slice(name.as_bytes()), value))
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: u64 = text.parse().map_err(|_| "it must be a whole number of seconds".to_owned())?;
    if seconds == 0 { Err("it must be at least 1".to_owned()) } else { Ok(Duration::from_secs(seconds)) }
}
