//! Reads where no consumer would: in the middle of batches, at times, in topics that may be gone.

use std::collections::HashMap;

use kafka_protocol::messages::list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
use kafka_protocol::messages::{BrokerId, ListOffsetsRequest, TopicName};
use kafka_protocol::protocol::StrBytes;

use super::client::Client;
use super::connection::{Connection, Lost};
use super::consumer::{Read, fetch};
use super::produce::now_ms;
use super::topics::Topic;
use crate::history::{Answer, Call, Found, Partition};

const LIST_OFFSETS_VERSION: i16 = 8;
/// Rests between two probes, in milliseconds.
const REST_MS: u64 = 20;
/// How far around the clock times are looked up.
const TIME_SPREAD_MS: u64 = 90_000;
/// How many probes of each kind there are to one of the others.
const FIND_ONCE_IN: u64 = 3;
const PASSING_ONCE_IN: u64 = 3;

pub(super) fn run(mut client: Client) {
    // The high watermarks, as last told.
    let mut ends: HashMap<Partition, i64> = HashMap::new();
    client.keep_connected(|client, connection| {
        while !client.is_stopped() {
            probe(client, connection, &mut ends)?;
            client.rest(REST_MS);
        }
        Ok(())
    });
}

fn probe(
    client: &mut Client,
    connection: &mut Connection,
    ends: &mut HashMap<Partition, i64>,
) -> Result<(), Lost> {
    let passing = client.random.once_in(PASSING_ONCE_IN);
    let topics = if passing { client.world.passing().clone() } else { client.world.stable.clone() };
    let Some(topic) = client.random.pick(&topics).cloned() else { return Ok(()) };
    let index =
        i32::try_from(client.random.below(topic.partitions.unsigned_abs().into())).unwrap_or_default();
    if !passing && client.random.once_in(FIND_ONCE_IN) {
        let spread = client.random.below(TIME_SPREAD_MS * 2);
        let time = now_ms().saturating_add_unsigned(spread).saturating_sub_unsigned(TIME_SPREAD_MS);
        return find(client, connection, &topic, index, time).map(drop);
    }
    let partition = topic.partition(index);
    let end = ends.get(&partition).copied().unwrap_or_default();
    let offset = i64::try_from(client.random.below(end.unsigned_abs().saturating_add(1))).unwrap_or_default();
    for (_, got) in fetch(client, connection, vec![Read { topic, index, offset }], 0, false)? {
        if let Ok((bounds, _)) = got {
            ends.insert(partition, bounds.high_watermark);
        }
    }
    Ok(())
}

/// Times that stand for the ends of a log.
pub(super) const LATEST: i64 = -1;
pub(super) const EARLIEST: i64 = -2;

/// The offset at one of the ends of a log, or Kafka's error code.
pub(super) fn offset_at(
    connection: &mut Connection,
    topic: &Topic,
    index: i32,
    end: i64,
) -> Result<Result<i64, i16>, Lost> {
    let response = connection.call(LIST_OFFSETS_VERSION, &request(topic, index, end))?;
    let answer = response.topics.first().and_then(|topic| topic.partitions.first());
    Ok(match answer {
        Some(answer) if answer.error_code == 0 => Ok(answer.offset),
        Some(answer) => Err(answer.error_code),
        None => Err(-1),
    })
}

fn request(topic: &Topic, index: i32, time: i64) -> ListOffsetsRequest {
    let partition = ListOffsetsPartition::default().with_partition_index(index).with_timestamp(time);
    let asked = ListOffsetsTopic::default()
        .with_name(TopicName(StrBytes::from_string(topic.name.clone())))
        .with_partitions(vec![partition]);
    ListOffsetsRequest::default().with_replica_id(BrokerId(-1)).with_topics(vec![asked])
}

/// Looks up the first offset with this timestamp or a later one.
pub(super) fn find(
    client: &Client,
    connection: &mut Connection,
    topic: &Topic,
    index: i32,
    time: i64,
) -> Result<Result<Option<Found>, i16>, Lost> {
    let request = request(topic, index, time);
    let operation = client.invoke(Call::Find { partition: topic.partition(index), time });
    let response = client.or_unknown(operation, connection.call(LIST_OFFSETS_VERSION, &request))?;
    let answer = response.topics.first().and_then(|topic| topic.partitions.first());
    let Some(answer) = answer.filter(|answer| answer.error_code == 0) else {
        let error = answer.map_or(-1, |answer| answer.error_code);
        client.refused(operation, error);
        return Ok(Err(error));
    };
    let found = (answer.offset >= 0).then_some(Found { offset: answer.offset, time: answer.timestamp });
    client.ok(operation, Answer::Found(found));
    Ok(Ok(found))
}
