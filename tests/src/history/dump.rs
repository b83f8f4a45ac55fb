//! What the broker held when all was over: every log from its start, every topic, every committed offset.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::record::{Batch, Bounds, Commit, Found, Partition, TopicId};

/// One line of a dump.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Line {
    /// A topic.
    Topic(TopicDump),
    /// A log, before its batches.
    Log {
        /// The partition.
        partition: Partition,
        /// Its bounds.
        bounds: Bounds,
    },
    /// The next batch of a log.
    Batch {
        /// The partition.
        partition: Partition,
        /// The batch.
        batch: Batch,
    },
    /// What ListOffsets says about a time.
    Found {
        /// The partition.
        partition: Partition,
        /// The timestamp that was asked for, in milliseconds.
        time: i64,
        /// What was found, if anything.
        found: Option<Found>,
    },
    /// What a group has committed.
    Committed {
        /// The group.
        group: String,
        /// The partition.
        partition: Partition,
        /// What is committed, if anything.
        commit: Option<Commit>,
    },
    /// A transaction that is still open although its time is over, at its coordinator or in a log.
    Open {
        /// Whose it is, and where it is open.
        what: String,
    },
    /// Everything that could tell of open transactions was asked.
    AskedForOpen {
        /// How many transactional ids and partitions that is.
        count: u64,
    },
}

/// A topic that exists.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TopicDump {
    /// Its name.
    pub name: String,
    /// Its id.
    pub id: TopicId,
    /// How many partitions it has.
    pub partitions: i32,
    /// The settings that are its own.
    pub configs: BTreeMap<String, String>,
}

/// A log, read from its start to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogDump {
    /// Its bounds.
    pub bounds: Bounds,
    /// Its batches, in order.
    pub batches: Vec<Batch>,
}

/// All that the broker held.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Dump {
    /// The topics.
    pub topics: Vec<TopicDump>,
    /// The logs.
    pub logs: BTreeMap<Partition, LogDump>,
    /// Times that were asked for, and what was found.
    pub found: Vec<(Partition, i64, Option<Found>)>,
    /// Committed offsets.
    pub committed: Vec<(String, Partition, Option<Commit>)>,
    /// Transactions that are still open although their time is over.
    pub open: Vec<String>,
    /// How many transactional ids and partitions were asked for open transactions.
    pub asked_for_open: u64,
}

impl Dump {
    /// Takes the next line.
    pub fn add(&mut self, line: Line) {
        match line {
            Line::Topic(topic) => self.topics.push(topic),
            Line::Log { partition, bounds } => {
                self.logs.insert(partition, LogDump { bounds, batches: Vec::new() });
            }
            Line::Batch { partition, batch } => {
                let nowhere = Bounds { log_start: 0, last_stable: 0, high_watermark: 0 };
                let new = || LogDump { bounds: nowhere, batches: Vec::new() };
                self.logs.entry(partition).or_insert_with(new).batches.push(batch);
            }
            Line::Found { partition, time, found } => self.found.push((partition, time, found)),
            Line::Committed { group, partition, commit } => self.committed.push((group, partition, commit)),
            Line::Open { what } => self.open.push(what),
            Line::AskedForOpen { count } => self.asked_for_open = count,
        }
    }
}
