//! Produce requests and their answers.

use std::collections::BTreeMap;

use bytes::Bytes;
use kafka_protocol::messages::ProduceRequest;
use kafka_protocol::messages::produce_request::{PartitionProduceData, TopicProduceData};

use crate::client::{Cluster, Problem, topic_name};

/// How long the leader may wait for replicas, in milliseconds.
const REPLICAS_TIMEOUT_MS: i32 = 30_000;

/// What a leader said of a partition's batch.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) partition: i32,
    pub(super) error_code: i16,
    pub(super) message: Option<String>,
    /// -1 when it is not known.
    pub(super) base_offset: i64,
}

/// Sends each broker its batches, all before the first answer is waited for.
pub(super) fn exchange(
    cluster: &mut Cluster,
    topic: &str,
    acks: i16,
    by_node: BTreeMap<i32, BTreeMap<i32, Bytes>>,
) -> Vec<(i32, Result<Vec<Answer>, Problem>)> {
    let mut posted = Vec::new();
    let mut outcomes = Vec::new();
    for (node, batches) in by_node {
        let partitions: Vec<i32> = batches.keys().copied().collect();
        let data =
            |(index, records)| PartitionProduceData::default().with_index(index).with_records(Some(records));
        let data = TopicProduceData::default()
            .with_name(topic_name(topic))
            .with_partition_data(batches.into_iter().map(data).collect());
        let request = ProduceRequest::default()
            .with_acks(acks)
            .with_timeout_ms(REPLICAS_TIMEOUT_MS)
            .with_topic_data(vec![data]);
        match cluster.node(node).and_then(|connection| connection.post(&request)) {
            Ok(sent) => posted.push((node, partitions, sent)),
            Err(problem) => outcomes.push((node, Err(problem))),
        }
    }
    for (node, partitions, sent) in posted {
        let unknown = |&partition: &i32| Answer { partition, error_code: 0, message: None, base_offset: -1 };
        let outcome = if acks == 0 {
            // There is no answer to wait for.
            Ok(partitions.iter().map(unknown).collect())
        } else {
            cluster.node(node).and_then(|connection| connection.receive::<ProduceRequest>(sent)).map(answers)
        };
        outcomes.push((node, outcome));
    }
    outcomes
}

fn answers(response: kafka_protocol::messages::ProduceResponse) -> Vec<Answer> {
    let partitions = response.responses.into_iter().flat_map(|topic| topic.partition_responses);
    let answer = |partition: kafka_protocol::messages::produce_response::PartitionProduceResponse| {
        let of_record = partition.record_errors.into_iter().find_map(|error| error.batch_index_error_message);
        Answer {
            partition: partition.index,
            error_code: partition.error_code,
            message: of_record.or(partition.error_message).map(|message| message.to_string()),
            base_offset: partition.base_offset,
        }
    };
    partitions.map(answer).collect()
}
