//! Record batches that are made once and sent often: their bytes do not depend on where they are appended.

use std::time::{SystemTime, UNIX_EPOCH};

use bytes::{Bytes, BytesMut};
use kafka_protocol::records::{
    Compression, NO_PARTITION_LEADER_EPOCH, NO_PRODUCER_EPOCH, NO_PRODUCER_ID, Record, RecordBatchEncoder,
    RecordEncodeOptions, TimestampType,
};

use crate::load::Random;
use crate::problem::{Doing, Problem};

/// An uncompressed batch of so many records without keys, each with a value of so many bytes that do not compress, made
/// now.
///
/// # Errors
/// The batch can not be encoded.
pub fn batch_of(records: u32, value_bytes: usize) -> Result<Bytes, Problem> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).doing("read the clock")?;
    let timestamp = i64::try_from(now.as_millis()).doing("read the clock")?;
    let mut random = Random::new(u64::from(records));
    let records: Vec<Record> = (0..records)
        .map(|place| Record {
            transactional: false,
            control: false,
            delete_horizon: false,
            partition_leader_epoch: NO_PARTITION_LEADER_EPOCH,
            producer_id: NO_PRODUCER_ID,
            producer_epoch: NO_PRODUCER_EPOCH,
            timestamp_type: TimestampType::Creation,
            offset: i64::from(place),
            // A batch has one sequence number, the first; the encoder wants the others to follow on.
            sequence: i32::try_from(place).unwrap_or_default().wrapping_sub(1),
            timestamp,
            key: None,
            value: Some((0..value_bytes).map(|_| random.any().to_be_bytes()[0]).collect()),
            headers: Default::default(),
        })
        .collect();
    let mut batch = BytesMut::new();
    let options = RecordEncodeOptions { version: 2, compression: Compression::None };
    RecordBatchEncoder::encode(&mut batch, &records, &options).doing("encode a batch")?;
    Ok(batch.freeze())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_records_are_one_batch() {
        let batch = batch_of(16, 1000).unwrap();
        let length = i32::from_be_bytes(batch[8..12].try_into().unwrap());
        assert_eq!(usize::try_from(length).unwrap() + 12, batch.len());
        assert_eq!(batch[57..61], 16_i32.to_be_bytes());
    }
}
