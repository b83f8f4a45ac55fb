//! ListOffsets: where a partition begins and ends, and where a time is in it.

use std::collections::HashMap;

use bytes::{Bytes, BytesMut};
use ottla_log::{Isolation, TimedOffset};
use ottla_model::{ErrorCode, NONE};
use ottla_wire::list_offsets::{
    self, EARLIEST_LOCAL_TIMESTAMP, EARLIEST_PENDING_UPLOAD_TIMESTAMP, EARLIEST_TIMESTAMP,
    LATEST_TIERED_TIMESTAMP, LATEST_TIMESTAMP, MAX_TIMESTAMP, RequestPartition, Response, ResponsePartition,
    ResponseTopic,
};
use ottla_wire::response_frame;

use super::call::{Call, Closed, Started};
use super::fetch::check_leader_epoch;
use crate::error_codes;
use crate::shard::{Partition, isolation_of};

/// The version since which a special timestamp means something.
const KNOWN_SINCE: &[(i64, i16)] = &[
    (LATEST_TIMESTAMP, 1),
    (EARLIEST_TIMESTAMP, 1),
    (MAX_TIMESTAMP, 7),
    (EARLIEST_LOCAL_TIMESTAMP, 8),
    (LATEST_TIERED_TIMESTAMP, 9),
    (EARLIEST_PENDING_UPLOAD_TIMESTAMP, 11),
];

pub(super) fn handle(call: Call, body: Bytes) -> Result<Started, Closed> {
    let request = list_offsets::decode_request(call.version(), &body)?;
    let mut times: HashMap<(&str, i32), u32> = HashMap::new();
    for topic in &request.topics {
        for asked in &topic.partitions {
            let seen = times.entry((&topic.name, asked.index)).or_default();
            *seen = seen.saturating_add(1);
        }
    }
    let mut response = Response::default();
    for topic in &request.topics {
        let mut partitions = Vec::with_capacity(topic.partitions.len());
        for asked in &topic.partitions {
            // One that is asked for twice is refused, once.
            let result = match times.remove(&(&*topic.name, asked.index)) {
                Some(1) => look_up(&call, &topic.name, asked, isolation_of(request.isolation_level)),
                Some(_) => Err(ErrorCode::InvalidRequest),
                None => continue,
            };
            partitions.push(answer(asked.index, result));
        }
        response.topics.push(ResponseTopic { name: topic.name.clone(), partitions });
    }
    let write = |buffer: &mut BytesMut| list_offsets::encode_response(call.version(), &response, buffer);
    let frame = response_frame(call.api_key(), call.version(), call.correlation_id(), 256, write)?;
    Ok(Started::Ready(vec![frame]))
}

fn answer(index: i32, result: Result<Option<TimedOffset>, ErrorCode>) -> ResponsePartition {
    match result {
        Ok(Some(TimedOffset { timestamp, offset, leader_epoch })) => {
            ResponsePartition { index, error: ErrorCode::None, timestamp, offset, leader_epoch }
        }
        Ok(None) => ResponsePartition { index, ..ResponsePartition::default() },
        Err(error) => ResponsePartition { index, error, ..ResponsePartition::default() },
    }
}

fn look_up(
    call: &Call,
    topic: &str,
    asked: &RequestPartition,
    isolation: Isolation,
) -> Result<Option<TimedOffset>, ErrorCode> {
    let known = KNOWN_SINCE.iter().find(|(timestamp, _)| *timestamp == asked.timestamp);
    if asked.timestamp < 0 && known.is_none_or(|(_, since)| call.version() < *since) {
        return Err(ErrorCode::UnsupportedVersion);
    }
    let live = call.shard.topic(topic).ok_or(ErrorCode::UnknownTopicOrPartition)?;
    let partition = call.shard.partition(&live, asked.index)?;
    check_leader_epoch(asked.current_leader_epoch, partition.leader_epoch())?;
    find(&partition, asked.timestamp, isolation)
}

fn find(
    partition: &Partition,
    timestamp: i64,
    isolation: Isolation,
) -> Result<Option<TimedOffset>, ErrorCode> {
    let end = partition.end_at(isolation);
    let log = partition.log();
    let at = |offset: i64| {
        // Where no record is yet, the next one will be of this epoch.
        let leader_epoch = log.epoch_at(offset).unwrap_or(partition.leader_epoch());
        Some(TimedOffset { timestamp: NONE, offset, leader_epoch })
    };
    match timestamp {
        // The end has the epoch that the next record will have.
        LATEST_TIMESTAMP => {
            let leader_epoch = partition.leader_epoch();
            Ok(Some(TimedOffset { timestamp: NONE, offset: end, leader_epoch }))
        }
        // Without remote storage the local log is the whole log.
        EARLIEST_TIMESTAMP | EARLIEST_LOCAL_TIMESTAMP => Ok(at(log.start_offset())),
        LATEST_TIERED_TIMESTAMP | EARLIEST_PENDING_UPLOAD_TIMESTAMP => Ok(None),
        // The largest timestamp of all is told, or none when the reader may not see that record.
        MAX_TIMESTAMP => {
            let found = log.offset_of_max_timestamp().map_err(|error| error_codes::of_read(&error))?;
            Ok(found.filter(|found| found.offset < end))
        }
        timestamp => log.offset_for_time(timestamp, end).map_err(|error| error_codes::of_read(&error)),
    }
}
