//! What a client does: one transaction in two partitions and a group, and what it is told.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use kafka_protocol::messages::add_partitions_to_txn_request::AddPartitionsToTxnTopic;
use kafka_protocol::messages::produce_request::{PartitionProduceData, TopicProduceData};
use kafka_protocol::messages::txn_offset_commit_request::{
    TxnOffsetCommitRequestPartition, TxnOffsetCommitRequestTopic,
};
use kafka_protocol::messages::{
    AddOffsetsToTxnRequest, AddPartitionsToTxnRequest, EndTxnRequest, FindCoordinatorRequest, GroupId,
    InitProducerIdRequest, ProduceRequest, TopicName, TransactionalId, TxnOffsetCommitRequest,
};
use kafka_protocol::protocol::{Request, StrBytes};
use ottla_log::{BatchBuilder, NewRecord};
use ottla_model::ErrorCode;

use super::machine::pass;
use crate::shard::Shard;
use crate::shard::seam_tests::ask;

/// The topics, of one partition each.
pub(super) const TOPICS: [&str; 2] = ["orders", "payments"];
pub(super) const GROUP: &str = "readers";
pub(super) const ID: &str = "t";
/// The offset that the group had before, and the one that the script commits.
pub(super) const OFFSETS: [i64; 2] = [1, 7];

const TIMEOUT_MS: u64 = 5_000;
/// More than it takes until whatever is open is aborted.
pub(super) const END_MS: u64 = TIMEOUT_MS * 4;
/// How long a client waits for an answer.
const PATIENCE: Duration = Duration::from_secs(2);
/// Tries of what is answered with CONCURRENT_TRANSACTIONS.
const TRIES_MAX: usize = 100;

/// Which version of transactions a client goes by (KIP-890).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flavor {
    One,
    Two,
}

/// How the transaction ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Plan {
    Commit,
    Abort,
    TimeOut,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Script {
    pub(super) flavor: Flavor,
    pub(super) plan: Plan,
}

/// What the client was told.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Told {
    /// Which of its records are acknowledged.
    pub(super) sent: [bool; 2],
    pub(super) offsets: bool,
    /// Whether a commit was asked for.
    pub(super) asked_to_commit: bool,
    /// Whether its end was acknowledged.
    pub(super) ended: bool,
}

/// A producer of the id.
pub(super) struct Producer<'a> {
    shard: &'a Arc<Shard>,
    flavor: Flavor,
    id: i64,
    epoch: i16,
}

pub(super) fn text(text: &str) -> StrBytes {
    StrBytes::from_string(text.to_owned())
}

fn topic(name: &str) -> TopicName {
    TopicName(text(name))
}

fn transactional_id() -> TransactionalId {
    TransactionalId(text(ID))
}

fn result(code: i16) -> Result<(), ErrorCode> {
    match ErrorCode::from_code(code) {
        Some(ErrorCode::None) => Ok(()),
        Some(error) => Err(error),
        None => panic!("{code} is no error of Kafka"),
    }
}

/// The answer, unless it does not come: a machine that is off answers nobody.
pub(super) async fn answer<R: Request>(
    shard: &Arc<Shard>,
    version: i16,
    request: &R,
) -> Result<R::Response, ErrorCode> {
    let asked = tokio::time::timeout(PATIENCE, ask(shard, version, request)).await;
    asked.map_err(|_| ErrorCode::RequestTimedOut)
}

impl<'a> Producer<'a> {
    pub(super) async fn begin(shard: &'a Arc<Shard>, flavor: Flavor) -> Result<Self, ErrorCode> {
        let request = InitProducerIdRequest::default()
            .with_transactional_id(Some(transactional_id()))
            .with_transaction_timeout_ms(i32::try_from(TIMEOUT_MS).expect("short"))
            .with_producer_id((-1).into())
            .with_producer_epoch(-1);
        for _ in 0..TRIES_MAX {
            let given = answer(shard, 4, &request).await?;
            match result(given.error_code) {
                Ok(()) => {
                    return Ok(Self { shard, flavor, id: given.producer_id.0, epoch: given.producer_epoch });
                }
                Err(ErrorCode::ConcurrentTransactions) => pass(20).await,
                Err(error) => return Err(error),
            }
        }
        Err(ErrorCode::ConcurrentTransactions)
    }

    /// Sends a record to a topic, as the first of this epoch there.
    pub(super) async fn send(&self, name: &str, value: &str) -> Result<(), ErrorCode> {
        if self.flavor == Flavor::One {
            let wanted = AddPartitionsToTxnTopic::default().with_name(topic(name)).with_partitions(vec![0]);
            let request = AddPartitionsToTxnRequest::default()
                .with_v3_and_below_transactional_id(transactional_id())
                .with_v3_and_below_producer_id(self.id.into())
                .with_v3_and_below_producer_epoch(self.epoch)
                .with_v3_and_below_topics(vec![wanted]);
            let added = answer(self.shard, 3, &request).await?;
            let added = added.results_by_topic_v3_and_below.first().expect("a topic");
            result(added.results_by_partition.first().expect("a partition").partition_error_code)?;
        }
        let data = PartitionProduceData::default().with_index(0).with_records(Some(self.batch(value)));
        let data = TopicProduceData::default().with_name(topic(name)).with_partition_data(vec![data]);
        let request = ProduceRequest::default()
            .with_transactional_id(Some(transactional_id()))
            .with_acks(-1)
            .with_timeout_ms(1000)
            .with_topic_data(vec![data]);
        let version = if self.flavor == Flavor::One { 11 } else { 12 };
        let sent = answer(self.shard, version, &request).await?;
        let sent = sent
            .responses
            .first()
            .expect("a topic")
            .partition_responses
            .first()
            .expect("a partition")
            .error_code;
        result(sent)
    }

    fn batch(&self, value: &str) -> Bytes {
        let mut builder = BatchBuilder::new().producer(self.id, self.epoch, 0).transactional();
        builder.push(NewRecord { timestamp: 1, key: None, value: Some(value.as_bytes()), headers: &[] });
        builder.build()
    }

    pub(super) async fn commit_offset(&self, offset: i64) -> Result<(), ErrorCode> {
        if self.flavor == Flavor::One {
            let request = AddOffsetsToTxnRequest::default()
                .with_transactional_id(transactional_id())
                .with_producer_id(self.id.into())
                .with_producer_epoch(self.epoch)
                .with_group_id(GroupId(text(GROUP)));
            result(answer(self.shard, 3, &request).await?.error_code)?;
        }
        let part = TxnOffsetCommitRequestPartition::default().with_committed_offset(offset);
        let wanted =
            TxnOffsetCommitRequestTopic::default().with_name(topic("orders")).with_partitions(vec![part]);
        let request = TxnOffsetCommitRequest::default()
            .with_transactional_id(transactional_id())
            .with_group_id(GroupId(text(GROUP)))
            .with_producer_id(self.id.into())
            .with_producer_epoch(self.epoch)
            .with_generation_id(-1)
            .with_topics(vec![wanted]);
        let version = if self.flavor == Flavor::One { 4 } else { 5 };
        let done = answer(self.shard, version, &request).await?;
        result(done.topics.first().expect("a topic").partitions.first().expect("a partition").error_code)
    }

    pub(super) async fn end(&self, committed: bool) -> Result<(), ErrorCode> {
        let request = EndTxnRequest::default()
            .with_transactional_id(transactional_id())
            .with_producer_id(self.id.into())
            .with_producer_epoch(self.epoch)
            .with_committed(committed);
        let version = if self.flavor == Flavor::One { 4 } else { 5 };
        result(answer(self.shard, version, &request).await?.error_code)
    }
}

/// One whole transaction that is committed.
pub(super) async fn transact(shard: &Arc<Shard>, value: &str, offset: i64) -> Result<(), ErrorCode> {
    let producer = Producer::begin(shard, Flavor::Two).await?;
    for name in TOPICS {
        producer.send(name, value).await?;
    }
    producer.commit_offset(offset).await?;
    producer.end(true).await
}

/// Makes the topics and the coordinators, and commits a transaction.
pub(super) async fn prepare(shard: &Arc<Shard>) {
    for name in TOPICS {
        let name = ottla_model::TopicName::new(name).expect("a name");
        shard.create_if_missing(&name).await.expect("made");
    }
    for (kind, key) in [(0, GROUP), (1, ID)] {
        let request =
            FindCoordinatorRequest::default().with_key_type(kind).with_coordinator_keys(vec![text(key)]);
        let found = answer(shard, 4, &request).await.expect("answered");
        assert_eq!(found.coordinators.first().map(|found| found.error_code), Some(0));
    }
    transact(shard, "before", OFFSETS[0]).await.expect("committed");
    pass(END_MS).await;
}

pub(super) async fn pass_time(milliseconds: u64) {
    pass(milliseconds).await;
}

impl Script {
    /// Goes through the transaction until something fails, and then lets time pass as a client does that gives up.
    pub(super) async fn run(self, shard: &Arc<Shard>) -> Told {
        let mut told = Told::default();
        // Whatever fails has failed because the machine is off.
        let _ = self.transact(shard, &mut told).await;
        pass(END_MS).await;
        told
    }

    async fn transact(self, shard: &Arc<Shard>, told: &mut Told) -> Result<(), ErrorCode> {
        let producer = Producer::begin(shard, self.flavor).await?;
        for (name, sent) in TOPICS.iter().zip(&mut told.sent) {
            producer.send(name, "now").await?;
            *sent = true;
        }
        producer.commit_offset(OFFSETS[1]).await?;
        told.offsets = true;
        if self.plan == Plan::TimeOut {
            return Ok(());
        }
        told.asked_to_commit = self.plan == Plan::Commit;
        producer.end(told.asked_to_commit).await?;
        told.ended = true;
        Ok(())
    }
}
