//! `ottla group lag`.

use std::error::Error;
use std::io::{self, IsTerminal, Write};
use std::time::Duration;

use clap::Args;
use ottla_broker::private::{GroupLag, GroupsLag};

use super::behind::{IsolationLevel, NOTHING, age, left_out, notes, number, question};
use crate::ask::{self, Bootstrap, Broker};
use crate::table::{Align, Table};
use crate::words;

/// Puts the cursor of a terminal into its corner and clears all behind it.
const CLEAR: &str = "\x1b[H\x1b[J";

/// The longest pause between two looks, in seconds.
const INTERVAL_SECONDS_MAX: f64 = 86_400.0;

/// Shows how far groups are behind.
#[derive(Debug, Args)]
pub(super) struct ShowLag {
    /// The group [default: all]
    #[arg(value_name = "GROUP")]
    group: Option<String>,

    /// Which records count
    #[arg(long, value_enum, default_value = "read_uncommitted")]
    isolation: IsolationLevel,

    /// Look again and again, until interrupted
    #[arg(long)]
    watch: bool,

    /// Seconds between two looks
    #[arg(long, value_name = "SECONDS", default_value = "1", value_parser = interval, requires = "watch")]
    interval: Duration,

    #[command(flatten)]
    bootstrap: Bootstrap,

    /// Print a JSON document; with --watch, one a line
    #[arg(long)]
    json: bool,
}

fn interval(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "it must be a number of seconds".to_owned())?;
    if !(0.1..=INTERVAL_SECONDS_MAX).contains(&seconds) {
        return Err(format!("it must be from 0.1 to {INTERVAL_SECONDS_MAX}"));
    }
    Ok(Duration::from_secs_f64(seconds))
}

impl ShowLag {
    pub(super) fn run(self) -> Result<(), Box<dyn Error>> {
        let mut broker = Broker::connect(&self.bootstrap)?;
        let asked = question(self.group.as_deref(), false);
        if !self.watch {
            let document = broker.ask(&asked)?;
            let print = |document| ask::print(&to_text(document, self.isolation));
            return if self.json { ask::print_json(&document) } else { print(&document) };
        }
        let is_terminal = io::stdout().is_terminal();
        loop {
            let document = broker.ask(&asked)?;
            let text = if self.json {
                serde_json::to_string(&document)? + "\n"
            } else {
                format!("{}\n{}", words::time(document.now_ms), to_text(&document, self.isolation))
            };
            let clear = if is_terminal && !self.json { CLEAR } else { "" };
            let mut out = io::stdout().lock();
            let written = write!(out, "{clear}{text}").and_then(|()| out.flush());
            match written {
                // Whoever reads it has seen enough.
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(()),
                other => other?,
            }
            drop(out);
            std::thread::sleep(self.interval);
        }
    }
}

pub(super) fn to_text(document: &GroupsLag, isolation: IsolationLevel) -> String {
    let mut text = partitions(&document.groups.entries, document.now_ms, isolation);
    text.push_str(&left_out(document.groups.left_out, "groups"));
    text
}

/// A line for each partition of the groups.
pub(super) fn partitions(groups: &[GroupLag], now_ms: i64, isolation: IsolationLevel) -> String {
    let mut table = Table::new([
        ("GROUP", Align::Left),
        ("PARTITION", Align::Left),
        ("COMMITTED", Align::Right),
        ("END", Align::Right),
        ("LAG", Align::Right),
        ("BYTES", Align::Right),
        ("BEHIND", Align::Right),
        ("LAST COMMIT", Align::Right),
        ("OWNER", Align::Left),
        ("NOTE", Align::Left),
    ]);
    for group in groups {
        for partition in &group.partitions.entries {
            let lag = isolation.of(partition);
            let committed_at = partition.committed_at_ms.filter(|&at| at >= 0);
            let last_commit = committed_at.map(|at| words::duration(now_ms.saturating_sub(at)) + " ago");
            table.row([
                group.group.clone(),
                format!("{}-{}", partition.topic, partition.partition),
                number(partition.committed_offset),
                number(isolation.end(partition)),
                number(lag.map(|lag| lag.records)),
                lag.map_or(NOTHING.to_owned(), |lag| words::size(lag.bytes)),
                age(lag.and_then(|lag| lag.age_ms)),
                number(last_commit),
                partition.owner.clone().unwrap_or_else(|| NOTHING.to_owned()),
                notes(partition),
            ]);
        }
    }
    let mut text = if table.is_empty() { "no offsets are committed\n".to_owned() } else { table.to_text() };
    for group in groups {
        text.push_str(&left_out(group.partitions.left_out, &format!("partitions of {}", group.group)));
    }
    text
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use ottla_broker::private::{Lag, LagNote, PartitionLag};

    use super::*;

    fn partition(index: i32, lag: Option<Lag>, notes: Vec<LagNote>) -> PartitionLag {
        PartitionLag {
            topic: "orders".to_owned(),
            partition: index,
            owner: None,
            committed_offset: lag.map(|_| 10),
            committed_at_ms: lag.map(|_| 1_000),
            commits: 1,
            start_offset: Some(0),
            high_watermark: Some(20),
            last_stable_offset: Some(15),
            read_uncommitted: lag,
            read_committed: lag.map(|lag| Lag { records: lag.records / 2, ..lag }),
            notes,
        }
    }

    #[test]
    fn a_partition_is_a_line_and_what_is_not_known_is_a_dash() {
        let lag = Lag { records: 8, bytes: 2048, next_offset: Some(10), age_ms: Some(61_000) };
        let mut group: GroupLag = serde_json::from_str(
            r#"{"group":"g","group_type":"classic","state":"Empty","protocol_type":"","protocol":"",
            "member_count":0,"members":{"entries":[],"left_out":0},"rebalances":{},"commits":2,
            "read_uncommitted":{"records":8,"bytes":2048,"age_ms":61000,"unknown_partitions":1},
            "read_committed":{"records":4,"bytes":2048,"age_ms":61000,"unknown_partitions":1},
            "partitions":{"entries":[],"left_out":0}}"#,
        )
        .unwrap();
        group.partitions.entries.push(partition(0, Some(lag), Vec::new()));
        group.partitions.entries.push(partition(1, None, vec![LagNote::NoCommit]));
        assert_eq!(
            partitions(std::slice::from_ref(&group), 5_000, IsolationLevel::ReadUncommitted),
            "GROUP  PARTITION  COMMITTED  END  LAG     BYTES     BEHIND  LAST COMMIT  OWNER  NOTE\n\
             g      orders-0          10   20    8  2.00 KiB  1 min 1 s      4 s ago  -\n\
             g      orders-1           -   20    -         -          -            -  -      nothing is committed\n"
        );
        let committed = partitions(&[group], 5_000, IsolationLevel::ReadCommitted);
        assert!(committed.contains("orders-0          10   15    4"), "{committed}");
    }

    #[test]
    fn intervals_are_bounded() {
        assert_eq!(interval("0.5"), Ok(Duration::from_millis(500)));
        for text in ["0", "-1", "nan", "inf", "1e9", "soon"] {
            assert!(interval(text).is_err(), "{text}");
        }
    }
}
