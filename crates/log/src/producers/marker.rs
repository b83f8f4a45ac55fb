//! The record that ends a transaction (`EndTransactionMarker`), alone in a control batch.

use bytes::{Buf, Bytes};
use ottla_model::{ProducerEpoch, ProducerId};

use crate::batch::{BatchBuilder, NewRecord, Record};

/// Key type of an abort and of a commit (`ControlRecordType`).
const ABORT: i16 = 0;
const COMMIT: i16 = 1;
/// Version of the key and of the value; Kafka 4.3.1 writes no other.
const VERSION: i16 = 0;
/// Control batches have no sequence number.
const NO_SEQUENCE: i32 = -1;

/// How a transaction ends (`TransactionResult`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Nobody who reads committed data sees its records.
    Abort,
    /// Everybody sees them.
    Commit,
}

/// What the end marker of a transaction says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EndMarker {
    /// How it ends.
    pub outcome: Outcome,
    /// The epoch of the coordinator that decided it, so that one which was replaced is noticed.
    pub coordinator_epoch: i32,
    /// When it was written, in milliseconds since the Unix epoch.
    pub timestamp: i64,
}

impl EndMarker {
    /// The control batch that says it (`MemoryRecords.withEndTransactionMarker`). It goes to
    /// [`crate::Log::append`] with [`crate::Origin::Coordinator`].
    #[must_use]
    pub fn to_batch(&self, producer_id: ProducerId, producer_epoch: ProducerEpoch) -> Bytes {
        let kind = match self.outcome {
            Outcome::Abort => ABORT,
            Outcome::Commit => COMMIT,
        };
        let key = [VERSION.to_be_bytes(), kind.to_be_bytes()].concat();
        let value = [&VERSION.to_be_bytes()[..], &self.coordinator_epoch.to_be_bytes()].concat();
        let mut builder =
            BatchBuilder::new().producer(producer_id, producer_epoch, NO_SEQUENCE).transactional().control();
        let (key, value) = (Some(&*key), Some(&*value));
        builder.push(NewRecord { timestamp: self.timestamp, key, value, headers: &[] });
        builder.build()
    }

    /// Reads the record of a control batch; `None` when it is of another type.
    #[must_use]
    pub fn parse(record: &Record) -> Option<Self> {
        let mut key = record.key.as_deref()?;
        let _version = key.try_get_i16().ok()?;
        let outcome = match key.try_get_i16().ok()? {
            ABORT => Outcome::Abort,
            COMMIT => Outcome::Commit,
            _ => return None,
        };
        let mut value = record.value.as_deref()?;
        let _version = value.try_get_i16().ok()?;
        let coordinator_epoch = value.try_get_i32().ok()?;
        Some(Self { outcome, coordinator_epoch, timestamp: record.timestamp })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::{BatchHeader, records};

    #[test]
    fn markers_round_trip() {
        for outcome in [Outcome::Abort, Outcome::Commit] {
            let marker = EndMarker { outcome, coordinator_epoch: 0x0102_0304, timestamp: 77 };
            let batch = marker.to_batch(5, 6);
            let header = BatchHeader::parse(&batch).expect("header");
            assert!(header.is_control() && header.is_transactional());
            assert_eq!((header.producer_id, header.producer_epoch, header.base_sequence), (5, 6, -1));
            let record = records(&batch).expect("batch").next().expect("one").expect("record");
            let kind = u8::from(outcome == Outcome::Commit);
            assert_eq!(record.key.as_deref(), Some(&[0, 0, 0, kind][..]));
            assert_eq!(record.value.as_deref(), Some(&[0, 0, 1, 2, 3, 4][..]));
            assert_eq!(EndMarker::parse(&record), Some(marker));
        }
    }

    /// What `MemoryRecords.withEndTransactionMarker` of Apache Kafka 4.3.1 makes of the same.
    #[test]
    fn the_bytes_are_kafkas() {
        for (outcome, kafkas) in
            [(Outcome::Abort, ["250eb926", "0000"]), (Outcome::Commit, ["d1306f6e", "0001"])]
        {
            let marker = EndMarker { outcome, coordinator_epoch: 0x0102_0304, timestamp: 77 };
            let bytes = marker.to_batch(5, 6);
            let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            let [crc, kind] = kafkas;
            let expected = format!(
                "000000000000000000000042ffffffff02{crc}003000000000000000000000004d000000000000004d\
                 00000000000000050006ffffffff0000000120000000080000{kind}0c00000102030400"
            );
            assert_eq!(hex, expected);
        }
    }

    #[test]
    fn other_control_records_are_none() {
        let batch = EndMarker { outcome: Outcome::Commit, coordinator_epoch: 0, timestamp: 0 }.to_batch(1, 0);
        let record = records(&batch).expect("batch").next().expect("one").expect("record");
        for key in [&[0, 0, 0, 2][..], &[0, 0, 0], &[]] {
            assert_eq!(EndMarker::parse(&Record { key: Some(key.to_vec().into()), ..record.clone() }), None);
        }
        assert_eq!(EndMarker::parse(&Record { value: None, ..record }), None);
    }
}
