//! AddPartitionsToTxn: one transaction of a client up to version 3; from 4 on several, between brokers, which may only be
//! verified.

use bytes::Bytes;
use kafka_protocol::messages::add_partitions_to_txn_request::{
    AddPartitionsToTxnTopic, AddPartitionsToTxnTransaction,
};
use kafka_protocol::messages::add_partitions_to_txn_response::{
    AddPartitionsToTxnPartitionResult, AddPartitionsToTxnResult, AddPartitionsToTxnTopicResult,
};
use kafka_protocol::messages::{AddPartitionsToTxnRequest, AddPartitionsToTxnResponse};
use ottla_control::transaction::{
    AddPartitions, Command, ProducerIdAndEpoch, Reply, TransactionVersion, VerifyPartitions,
};
use ottla_model::{ErrorCode, TopicName, TopicPartition};

use super::call::{Call, Closed, Started};
use super::text::copied;
use super::transactions::{KNOWS_FENCED, known_to, unexpected};

/// Since this version a request holds several transactions (KIP-890).
const SEVERAL: i16 = 4;
/// Since this version the epoch rises with every transaction (KIP-890).
const BUMPS_EPOCH: i16 = 5;

/// Each partition's number and what became of it, by topic and in the order of the request.
type Results = Vec<AddPartitionsToTxnTopicResult>;

pub(super) fn handle(call: Call, body: Bytes) -> Result<Started, Closed> {
    let mut request: AddPartitionsToTxnRequest = call.decode(body)?;
    if call.version() < SEVERAL {
        let only = AddPartitionsToTxnTransaction::default()
            .with_transactional_id(request.v3_and_below_transactional_id)
            .with_producer_id(request.v3_and_below_producer_id)
            .with_producer_epoch(request.v3_and_below_producer_epoch)
            .with_topics(request.v3_and_below_topics);
        request.transactions = vec![only];
    }
    Ok(Started::changing(async move {
        let mut response = AddPartitionsToTxnResponse::default();
        for transaction in request.transactions {
            let results = add(&call, &transaction).await;
            if call.version() < SEVERAL {
                response.results_by_topic_v3_and_below = results;
            } else {
                let result = AddPartitionsToTxnResult::default()
                    .with_transactional_id(transaction.transactional_id)
                    .with_topic_results(results);
                response.results_by_transaction.push(result);
            }
        }
        call.answer(&response)
    }))
}

async fn add(call: &Call, transaction: &AddPartitionsToTxnTransaction) -> Results {
    let (partitions, wrong) = look_up(call, &transaction.topics);
    if wrong.iter().flatten().any(|verdict| verdict.is_error()) {
        return results(&transaction.topics, wrong);
    }
    let command = command(call.version(), transaction, partitions);
    let submitted = call.shard.transaction(&transaction.transactional_id);
    let reply = match submitted.map(|coordinator| coordinator.submit(call.caller(), command)) {
        Ok(receiver) => receiver.await.map_err(|_| ErrorCode::NotCoordinator),
        Err(error) => Err(error),
    };
    let error = match reply {
        Ok(Reply::AddPartitions(added)) => added.err().unwrap_or_default(),
        Ok(Reply::VerifyPartitions(verdicts)) => {
            let mut verdicts = verdicts.into_iter().map(|(_, verdict)| verdict);
            let by_topic = wrong.iter().map(|topic| verdicts.by_ref().take(topic.len()).collect()).collect();
            return results(&transaction.topics, by_topic);
        }
        other => unexpected(other),
    };
    let error = known_to(call.version(), KNOWS_FENCED, error);
    results(&transaction.topics, wrong.iter().map(|topic| vec![error; topic.len()]).collect())
}

fn command(
    version: i16,
    transaction: &AddPartitionsToTxnTransaction,
    partitions: Vec<TopicPartition>,
) -> Command {
    let transactional_id = copied(&transaction.transactional_id);
    let producer = ProducerIdAndEpoch {
        producer_id: transaction.producer_id.0,
        producer_epoch: transaction.producer_epoch,
    };
    if transaction.verify_only {
        return Command::VerifyPartitions(VerifyPartitions { transactional_id, producer, partitions });
    }
    let client_version = if version >= BUMPS_EPOCH { TransactionVersion::V2 } else { TransactionVersion::V0 };
    Command::AddPartitions(AddPartitions { transactional_id, producer, partitions, client_version })
}

/// The partitions, and what is wrong with each. One that is wrong spoils it for the others.
fn look_up(call: &Call, topics: &[AddPartitionsToTxnTopic]) -> (Vec<TopicPartition>, Vec<Vec<ErrorCode>>) {
    let mut partitions = Vec::new();
    let mut wrong = Vec::with_capacity(topics.len());
    let mut all_right = true;
    for topic in topics {
        let name = TopicName::new(&topic.name);
        let verdicts = topic.partitions.iter().map(|&index| match check(call, name.as_ref().ok(), index) {
            Ok(partition) => {
                partitions.push(partition);
                ErrorCode::None
            }
            Err(error) => {
                all_right = false;
                error
            }
        });
        wrong.push(verdicts.collect::<Vec<_>>());
    }
    if !all_right {
        let right = wrong.iter_mut().flatten().filter(|verdict| !verdict.is_error());
        right.for_each(|verdict| *verdict = ErrorCode::OperationNotAttempted);
    }
    (partitions, wrong)
}

fn check(call: &Call, name: Option<&TopicName>, index: i32) -> Result<TopicPartition, ErrorCode> {
    let topic = name.ok_or(ErrorCode::UnknownTopicOrPartition)?;
    // Clients add those by AddOffsetsToTxn.
    if call.version() < SEVERAL && topic.is_internal() {
        return Err(ErrorCode::TopicAuthorizationFailed);
    }
    let live = call.shard.topic(topic.as_str()).ok_or(ErrorCode::UnknownTopicOrPartition)?;
    live.partition(index).ok_or(ErrorCode::UnknownTopicOrPartition)?;
    Ok(TopicPartition { topic: topic.clone(), partition: index })
}

fn results(topics: &[AddPartitionsToTxnTopic], verdicts: Vec<Vec<ErrorCode>>) -> Results {
    let topics = topics.iter().zip(verdicts).map(|(topic, verdicts)| {
        let partitions = topic.partitions.iter().zip(verdicts).map(|(&index, verdict)| {
            AddPartitionsToTxnPartitionResult::default()
                .with_partition_index(index)
                .with_partition_error_code(verdict.code())
        });
        AddPartitionsToTxnTopicResult::default()
            .with_name(topic.name.clone())
            .with_results_by_partition(partitions.collect())
    });
    topics.collect()
}
