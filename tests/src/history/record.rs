//! The nouns of a history: partitions, values, batches, commits.

use std::fmt;

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A topic's id. A topic that is deleted and made again has another one, so histories name topics by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct TopicId(pub u128);

impl fmt::Display for TopicId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:032x}", self.0)
    }
}

impl Serialize for TopicId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for TopicId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        u128::from_str_radix(&text, 16).map(Self).map_err(D::Error::custom)
    }
}

/// One partition of one topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Partition {
    /// The topic.
    pub topic: TopicId,
    /// The partition's number.
    pub index: i32,
}

impl fmt::Display for Partition {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}-{}", self.topic, self.index)
    }
}

/// The name of one value: no two records that are sent have the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Value {
    /// Who made it.
    pub producer: u32,
    /// Counts what that producer made, over all partitions.
    pub number: u64,
}

/// Stands for bytes that are no value that anybody makes.
pub const UNREADABLE: Value = Value { producer: 0, number: 0 };

impl fmt::Display for Value {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.producer, self.number)
    }
}

/// Records with consecutive offsets and consecutive values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// Offset of the first record.
    pub offset: i64,
    /// Who made the values.
    pub producer: u32,
    /// The number of the first value.
    pub first: u64,
    /// How many records there are.
    pub count: u32,
}

impl Run {
    /// Each record: its offset and its value.
    pub fn records(&self) -> impl Iterator<Item = (i64, Value)> + use<> {
        let Self { offset, producer, first, count } = *self;
        (0..count).map(move |place| {
            let number = first.saturating_add(u64::from(place));
            (offset.saturating_add(i64::from(place)), Value { producer, number })
        })
    }
}

/// What makes a batch of an idempotent producer known again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sequence {
    /// The producer id.
    pub id: i64,
    /// The producer's epoch.
    pub epoch: i16,
    /// Sequence number of the first record.
    pub first: i32,
}

impl Sequence {
    /// The sequence number that follows a batch of `count` records; it wraps from 2^31-1 to 0.
    #[must_use]
    pub fn after(&self, count: u32) -> i32 {
        let next = (i64::from(self.first) + i64::from(count)) & i64::from(i32::MAX);
        i32::try_from(next).unwrap_or_default()
    }
}

/// The number of one transaction, which no other has, whoever begins it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Transaction(pub u64);

impl fmt::Display for Transaction {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "transaction {}", self.0)
    }
}

/// The control batch that ends a transaction in a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Marker {
    /// The producer id whose transaction ends.
    pub id: i64,
    /// The epoch that the marker has.
    pub epoch: i16,
    /// Whether it commits; otherwise it aborts.
    pub committed: bool,
}

/// An aborted transaction, as a fetch response lists it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Aborted {
    /// The producer id.
    pub id: i64,
    /// Its first offset in the partition.
    pub first: i64,
}

/// A batch on its way to the broker. A batch that is sent again has the same values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SentBatch {
    /// Where it goes.
    pub partition: Partition,
    /// Who made the values.
    pub producer: u32,
    /// The number of the first value; the others follow.
    pub first: u64,
    /// How many records there are.
    pub count: u32,
    /// Each record's key, when they have keys.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keys: Vec<u32>,
    /// The batch's CRC-32C, which a broker keeps when it keeps the batch.
    pub crc: u32,
    /// The acknowledgements that were asked for: 0, 1 or -1.
    pub acks: i16,
    /// The sequence, when the producer is idempotent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sequence: Option<Sequence>,
    /// The transaction that it is part of, if it is of one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transaction: Option<Transaction>,
}

impl SentBatch {
    /// The records as they lie in the log when the first one has this offset.
    #[must_use]
    pub fn at(&self, offset: i64) -> Run {
        Run { offset, producer: self.producer, first: self.first, count: self.count }
    }
}

/// A batch as it was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Batch {
    /// Its base offset.
    pub base: i64,
    /// Its last offset.
    pub last: i64,
    /// The leader epoch in which it was appended.
    pub leader_epoch: i32,
    /// Its CRC-32C.
    pub crc: u32,
    /// The sequence, when the producer is idempotent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sequence: Option<Sequence>,
    /// Whether it is part of a transaction.
    #[serde(default, skip_serializing_if = "is_false")]
    pub transactional: bool,
    /// What it says when it is no data but the end of a transaction. It has no records then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub marker: Option<Marker>,
    /// The records, in order.
    pub runs: Vec<Run>,
    /// Each record's key; only in dumps, and only when they have keys.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keys: Vec<u32>,
    /// Each record's timestamp in milliseconds; only in dumps.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub times: Vec<i64>,
}

impl Batch {
    /// Each record: its offset and its value.
    pub fn records(&self) -> impl Iterator<Item = (i64, Value)> + '_ {
        self.runs.iter().flat_map(Run::records)
    }

    /// Each offset that has a timestamp, with it. The one of a marker is found by its time, too.
    pub fn timed(&self) -> impl Iterator<Item = (i64, i64)> + '_ {
        let marker = self.marker.map(|_| self.base);
        let offsets = marker.into_iter().chain(self.records().map(|(offset, _)| offset));
        offsets.zip(self.times.iter().copied())
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants a reference")]
fn is_false(flag: &bool) -> bool {
    !*flag
}

/// The three numbers of a fetch response.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bounds {
    /// First offset of the log.
    pub log_start: i64,
    /// The last stable offset.
    pub last_stable: i64,
    /// The high watermark.
    pub high_watermark: i64,
}

/// What a group commits for a partition. The metadata is unique, so that a commit that is read tells which it is.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Commit {
    /// The offset.
    pub offset: i64,
    /// The leader epoch of the last consumed record.
    pub leader_epoch: i32,
    /// The metadata.
    pub metadata: String,
}

/// What ListOffsets found for a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    /// The offset.
    pub offset: i64,
    /// The timestamp of the record there.
    pub time: i64,
}

/// A topic in an answer to Metadata.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListedTopic {
    /// Its name.
    pub name: String,
    /// Its id.
    pub id: TopicId,
    /// How many partitions it has.
    pub partitions: i32,
}
