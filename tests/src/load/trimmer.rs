//! Deletes records: moves the starts of the topic that is for it.

use std::collections::HashMap;

use kafka_protocol::messages::delete_records_request::{DeleteRecordsPartition, DeleteRecordsTopic};
use kafka_protocol::messages::{DeleteRecordsRequest, TopicName};
use kafka_protocol::protocol::StrBytes;

use super::client::Client;
use super::connection::{Connection, Lost};
use super::prober::{LATEST, offset_at};
use super::topics::{TRIMMED, Topic};
use crate::history::{Answer, Call, Partition};

const DELETE_RECORDS_VERSION: i16 = 2;
const LIMIT_MS: i32 = 10_000;
/// Rests between two requests, in milliseconds.
const REST_MS: u64 = 80;

pub(super) fn run(mut client: Client) {
    let mut starts: HashMap<Partition, i64> = HashMap::new();
    client.keep_connected(|client, connection| {
        while !client.is_stopped() {
            let Some(topic) = client.world.stable.iter().find(|topic| topic.name == TRIMMED).cloned() else {
                break;
            };
            let partitions = topic.partitions.unsigned_abs().into();
            let index = i32::try_from(client.random.below(partitions)).unwrap_or_default();
            let start = starts.entry(topic.partition(index)).or_default();
            let end = offset_at(connection, &topic, index, LATEST)?.unwrap_or(*start);
            // Most often a little, so that much stays to be looked at; now and then up to the end.
            let span = end.saturating_sub(*start).unsigned_abs().saturating_add(1);
            let span = if client.random.once_in(20) { span } else { span / 4 + 1 };
            let before = start.saturating_add_unsigned(client.random.below(span)).min(end);
            if let Some(moved) = trim(client, connection, &topic, index, before)? {
                *start = moved;
            }
            client.rest(REST_MS);
        }
        Ok(())
    });
}

fn trim(
    client: &Client,
    connection: &mut Connection,
    topic: &Topic,
    index: i32,
    before: i64,
) -> Result<Option<i64>, Lost> {
    let partition = DeleteRecordsPartition::default().with_partition_index(index).with_offset(before);
    let asked = DeleteRecordsTopic::default()
        .with_name(TopicName(StrBytes::from_string(topic.name.clone())))
        .with_partitions(vec![partition]);
    let request = DeleteRecordsRequest::default().with_topics(vec![asked]).with_timeout_ms(LIMIT_MS);
    let operation = client.invoke(Call::Trim { partition: topic.partition(index), before });
    let response = client.or_unknown(operation, connection.call(DELETE_RECORDS_VERSION, &request))?;
    let answer = response.topics.first().and_then(|topic| topic.partitions.first());
    match answer {
        Some(answer) if answer.error_code == 0 => {
            client.ok(operation, Answer::Trimmed { log_start: answer.low_watermark });
            Ok(Some(answer.low_watermark))
        }
        answer => {
            client.refused(operation, answer.map_or(-1, |answer| answer.error_code));
            Ok(None)
        }
    }
}
