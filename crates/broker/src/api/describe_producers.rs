//! DescribeProducers: who writes to a partition, and whose transactions are open there (KIP-664).

use bytes::Bytes;
use kafka_protocol::messages::describe_producers_request::TopicRequest;
use kafka_protocol::messages::describe_producers_response::{
    PartitionResponse, ProducerState, TopicResponse,
};
use kafka_protocol::messages::{DescribeProducersRequest, DescribeProducersResponse};
use ottla_log::ActiveProducer;
use ottla_model::{ErrorCode, NONE, TopicName};

use super::call::{Call, Closed, Started};

pub(super) fn handle(call: Call, body: Bytes) -> Result<Started, Closed> {
    let request: DescribeProducersRequest = call.decode(body)?;
    let topics = request.topics.iter().map(|topic| {
        let partitions = topic.partition_indexes.iter().map(|&index| {
            let partition = PartitionResponse::default().with_partition_index(index);
            match look_up(&call, topic, index) {
                Ok(producers) => partition.with_active_producers(producers.iter().map(state).collect()),
                Err(error) => partition.with_error_code(error.code()),
            }
        });
        TopicResponse::default().with_name(topic.name.clone()).with_partitions(partitions.collect())
    });
    call.ready(&DescribeProducersResponse::default().with_topics(topics.collect()))
}

fn look_up(call: &Call, topic: &TopicRequest, index: i32) -> Result<Vec<ActiveProducer>, ErrorCode> {
    TopicName::new(&topic.name).map_err(|_| ErrorCode::InvalidTopicException)?;
    let live = call.shard.topic(&topic.name).ok_or(ErrorCode::UnknownTopicOrPartition)?;
    Ok(call.shard.partition(&live, index)?.log().active_producers())
}

fn state(producer: &ActiveProducer) -> ProducerState {
    ProducerState::default()
        .with_producer_id(producer.producer_id.into())
        .with_producer_epoch(producer.producer_epoch.into())
        .with_last_sequence(producer.last_sequence)
        .with_last_timestamp(producer.last_timestamp)
        .with_coordinator_epoch(producer.coordinator_epoch)
        .with_current_txn_start_offset(producer.transaction_first_offset.unwrap_or(NONE))
}
