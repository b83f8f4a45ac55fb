//! What `ottla consume` is told.

use clap::{Args, ValueEnum};

use super::format::Format;
use super::output::Form;
use super::position::Position;
use crate::ask::Bootstrap;
use crate::record::unescape;

/// Reads records of topics, of any Kafka, and writes them to standard output.
///
/// Each value is a line; -K writes the key before it, -f chooses what is written, and --json writes a JSON object a line, which
/// ottla produce --from-json reads. It reads on and on, until Ctrl-C, until it has written --count records, or with -e until
/// it has come to where the partitions ended when it began.
///
/// With --group it joins a consumer group by the classic protocol, with the assignor `range`: the members share the partitions,
/// and each goes on where the group stopped. Offsets are committed every 5 seconds, when partitions are taken away, and at
/// the end, and only of records that were written. A reader that blocks it for 45 seconds costs it its partitions.
#[derive(Debug, Args)]
pub(crate) struct Consume {
    /// The topics
    #[arg(value_name = "TOPIC", required = true)]
    pub(super) topics: Vec<String>,

    /// Only this partition; repeat it for several
    #[arg(short, long = "partition", value_name = "NUMBER", value_delimiter = ',', conflicts_with = "group")]
    #[arg(value_parser = clap::value_parser!(i32).range(0..))]
    pub(super) partitions: Vec<i32>,

    /// Where to begin: beginning, end, stored (what the group has committed), an offset, -N for the last N of each partition,
    /// s@MOMENT for the first record from then on; and e@MOMENT to end at the first record from then on. A moment is in
    /// milliseconds since 1970, or as 2026-02-28T09:05:00Z, or an age such as 10m. In a group it says where to begin in
    /// partitions of which nothing is committed [default: beginning]
    #[arg(short, long = "offset", value_name = "OFFSET", allow_hyphen_values = true)]
    pub(super) offsets: Vec<Position>,

    /// Stop after so many records
    #[arg(short, long, value_name = "RECORDS")]
    pub(super) count: Option<u64>,

    /// Stop where the partitions end now
    #[arg(short, long)]
    pub(super) exit: bool,

    /// What to write of each record: %t topic, %p partition, %o offset, %k key, %s value, %h headers, %T timestamp in
    /// milliseconds, %K and %S lengths of key and value (-1 for null), %R length of the value in 4 bytes, %% a percent sign;
    /// and \n, \t, \0, \xNN. Nothing is written behind it
    #[arg(short, long, value_name = "FORMAT", conflicts_with_all = ["json", "key_delimiter", "delimiter"])]
    #[arg(value_parser = Format::parse, allow_hyphen_values = true)]
    pub(super) format: Option<Format>,

    /// What to write behind each record
    #[arg(short = 'D', long, value_name = "TEXT", default_value = "\\n", conflicts_with = "json")]
    #[arg(allow_hyphen_values = true)]
    pub(super) delimiter: String,

    /// Write the key and this before each value
    #[arg(short = 'K', long, value_name = "TEXT", conflicts_with = "json", allow_hyphen_values = true)]
    pub(super) key_delimiter: Option<String>,

    /// Write NULL for a key or value that is null, in place of nothing
    #[arg(short = 'Z', long)]
    pub(super) null: bool,

    /// Which records count: all, or only those whose transaction was committed
    #[arg(long, value_enum, default_value = "read_uncommitted")]
    pub(super) isolation: Isolation,

    /// Join this consumer group
    #[arg(short = 'G', long, value_name = "GROUP")]
    pub(super) group: Option<String>,

    /// Show no progress
    #[arg(short, long)]
    pub(super) quiet: bool,

    #[command(flatten)]
    pub(super) bootstrap: Bootstrap,

    /// Write a JSON object a line; bytes that are no text are in base64, as key_base64 and value_base64
    #[arg(short = 'J', long)]
    pub(super) json: bool,
}

/// Which records count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub(super) enum Isolation {
    ReadUncommitted,
    ReadCommitted,
}

impl Consume {
    /// What the arguments are not checked for one by one.
    pub(super) fn check(&self) -> Result<(), String> {
        let begins = self.offsets.iter().filter(|offset| !matches!(offset, Position::Until(_))).count();
        let ends = self.offsets.len() - begins;
        if begins > 1 || ends > 1 {
            return Err("--offset says twice where to begin, or where to end; leave one out".to_owned());
        }
        if self.group.is_none() && self.offsets.contains(&Position::Stored) {
            return Err("--offset stored needs --group: it is what a group has committed".to_owned());
        }
        Ok(())
    }

    /// Where to begin.
    pub(super) fn begin(&self) -> Position {
        let begins = |offset: &&Position| !matches!(offset, Position::Until(_) | Position::Stored);
        self.offsets.iter().find(begins).copied().unwrap_or(Position::Beginning)
    }

    /// When to end, in milliseconds since 1970.
    pub(super) fn until(&self) -> Option<i64> {
        self.offsets.iter().find_map(|offset| match offset {
            Position::Until(moment) => Some(*moment),
            _ => None,
        })
    }

    /// Whether only committed records count.
    pub(super) fn read_committed(&self) -> bool {
        self.isolation == Isolation::ReadCommitted
    }

    /// What is written of a record.
    pub(super) fn form(&self) -> Result<Form, String> {
        if self.json {
            return Ok(Form::Json);
        }
        if let Some(format) = &self.format {
            return Ok(Form::Text(format.clone(), self.null));
        }
        let key = self.key_delimiter.as_deref().map(unescape).transpose()?;
        let format = Format::key_and_value(key, unescape(&self.delimiter)?);
        Ok(Form::Text(format, self.null))
    }
}
