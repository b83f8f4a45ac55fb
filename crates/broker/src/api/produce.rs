//! Produce: appends one batch a partition, in the order of the request.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use ottla_log::{AppendError, BatchError, BatchHeader, Origin};
use ottla_model::{ErrorCode, Offset};
use ottla_wire::produce::{
    self, ProducePartition, ProducePartitionResponse, ProduceRequest, ProduceResponse, ProduceTopic,
    ProduceTopicResponse, RecordError,
};
use ottla_wire::{StrBytes, response_frame};

use super::call::{Call, Closed, Parts, Started};
use crate::error_codes;
use crate::settings;
use crate::shard::{LiveTopic, Partition};

const ACKS_NONE: i16 = 0;
const ACKS_LEADER: i16 = 1;
const ACKS_ALL: i16 = -1;

/// Since this version a topic is named by its id.
const BY_TOPIC_ID: i16 = 13;

/// About the bytes of one partition in an answer.
const PARTITION_ANSWER_BYTES: usize = 64;

/// What `acks=all` waits for before the answer may go.
struct Uncommitted {
    topic: usize,
    partition: usize,
    log: Arc<Partition>,
    end: Offset,
}

pub(super) fn handle(call: Call, body: Bytes) -> Result<Started, Closed> {
    let request = produce::decode_request(call.version(), &body)?;
    let mut uncommitted = Vec::new();
    let mut response = ProduceResponse::default();
    for (place, topic) in request.topics.iter().enumerate() {
        let partitions = append_topic(&call, &request, topic, place, &mut uncommitted);
        let name = topic.name.clone();
        response.topics.push(ProduceTopicResponse { name, topic_id: topic.topic_id, partitions });
    }
    if request.acks == ACKS_NONE {
        return without_answer(&response);
    }
    if request.acks != ACKS_ALL || uncommitted.iter().all(|wait| wait.log.high_watermark() >= wait.end) {
        return answer(&call, &response).map(Started::Ready);
    }
    let timeout = Duration::from_millis(u64::try_from(request.timeout_ms).unwrap_or(0));
    // Only the names are still needed; the records would keep the whole frame in memory.
    drop(request);
    Ok(Started::later(async move {
        let deadline = tokio::time::Instant::now() + timeout;
        for wait in uncommitted {
            if tokio::time::timeout_at(deadline, wait.log.committed(wait.end)).await.is_err() {
                time_out(&mut response, wait.topic, wait.partition);
            }
        }
        answer(&call, &response)
    }))
}

/// A producer that wants no answer learns of an error by losing its connection, as from Kafka.
fn without_answer(response: &ProduceResponse) -> Result<Started, Closed> {
    let failed =
        response.topics.iter().flat_map(|topic| &topic.partitions).find(|part| part.error.is_error());
    match failed {
        None => Ok(Started::Nothing),
        Some(part) => Err(Closed::new(format!("a produce with acks=0 failed with {}", part.error))),
    }
}

fn time_out(response: &mut ProduceResponse, topic: usize, partition: usize) {
    let part = response.topics.get_mut(topic).and_then(|topic| topic.partitions.get_mut(partition));
    if let Some(part) = part {
        *part = refused(part.index, ErrorCode::RequestTimedOut);
    }
}

fn append_topic(
    call: &Call,
    request: &ProduceRequest,
    topic: &ProduceTopic,
    place: usize,
    uncommitted: &mut Vec<Uncommitted>,
) -> Vec<ProducePartitionResponse> {
    let found = look_up(call, request, topic);
    let append = |(number, partition): (usize, &ProducePartition)| {
        let live = match &found {
            Ok(live) => live,
            Err(error) => return refused(partition.index, *error),
        };
        match append(call, request.acks, live, partition) {
            Ok((log, response, end)) => {
                uncommitted.push(Uncommitted { topic: place, partition: number, log, end });
                response
            }
            Err(response) => *response,
        }
    };
    topic.partitions.iter().enumerate().map(append).collect()
}

/// The topic, if this request may write to it.
fn look_up(call: &Call, request: &ProduceRequest, topic: &ProduceTopic) -> Result<Arc<LiveTopic>, ErrorCode> {
    if !matches!(request.acks, ACKS_ALL | ACKS_NONE | ACKS_LEADER) {
        return Err(ErrorCode::InvalidRequiredAcks);
    }
    if request.transactional_id.is_some() {
        return Err(ErrorCode::TransactionalIdAuthorizationFailed);
    }
    let live = if call.version() >= BY_TOPIC_ID {
        call.shard.topic_by_id(topic.topic_id).ok_or(ErrorCode::UnknownTopicId)?
    } else {
        let name = topic.name.as_deref().unwrap_or_default();
        call.shard.topic(name).ok_or(ErrorCode::UnknownTopicOrPartition)?
    };
    if live.topic.name.is_internal() {
        return Err(ErrorCode::InvalidTopicException);
    }
    if request.acks == ACKS_ALL {
        let wanted = settings::effective(call.shard.settings(), &live.topic.configs, "min.insync.replicas");
        if wanted.and_then(|text| text.parse().ok()).unwrap_or(1) > 1 {
            return Err(ErrorCode::NotEnoughReplicas);
        }
    }
    Ok(live)
}

type Appended = (Arc<Partition>, ProducePartitionResponse, Offset);

fn append(
    call: &Call,
    acks: i16,
    live: &LiveTopic,
    partition: &ProducePartition,
) -> Result<Appended, Box<ProducePartitionResponse>> {
    let index = partition.index;
    let log = call.shard.partition(live, index).map_err(|error| Box::new(refused(index, error)))?;
    let records = partition.records.clone().unwrap_or_default();
    // Until transactions are served no batch can be part of an open one.
    if BatchHeader::parse(&records).is_some_and(|header| header.is_transactional()) {
        return Err(Box::new(refused(index, ErrorCode::InvalidTxnState)));
    }
    let appended = log.append(records, Origin::Client, call.shard.wall());
    let appended = appended.map_err(|error| Box::new(refused_append(call, live, index, acks, &error)))?;
    let response = ProducePartitionResponse {
        index,
        base_offset: appended.base_offset,
        log_append_time_ms: appended.log_append_time,
        log_start_offset: appended.log_start_offset,
        ..ProducePartitionResponse::default()
    };
    // A duplicate waits too: what it repeats may not be committed yet.
    let end = appended.last_offset.saturating_add(1);
    Ok((log, response, end))
}

fn refused(index: i32, error: ErrorCode) -> ProducePartitionResponse {
    ProducePartitionResponse { index, error, ..ProducePartitionResponse::default() }
}

fn refused_append(
    call: &Call,
    live: &LiveTopic,
    index: i32,
    acks: i16,
    error: &AppendError,
) -> ProducePartitionResponse {
    let code = error_codes::of_append(error);
    tracing::debug!(
        partition = %format_args!("{}-{index}", live.topic.name), peer = %call.client.peer, acks, %error, "refused a batch"
    );
    let mut response = refused(index, code);
    response.error_message = Some(StrBytes::from_string(error.to_string()));
    if let AppendError::Batch(BatchError::InvalidRecords(records) | BatchError::InvalidTimestamps(records)) =
        error
    {
        let records = records.iter().map(|record| RecordError {
            batch_index: record.batch_index,
            message: Some(StrBytes::from_string(record.message.clone())),
        });
        response.record_errors = records.collect();
    }
    response
}

fn answer(call: &Call, response: &ProduceResponse) -> Result<Parts, Closed> {
    let partitions: usize = response.topics.iter().map(|topic| topic.partitions.len()).sum();
    let guess = partitions.saturating_mul(PARTITION_ANSWER_BYTES);
    let write = |buffer: &mut BytesMut| produce::encode_response(call.version(), response, buffer);
    let frame = response_frame(call.api_key(), call.version(), call.correlation_id(), guess, write)?;
    Ok(vec![frame])
}
