//! The requests of a transactional producer, each noted as an operation.

use std::collections::BTreeSet;

use kafka_protocol::messages::add_partitions_to_txn_request::AddPartitionsToTxnTopic;
use kafka_protocol::messages::txn_offset_commit_request::{
    TxnOffsetCommitRequestPartition, TxnOffsetCommitRequestTopic,
};
use kafka_protocol::messages::{
    AddOffsetsToTxnRequest, AddPartitionsToTxnRequest, EndTxnRequest, FindCoordinatorRequest, GroupId,
    InitProducerIdRequest, ProducerId, TopicName, TransactionalId, TxnOffsetCommitRequest,
};
use kafka_protocol::protocol::StrBytes;

use super::client::Client;
use super::committer::new_commit;
use super::connection::{Connection, Lost};
use super::topics::Topic;
use crate::history::{Answer, Call, Transaction};

const FIND_COORDINATOR_VERSION: i16 = 4;
/// The type of coordinator that transactional ids have.
const TRANSACTION: i8 = 1;
const INIT_PRODUCER_ID_VERSION: i16 = 4;
const ADD_PARTITIONS_VERSION: i16 = 3;
const ADD_OFFSETS_VERSION: i16 = 3;

/// How long a transaction of the load may take.
pub(super) const TRANSACTION_TIMEOUT_MS: u64 = 1500;

/// Which version of transactions a producer goes by (KIP-890).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flavor {
    /// Partitions are added before they are written to, and the epoch stays.
    One,
    /// A write adds its partition, and the epoch rises with each transaction.
    Two,
}

/// The versions of requests tell a broker what version of transactions its client goes by.
impl Flavor {
    pub(super) fn produce_version(self) -> i16 {
        match self {
            Self::One => 11,
            Self::Two => 12,
        }
    }

    fn end_version(self) -> i16 {
        match self {
            Self::One => 4,
            Self::Two => 5,
        }
    }

    fn offset_commit_version(self) -> i16 {
        match self {
            Self::One => 4,
            Self::Two => 5,
        }
    }
}

/// A producer as its requests name it.
#[derive(Debug, Clone)]
pub(super) struct Named {
    pub(super) transactional: String,
    pub(super) flavor: Flavor,
    /// Producer id and epoch.
    pub(super) identity: (i64, i16),
}

impl Named {
    fn transactional_id(&self) -> TransactionalId {
        transactional_id(&self.transactional)
    }
}

fn transactional_id(name: &str) -> TransactionalId {
    TransactionalId(text(name))
}

fn text(text: &str) -> StrBytes {
    StrBytes::from_string(text.to_owned())
}

/// Asks where the coordinator is, as every stock client does first: that makes the topic of transactions.
pub(super) fn find_coordinator(connection: &mut Connection, transactional: &str) -> Result<(), Lost> {
    let request = FindCoordinatorRequest::default()
        .with_key_type(TRANSACTION)
        .with_coordinator_keys(vec![text(transactional)]);
    let response = connection.call(FIND_COORDINATOR_VERSION, &request)?;
    let found = response.coordinators.iter().all(|coordinator| coordinator.error_code == 0);
    if found { Ok(()) } else { Err(Lost) }
}

/// Becomes the producer of a transactional id. None when the coordinator is not ready for that.
pub(super) fn become_producer(
    client: &Client,
    connection: &mut Connection,
    transactional: &str,
) -> Result<Option<(i64, i16)>, Lost> {
    let request = InitProducerIdRequest::default()
        .with_transactional_id(Some(transactional_id(transactional)))
        .with_producer_id(ProducerId(-1))
        .with_producer_epoch(-1)
        .with_transaction_timeout_ms(i32::try_from(TRANSACTION_TIMEOUT_MS).unwrap_or(i32::MAX));
    let operation = client.invoke(Call::Producer { transactional: transactional.to_owned() });
    let response = client.or_unknown(operation, connection.call(INIT_PRODUCER_ID_VERSION, &request))?;
    if response.error_code != 0 {
        client.refused(operation, response.error_code);
        return Ok(None);
    }
    let (id, epoch) = (response.producer_id.0, response.producer_epoch);
    client.ok(operation, Answer::Producer { id, epoch });
    Ok(Some((id, epoch)))
}

/// Adds partitions to the transaction; gives the first error.
pub(super) fn add_partitions(
    connection: &mut Connection,
    named: &Named,
    partitions: &[(Topic, i32)],
) -> Result<Result<(), i16>, Lost> {
    let topics = partitions.iter().map(|(topic, index)| {
        let name = TopicName(text(&topic.name));
        AddPartitionsToTxnTopic::default().with_name(name).with_partitions(vec![*index])
    });
    let request = AddPartitionsToTxnRequest::default()
        .with_v3_and_below_transactional_id(named.transactional_id())
        .with_v3_and_below_producer_id(ProducerId(named.identity.0))
        .with_v3_and_below_producer_epoch(named.identity.1)
        .with_v3_and_below_topics(topics.collect());
    let response = connection.call(ADD_PARTITIONS_VERSION, &request)?;
    let results = response.results_by_topic_v3_and_below.iter();
    let mut errors =
        results.flat_map(|topic| &topic.results_by_partition).map(|part| part.partition_error_code);
    Ok(errors.find(|error| *error != 0).map_or(Ok(()), Err))
}

/// Ends a transaction; gives the producer's identity from then on, or Kafka's error code.
pub(super) fn end(
    client: &Client,
    connection: &mut Connection,
    named: &Named,
    transaction: Transaction,
    committed: bool,
) -> Result<Result<(i64, i16), i16>, Lost> {
    let (id, epoch) = named.identity;
    let version = named.flavor.end_version();
    let request = EndTxnRequest::default()
        .with_transactional_id(named.transactional_id())
        .with_producer_id(ProducerId(id))
        .with_producer_epoch(epoch)
        .with_committed(committed);
    let operation = client.invoke(Call::End { transaction, id, epoch, committed });
    let response = client.or_unknown(operation, connection.call(version, &request))?;
    if response.error_code != 0 {
        client.refused(operation, response.error_code);
        return Ok(Err(response.error_code));
    }
    let next = match named.flavor {
        Flavor::One => named.identity,
        Flavor::Two => (response.producer_id.0, response.producer_epoch),
    };
    client.ok(operation, Answer::Ended { id: next.0, epoch: next.1 });
    Ok(Ok(next))
}

/// The APIs that offsets inside transactions need.
pub(super) const OFFSET_APIS: [i16; 2] = [25, 28];

/// Commits an offset of each of these partitions within the transaction; gives the first error.
pub(super) fn commit_offsets(
    client: &mut Client,
    connection: &mut Connection,
    named: &Named,
    (group, transaction): (&str, Transaction),
    partitions: &[(Topic, i32)],
    next: &mut u64,
) -> Result<Result<(), i16>, Lost> {
    if named.flavor == Flavor::One {
        let request = AddOffsetsToTxnRequest::default()
            .with_transactional_id(named.transactional_id())
            .with_producer_id(ProducerId(named.identity.0))
            .with_producer_epoch(named.identity.1)
            .with_group_id(GroupId(text(group)));
        let response = connection.call(ADD_OFFSETS_VERSION, &request)?;
        if response.error_code != 0 {
            return Ok(Err(response.error_code));
        }
    }
    let (mut topics, mut under_way) = (Vec::new(), Vec::new());
    for (topic, index) in partitions {
        let commit = new_commit(&mut client.random, next);
        let part = TxnOffsetCommitRequestPartition::default()
            .with_partition_index(*index)
            .with_committed_offset(commit.offset)
            .with_committed_leader_epoch(commit.leader_epoch)
            .with_committed_metadata(Some(text(&commit.metadata)));
        let name = TopicName(text(&topic.name));
        topics.push(TxnOffsetCommitRequestTopic::default().with_name(name).with_partitions(vec![part]));
        let (group, partition) = (group.to_owned(), topic.partition(*index));
        let transaction = Some(transaction);
        let call = Call::Commit { group, partition, commit, generation: -1, transaction };
        under_way.push((topic.name.clone(), *index, client.invoke(call)));
    }
    let request = TxnOffsetCommitRequest::default()
        .with_transactional_id(named.transactional_id())
        .with_group_id(GroupId(text(group)))
        .with_producer_id(ProducerId(named.identity.0))
        .with_producer_epoch(named.identity.1)
        .with_generation_id(-1)
        .with_topics(topics);
    let version = named.flavor.offset_commit_version();
    let response = connection.call(version, &request);
    let response = response.inspect_err(|_| {
        for (.., operation) in &under_way {
            client.unknown(*operation);
        }
    })?;
    let mut refused = Ok(());
    for (name, index, operation) in under_way {
        let topics = response.topics.iter().filter(|topic| topic.name.as_str() == name);
        let mut parts = topics.flat_map(|topic| &topic.partitions);
        let part = parts.find(|part| part.partition_index == index);
        match part.map_or(-1, |part| part.error_code) {
            0 => client.ok(operation, Answer::Done),
            error => {
                refused = refused.and(Err(error));
                client.unsure(operation, error);
            }
        }
    }
    Ok(refused)
}

/// The partitions of batches, each once.
pub(super) fn not_added(added: &BTreeSet<(u128, i32)>, wanted: &[(Topic, i32)]) -> Vec<(Topic, i32)> {
    wanted.iter().filter(|(topic, index)| !added.contains(&(topic.id.0, *index))).cloned().collect()
}
