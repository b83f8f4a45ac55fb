//! DescribeLogDirs and AlterReplicaLogDirs: what is in the one log directory, and that nothing moves to another.

use std::collections::{BTreeMap, BTreeSet};

use bytes::{Bytes, BytesMut};
use kafka_protocol::messages::alter_replica_log_dirs_response::{
    AlterReplicaLogDirPartitionResult, AlterReplicaLogDirTopicResult,
};
use kafka_protocol::messages::{
    AlterReplicaLogDirsRequest, AlterReplicaLogDirsResponse, DescribeLogDirsRequest,
};
use ottla_model::{ErrorCode, PartitionIndex};
use ottla_wire::describe_log_dirs::{LogDir, Partition, Response, Topic, encode_response, request_version};
use ottla_wire::response_frame;

use super::call::{Call, Closed, Parts, Started};
use super::text::text;
use crate::shard::LiveTopic;

/// `DescribeLogDirsResponse.UNKNOWN_VOLUME_BYTES`.
const UNKNOWN_BYTES: i64 = -1;

/// DescribeLogDirs.
pub(super) fn describe(call: Call, mut body: Bytes) -> Result<Started, Closed> {
    let request: DescribeLogDirsRequest = ottla_wire::decode(request_version(call.version()), &mut body)?;
    Ok(Started::later(async move {
        // The file system is asked, which may take its time, and with many partitions so do their locks.
        let described = tokio::task::spawn_blocking(move || answer(&call, &request));
        described
            .await
            .unwrap_or_else(|_| Err(Closed::new("a bug: describing log directories ended early".to_owned())))
    }))
}

fn answer(call: &Call, request: &DescribeLogDirsRequest) -> Result<Parts, Closed> {
    let topics = match &request.topics {
        None => call.shard.topics().iter().filter_map(|live| topic(live, |_| true)).collect(),
        Some(asked) => {
            let mut partitions: BTreeMap<&str, BTreeSet<PartitionIndex>> = BTreeMap::new();
            for topic in asked {
                partitions.entry(&topic.topic).or_default().extend(&topic.partitions);
            }
            let asked = partitions
                .iter()
                .filter_map(|(name, asked)| topic(&*call.shard.topic(name)?, |index| asked.contains(&index)));
            asked.collect()
        }
    };
    let space = call.shard.space();
    let bytes = |bytes: u64| i64::try_from(bytes).unwrap_or(i64::MAX);
    let log_dir = LogDir {
        error: ErrorCode::None,
        path: text(&call.shard.log_dir()),
        topics,
        total_bytes: space.map_or(UNKNOWN_BYTES, |space| bytes(space.total_bytes)),
        usable_bytes: space.map_or(UNKNOWN_BYTES, |space| bytes(space.usable_bytes)),
        is_cordoned: false,
    };
    let response = Response { throttle_time_ms: 0, error: ErrorCode::None, results: vec![log_dir] };
    let write = |buffer: &mut BytesMut| encode_response(call.version(), &response, buffer);
    Ok(vec![response_frame(call.api_key(), call.version(), call.correlation_id(), 256, write)?])
}

/// The partitions of a topic that are asked for and exist; nothing without any.
fn topic(live: &LiveTopic, is_asked: impl Fn(PartitionIndex) -> bool) -> Option<Topic> {
    let partitions = live.partitions.iter().filter(|partition| is_asked(partition.index));
    let partitions: Vec<Partition> = partitions
        .map(|partition| Partition {
            index: partition.index,
            size_bytes: i64::try_from(partition.log().size_bytes()).unwrap_or(i64::MAX),
            // The high watermark of a leader is never beyond its end.
            offset_lag: 0,
            is_future: false,
        })
        .collect();
    (!partitions.is_empty()).then(|| Topic { name: text(live.topic.name.as_str()), partitions })
}

/// AlterReplicaLogDirs: a partition is where it is to be already, or there is no such directory.
pub(super) fn alter(call: Call, body: Bytes) -> Result<Started, Closed> {
    let request: AlterReplicaLogDirsRequest = call.decode(body)?;
    let here = call.shard.log_dir();
    let mut results: BTreeMap<&str, BTreeMap<PartitionIndex, ErrorCode>> = BTreeMap::new();
    for directory in &request.dirs {
        for topic in directory.topics.iter().filter(|topic| !topic.partitions.is_empty()) {
            let live = call.shard.topic(&topic.name);
            let result = |index: PartitionIndex| {
                if directory.path.as_str() != here {
                    ErrorCode::LogDirNotFound
                } else if live.as_ref().is_none_or(|live| live.partition(index).is_none()) {
                    ErrorCode::UnknownTopicOrPartition
                } else {
                    ErrorCode::None
                }
            };
            let partitions = topic.partitions.iter().map(|index| (*index, result(*index)));
            results.entry(&topic.name).or_default().extend(partitions);
        }
    }
    let results = results.into_iter().map(|(name, partitions)| {
        let partitions = partitions.into_iter().map(|(index, error)| {
            AlterReplicaLogDirPartitionResult::default()
                .with_partition_index(index)
                .with_error_code(error.code())
        });
        AlterReplicaLogDirTopicResult::default()
            .with_topic_name(text(name).into())
            .with_partitions(partitions.collect())
    });
    call.ready(&AlterReplicaLogDirsResponse::default().with_results(results.collect()))
}
