//! TxnOffsetCommit: offsets that a producer commits together with what it writes.
//!
//! The records are a batch of the producer's transaction in the partition of `__consumer_offsets` that the group lives in,
//! and are verified like any other.

use std::sync::Arc;

use bytes::Bytes;
use kafka_protocol::messages::txn_offset_commit_request::{
    TxnOffsetCommitRequestPartition, TxnOffsetCommitRequestTopic,
};
use kafka_protocol::messages::txn_offset_commit_response::{
    TxnOffsetCommitResponsePartition, TxnOffsetCommitResponseTopic,
};
use kafka_protocol::messages::{TxnOffsetCommitRequest, TxnOffsetCommitResponse};
use ottla_control::group::{Command, CommitOffsets, CommitPartition, CommitTopic, Groups, Reply};
use ottla_control::transaction::ProducerIdAndEpoch;
use ottla_log::{FirstBatch, Guard};
use ottla_model::{ErrorCode, TopicPartition};

use super::ask::unexpected;
use super::call::{Call, Closed, Started};
use super::text::{copied, copied_option};
use super::verification::{Operation, Question};
use crate::error_codes;
use crate::shard::{Coordinator, InTransaction, LiveTopic};

/// Since this version the partition is added to the transaction by the request itself (KIP-890).
const ADDS_PARTITION: i16 = 5;
/// Since this version clients know TRANSACTION_ABORTABLE.
const KNOWS_ABORTABLE: i16 = 4;

/// "No sequence number": the coordinator's batches have none that count.
const NO_SEQUENCE: i32 = -1;

/// A topic's place in the request, and what of it can be committed.
type Known = (usize, CommitTopic);

pub(super) fn handle(call: Call, body: Bytes) -> Result<Started, Closed> {
    let request: TxnOffsetCommitRequest = call.decode(body)?;
    // What comes after it on this connection may be meant to be behind it.
    Ok(Started::changing(async move {
        let mut response = TxnOffsetCommitResponse::default();
        let mut known = Vec::with_capacity(request.topics.len());
        for (place, topic) in request.topics.iter().enumerate() {
            let mut answered = TxnOffsetCommitResponseTopic::default().with_name(topic.name.clone());
            let found = look_up(&call, topic, &mut answered);
            known.extend(found.map(|found| (place, found)));
            response.topics.push(answered);
        }
        if !known.is_empty() {
            commit(&call, &request, known, &mut response).await;
        }
        call.answer(&response)
    }))
}

/// What of a topic can be committed, if anything. The rest is answered at once.
fn look_up(
    call: &Call,
    topic: &TxnOffsetCommitRequestTopic,
    answered: &mut TxnOffsetCommitResponseTopic,
) -> Option<CommitTopic> {
    let live = call.shard.topic(&topic.name);
    let mut partitions = Vec::with_capacity(topic.partitions.len());
    for part in &topic.partitions {
        match live.as_ref().and_then(|live| to_command(live, part)) {
            Some(known) => partitions.push(known),
            None => refuse(answered, part.partition_index, ErrorCode::UnknownTopicOrPartition),
        }
    }
    let live = live.filter(|_| !partitions.is_empty())?;
    Some(CommitTopic { topic: live.topic.name.clone(), topic_id: live.topic.id, partitions })
}

fn to_command(live: &LiveTopic, part: &TxnOffsetCommitRequestPartition) -> Option<CommitPartition> {
    let partition = live.partition(part.partition_index)?;
    Some(CommitPartition {
        partition: part.partition_index,
        offset: part.committed_offset,
        leader_epoch: part.committed_leader_epoch,
        metadata: part.committed_metadata.as_deref().map(Box::from),
        log_end: Some(partition.high_watermark()),
    })
}

fn refuse(topic: &mut TxnOffsetCommitResponseTopic, index: i32, error: ErrorCode) {
    let part = TxnOffsetCommitResponsePartition::default().with_partition_index(index);
    topic.partitions.push(part.with_error_code(error.code()));
}

async fn commit(
    call: &Call,
    request: &TxnOffsetCommitRequest,
    known: Vec<Known>,
    response: &mut TxnOffsetCommitResponse,
) {
    let asked: Vec<Vec<i32>> =
        known.iter().map(|(_, topic)| topic.partitions.iter().map(|part| part.partition).collect()).collect();
    let (places, topics): (Vec<usize>, Vec<CommitTopic>) = known.into_iter().unzip();
    let outcomes = match ask(call, request, topics).await {
        Ok(outcomes) => outcomes,
        Err(error) => asked
            .into_iter()
            .map(|partitions| partitions.into_iter().map(|index| (index, error)).collect())
            .collect(),
    };
    for (place, outcomes) in places.into_iter().zip(outcomes) {
        let Some(answered) = response.topics.get_mut(place) else { continue };
        outcomes.into_iter().for_each(|(index, error)| refuse(answered, index, error));
    }
}

/// The partitions of each topic and what became of them.
type Outcomes = Vec<Vec<(i32, ErrorCode)>>;

/// Has the offsets appended as part of the producer's transaction.
///
/// # Errors
/// What all partitions are answered with.
async fn ask(
    call: &Call,
    request: &TxnOffsetCommitRequest,
    topics: Vec<CommitTopic>,
) -> Result<Outcomes, ErrorCode> {
    if request.group_id.is_empty() {
        return Err(ErrorCode::InvalidGroupId);
    }
    let coordinator = Arc::clone(call.shard.group(&request.group_id)?);
    let producer =
        ProducerIdAndEpoch { producer_id: request.producer_id.0, producer_epoch: request.producer_epoch };
    let guard = verify(call, &request.transactional_id, producer, &coordinator).await.map_err(told)?;
    let commit = CommitOffsets {
        group_id: copied(&request.group_id),
        member_id: copied(&request.member_id),
        group_instance_id: copied_option(request.group_instance_id.as_ref()),
        generation_or_member_epoch: request.generation_id,
        retention_time_ms: CommitOffsets::DEFAULT_RETENTION_TIME_MS,
        // Whatever is wrong with the generation, it is ILLEGAL_GENERATION here.
        knows_group_id_not_found: false,
        in_transaction: true,
        topics,
    };
    let ProducerIdAndEpoch { producer_id, producer_epoch } = producer;
    let transaction = InTransaction { producer_id, producer_epoch, guard };
    let reply = coordinator.submit_in(transaction, call.caller(), Command::CommitOffsets(commit)).await;
    match reply.map_err(|_| ErrorCode::NotCoordinator) {
        Ok(Reply::CommitOffsets(reply)) => {
            Ok(reply.topics.into_iter().map(|topic| topic.partitions).collect())
        }
        other => Err(unexpected(other)),
    }
}

/// Makes sure that the group's partition belongs to the transaction, and that this is open. Gives what the append needs.
async fn verify(
    call: &Call,
    transactional_id: &str,
    producer: ProducerIdAndEpoch,
    coordinator: &Coordinator<Groups>,
) -> Result<Option<Guard>, ErrorCode> {
    let operation = match call.version() {
        ADDS_PARTITION.. => Operation::Add,
        version => Operation::Verify { knows_abortable: version >= KNOWS_ABORTABLE },
    };
    let partition = coordinator.partition();
    let first = FirstBatch {
        producer_id: producer.producer_id,
        producer_epoch: producer.producer_epoch,
        base_sequence: NO_SEQUENCE,
        bumps_epochs: operation.bumps_epochs(),
    };
    let guard = partition.log().begin_verification(first, call.shard.wall());
    let Some(guard) = guard.map_err(|error| error_codes::of_append(&error))? else { return Ok(None) };
    let at = TopicPartition { topic: partition.topic.clone(), partition: partition.index };
    if let Some(question) = Question::new(call, transactional_id, producer, vec![at], operation) {
        let verdicts = question.verdicts().await;
        if let Some(error) = verdicts.into_iter().find(|verdict| verdict.is_error()) {
            return Err(error);
        }
    }
    Ok(Some(guard))
}

/// What the group's coordinator tells of a failure (`CoordinatorOperationExceptionHelper`).
fn told(error: ErrorCode) -> ErrorCode {
    match error {
        ErrorCode::KafkaStorageError => ErrorCode::NotCoordinator,
        other => other,
    }
}
