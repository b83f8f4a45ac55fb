//! One line of a history.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::record::{
    Aborted, Batch, Bounds, Commit, Found, ListedTopic, Partition, SentBatch, TopicId, Transaction,
};

/// What happened, when, and to whom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Nanoseconds on a monotonic clock; the events of a file are in this order.
    pub at: u64,
    /// Whose event it is; 0 is the one who starts and kills the broker.
    pub client: u32,
    /// What happened.
    pub step: Step,
}

/// What can happen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// A client is about to ask for something.
    Invoke {
        /// The operation's number, which only it has.
        operation: u64,
        /// What it asks for.
        call: Call,
    },
    /// The broker did it.
    Ok {
        /// The operation's number.
        operation: u64,
        /// What it answered.
        answer: Answer,
    },
    /// The broker said that it did not do it.
    Fail {
        /// The operation's number.
        operation: u64,
        /// Kafka's error code.
        error: i16,
    },
    /// Nobody knows whether it was done.
    Info {
        /// The operation's number.
        operation: u64,
        /// Kafka's error code; none when the connection was lost.
        error: Option<i16>,
    },
    /// A client is about to connect.
    Open {
        /// The connection's number, which only it has.
        connection: u64,
    },
    /// A client is about to write a request.
    Request {
        /// The connection.
        connection: u64,
        /// The request's correlation id.
        correlation: i32,
        /// The API's key.
        api: i16,
        /// Whether there should be a response; Produce with acks=0 has none.
        answered: bool,
    },
    /// A response was read.
    Response {
        /// The connection.
        connection: u64,
        /// The response's correlation id.
        correlation: i32,
    },
    /// The connection is over, and the client did not end it because it was done.
    Lost {
        /// The connection.
        connection: u64,
        /// How the client noticed.
        why: String,
    },
    /// Something was done to the broker.
    Broker(BrokerStep),
}

/// What is done to the broker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BrokerStep {
    /// Its process was started.
    Started,
    /// It said that it serves.
    Ready,
    /// It is about to be killed.
    Killing,
    /// It has ended.
    Killed,
    /// The clients were told to stop, with the broker running.
    Quiesced,
    /// A fault that the broker can not do everything under is about to begin, such as a full disk.
    Faulted,
    /// The fault has ended, and the broker runs on.
    Mended,
    /// The power is about to be cut, under a broker that syncs in the background: of what was acknowledged within so many
    /// milliseconds before, each log may lose its last part. Nothing but the start that reads everything comes after it.
    /// Without this step nothing that was acknowledged may be lost.
    PowerCut {
        /// How long before.
        window_ms: u64,
    },
}

fn no_generation() -> i32 {
    -1
}

fn is_no_generation(generation: &i32) -> bool {
    *generation == no_generation()
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants a reference")]
fn is_false(flag: &bool) -> bool {
    !*flag
}

/// What a client asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Call {
    /// Append a batch.
    Send(SentBatch),
    /// Read a partition from an offset on.
    Poll {
        /// The partition.
        partition: Partition,
        /// The offset.
        offset: i64,
        /// Whether only what is committed is wanted.
        #[serde(default, skip_serializing_if = "is_false")]
        committed: bool,
    },
    /// Find the first offset with at least this timestamp.
    Find {
        /// The partition.
        partition: Partition,
        /// The timestamp in milliseconds.
        time: i64,
    },
    /// Commit an offset. The commits of one group and partition are made one after another.
    Commit {
        /// The group.
        group: String,
        /// The partition.
        partition: Partition,
        /// What is committed.
        commit: Commit,
        /// The generation that the member who commits is in; -1 when nobody has to be a member.
        #[serde(default = "no_generation", skip_serializing_if = "is_no_generation")]
        generation: i32,
        /// The transaction by which it counts, if it is of one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        transaction: Option<Transaction>,
    },
    /// Read what is committed.
    Committed {
        /// The group.
        group: String,
        /// The partition.
        partition: Partition,
    },
    /// Become a member of a group, whose only member this client is, and take the assignment.
    Join {
        /// The group.
        group: String,
    },
    /// Delete the records below an offset.
    Trim {
        /// The partition.
        partition: Partition,
        /// The offset.
        before: i64,
    },
    /// Create a topic. The changes of one name are made one after another.
    Create {
        /// Its name.
        topic: String,
        /// Its partitions.
        partitions: i32,
        /// Its settings.
        configs: BTreeMap<String, String>,
    },
    /// Delete a topic.
    Delete {
        /// Its name.
        topic: String,
        /// Its id.
        id: TopicId,
    },
    /// List all topics.
    List,
    /// Get a producer id that nobody has had.
    ProducerId,
    /// Become the only producer of a transactional id, whose open transaction is aborted.
    Producer {
        /// The transactional id.
        transactional: String,
    },
    /// End a transaction. It is asked for again, as another operation, until there is an answer.
    End {
        /// The transaction.
        transaction: Transaction,
        /// The producer id.
        id: i64,
        /// The epoch that the transaction was written with.
        epoch: i16,
        /// Whether to commit; otherwise to abort.
        committed: bool,
    },
}

/// What the broker answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// The batch is in the log.
    Sent {
        /// Offset of its first record.
        offset: i64,
        /// First offset of the log, or -1 when the broker did not say.
        log_start: i64,
    },
    /// What there is to read.
    Polled {
        /// The partition's bounds.
        bounds: Bounds,
        /// Whole batches.
        batches: Vec<Batch>,
        /// The aborted transactions that the response lists.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        aborted: Vec<Aborted>,
    },
    /// What was found, if anything.
    Found(Option<Found>),
    /// What is committed, if anything.
    Committed(Option<Commit>),
    /// The client is a member.
    Joined {
        /// The generation that begins.
        generation: i32,
    },
    /// The records are deleted.
    Trimmed {
        /// First offset of the log.
        log_start: i64,
    },
    /// The topic was created.
    Created {
        /// Its id.
        id: TopicId,
    },
    /// All topics.
    Listed(Vec<ListedTopic>),
    /// A producer id.
    ProducerId {
        /// The id.
        id: i64,
    },
    /// The client is the producer.
    Producer {
        /// The producer id.
        id: i64,
        /// The epoch, which no producer before had.
        epoch: i16,
    },
    /// The transaction ends as was asked for.
    Ended {
        /// The producer id of the next transaction.
        id: i64,
        /// Its epoch.
        epoch: i16,
    },
    /// It was done.
    Done,
}
