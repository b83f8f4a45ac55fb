//! Produce: appends one batch a partition, in the order of the request.

mod verify;

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use ottla_log::{Append, AppendError, BatchError, BatchHeader, Compression, Guard, Origin};
use ottla_model::{ErrorCode, Offset};
use ottla_wire::produce::{
    self, ProducePartition, ProducePartitionResponse, ProduceRequest, ProduceResponse, ProduceTopic,
    ProduceTopicResponse, RecordError,
};
use ottla_wire::{StrBytes, response_frame};

use super::call::{Call, Closed, Parts, Started};
use verify::{Judged, Verified};

use crate::error_codes;
use crate::shard::{Accepted, LiveTopic, Needs, Offline, Partition};

const ACKS_NONE: i16 = 0;
const ACKS_LEADER: i16 = 1;
const ACKS_ALL: i16 = -1;

/// Since this version a topic is named by its id.
const BY_TOPIC_ID: i16 = 13;

/// Since this version clients know Zstandard (KIP-110).
const KNOWS_ZSTD: i16 = 7;

/// About the bytes of one partition in an answer.
const PARTITION_ANSWER_BYTES: usize = 64;

/// What `acks=all` waits for before the answer may go.
struct Uncommitted {
    topic: usize,
    partition: usize,
    log: Arc<Partition>,
    end: Offset,
    sync: Needs,
}

impl Uncommitted {
    fn is_over(&self, acks: i16) -> bool {
        let waits = acks == ACKS_ALL || self.sync == Needs::First;
        !waits || self.log.high_watermark() >= self.end
    }
}

pub(super) fn handle(call: Call, body: Bytes) -> Result<Started, Closed> {
    let request = produce::decode_request(call.version(), &body)?;
    match verify::judge(&call, &request) {
        Judged::Known(verified) => append_all(call, request, &verified),
        Judged::Refused(error) => refuse_all(&call, &request, error),
        // What comes after it on this connection may be meant to be appended behind it, so that has to wait.
        Judged::Asked(mut verified, question, places) => Ok(Started::changing(async move {
            verified.judged(&call, &places, question.verdicts().await);
            match append_all(call, request, &verified)? {
                Started::Ready(parts) => Ok(parts),
                Started::Waiting(answer) => answer.await,
                Started::Changing(_) | Started::Nothing => Ok(Parts::new()),
            }
        })),
    }
}

/// Answers every partition with an error.
fn refuse_all(call: &Call, request: &ProduceRequest, error: ErrorCode) -> Result<Started, Closed> {
    let topics = request.topics.iter().map(|topic| ProduceTopicResponse {
        name: topic.name.clone(),
        topic_id: topic.topic_id,
        partitions: topic.partitions.iter().map(|part| refused(part.index, error)).collect(),
    });
    let response = ProduceResponse { topics: topics.collect(), ..ProduceResponse::default() };
    if request.acks == ACKS_NONE {
        return without_answer(&response);
    }
    answer(call, &response).map(Started::Ready)
}

fn append_all(call: Call, request: ProduceRequest, verified: &Verified) -> Result<Started, Closed> {
    let mut uncommitted = Vec::new();
    let mut response = ProduceResponse::default();
    for (place, topic) in request.topics.iter().enumerate() {
        let partitions = append_topic(&call, &request, verified, place, topic, &mut uncommitted);
        let name = topic.name.clone();
        response.topics.push(ProduceTopicResponse { name, topic_id: topic.topic_id, partitions });
    }
    if request.acks == ACKS_NONE {
        return without_answer(&response);
    }
    uncommitted.retain(|wait| !wait.is_over(request.acks));
    if uncommitted.is_empty() {
        return answer(&call, &response).map(Started::Ready);
    }
    let timeout = Duration::from_millis(u64::try_from(request.timeout_ms).unwrap_or(0));
    // Only the names are still needed; the records would keep the whole frame in memory.
    drop(request);
    Ok(Started::later(async move {
        let deadline = tokio::time::Instant::now() + timeout;
        for wait in uncommitted {
            match tokio::time::timeout_at(deadline, wait.log.committed(wait.end)).await {
                Ok(Ok(())) => {}
                Ok(Err(Offline)) => refuse(&mut response, &wait, ErrorCode::KafkaStorageError),
                Err(_) => refuse(&mut response, &wait, ErrorCode::RequestTimedOut),
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

fn refuse(response: &mut ProduceResponse, wait: &Uncommitted, error: ErrorCode) {
    let topic = response.topics.get_mut(wait.topic);
    if let Some(part) = topic.and_then(|topic| topic.partitions.get_mut(wait.partition)) {
        *part = refused(part.index, error);
    }
}

fn append_topic(
    call: &Call,
    request: &ProduceRequest,
    verified: &Verified,
    place: usize,
    topic: &ProduceTopic,
    uncommitted: &mut Vec<Uncommitted>,
) -> Vec<ProducePartitionResponse> {
    let found = look_up(call, request, topic);
    let append = |(number, partition): (usize, &ProducePartition)| {
        let live = match &found {
            Ok(live) => live,
            Err(error) => return refused(partition.index, *error),
        };
        let guard = match verified.guard((place, number)) {
            Ok(guard) => guard,
            Err(error) => return refused(partition.index, error),
        };
        match append(call, request.acks, live, partition, guard) {
            Ok((log, response, accepted)) => {
                let (end, sync) = (accepted.end(), accepted.sync);
                uncommitted.push(Uncommitted { topic: place, partition: number, log, end, sync });
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
    let live = if call.version() >= BY_TOPIC_ID {
        call.shard.topic_by_id(topic.topic_id).ok_or(ErrorCode::UnknownTopicId)?
    } else {
        let name = topic.name.as_deref().unwrap_or_default();
        call.shard.topic(name).ok_or(ErrorCode::UnknownTopicOrPartition)?
    };
    if live.topic.name.is_internal() {
        return Err(ErrorCode::InvalidTopicException);
    }
    Ok(live)
}

type Appended = (Arc<Partition>, ProducePartitionResponse, Accepted);

fn append(
    call: &Call,
    acks: i16,
    live: &LiveTopic,
    partition: &ProducePartition,
    guard: Option<Guard>,
) -> Result<Appended, Box<ProducePartitionResponse>> {
    let index = partition.index;
    let log = call.shard.partition(live, index).map_err(|error| Box::new(refused(index, error)))?;
    let records = partition.records.clone().unwrap_or_default();
    // Older clients do not know this codec (`ProduceRequest.validateRecords`).
    let header = BatchHeader::parse(&records);
    let zstd = header.is_some_and(|header| header.compression() == Some(Compression::Zstd));
    if zstd && call.version() < KNOWS_ZSTD {
        return Err(Box::new(refused(index, ErrorCode::UnsupportedCompressionType)));
    }
    let append = Append { guard, ..Append::new(log.leader_epoch(), Origin::Client, call.shard.wall()) };
    let accepted = log.append_as(records, append);
    let accepted = accepted.map_err(|error| Box::new(refused_append(call, &log, acks, &error)))?;
    let appended = accepted.appended;
    let response = ProducePartitionResponse {
        index,
        base_offset: appended.base_offset,
        log_append_time_ms: appended.log_append_time,
        log_start_offset: appended.log_start_offset,
        ..ProducePartitionResponse::default()
    };
    // A duplicate waits too: what it repeats may not be committed yet.
    Ok((log, response, accepted))
}

fn refused(index: i32, error: ErrorCode) -> ProducePartitionResponse {
    ProducePartitionResponse { index, error, ..ProducePartitionResponse::default() }
}

fn refused_append(call: &Call, log: &Partition, acks: i16, error: &AppendError) -> ProducePartitionResponse {
    tracing::debug!(partition = %log.name(), peer = %call.client.peer, acks, %error, "refused a batch");
    let mut response = refused(log.index, error_codes::of_append(error));
    if let AppendError::Batch(
        BatchError::Invalid(_) | BatchError::InvalidRecords(_) | BatchError::InvalidTimestamps(_),
    ) = error
    {
        // Kafka tells the start of the log for what it judged with the log at hand.
        response.log_start_offset = log.log().start_offset();
    }
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
