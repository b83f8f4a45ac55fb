//! DeleteRecords: moves the start of partitions.

use bytes::Bytes;
use kafka_protocol::messages::delete_records_request::DeleteRecordsPartition;
use kafka_protocol::messages::delete_records_response::{
    DeleteRecordsPartitionResult, DeleteRecordsTopicResult,
};
use kafka_protocol::messages::{DeleteRecordsRequest, DeleteRecordsResponse};
use ottla_model::{ErrorCode, Offset};

use super::call::{Call, Closed, Started};

/// "Everything that is committed" in place of an offset.
const HIGH_WATERMARK: Offset = -1;

pub(super) fn handle(call: Call, body: Bytes) -> Result<Started, Closed> {
    let request: DeleteRecordsRequest = call.decode(body)?;
    Ok(Started::changing(async move {
        let mut topics = Vec::with_capacity(request.topics.len());
        for topic in &request.topics {
            let mut partitions = Vec::with_capacity(topic.partitions.len());
            for asked in &topic.partitions {
                let (error, low_watermark) = match delete(&call, &topic.name, asked).await {
                    Ok(start) => (ErrorCode::None, start),
                    Err(error) => (error, -1),
                };
                let answered = DeleteRecordsPartitionResult::default()
                    .with_partition_index(asked.partition_index)
                    .with_low_watermark(low_watermark)
                    .with_error_code(error.code());
                partitions.push(answered);
            }
            let answered = DeleteRecordsTopicResult::default().with_name(topic.name.clone());
            topics.push(answered.with_partitions(partitions));
        }
        call.answer(&DeleteRecordsResponse::default().with_topics(topics))
    }))
}

async fn delete(call: &Call, topic: &str, asked: &DeleteRecordsPartition) -> Result<Offset, ErrorCode> {
    let live = call.shard.topic(topic).ok_or(ErrorCode::UnknownTopicOrPartition)?;
    if live.topic.name.is_internal() {
        return Err(ErrorCode::InvalidTopicException);
    }
    let partition = call.shard.partition(&live, asked.partition_index)?;
    let high_watermark = partition.high_watermark();
    let before = if asked.offset == HIGH_WATERMARK { high_watermark } else { asked.offset };
    if !(0..=high_watermark).contains(&before) {
        return Err(ErrorCode::OffsetOutOfRange);
    }
    call.shard.delete_records(&partition, before).await
}
