//! The snapshot file of a log's producers, in the schema of Kafka's `ProducerSnapshot` (version 1): a
//! version, a CRC-32C of what follows it, and the newest batch of each producer. The batches before that one
//! are found again in the log.

use bytes::{Buf, BufMut};
use ottla_model::NONE;

use super::Producers;
use super::entry::{BatchMetadata, NO_SEQUENCE, ProducerEntry};

const VERSION: i16 = 1;
/// Bytes in front of those that the CRC covers: version and CRC.
const CRC_COVERS_FROM: usize = 6;
/// Bytes of one producer.
const ENTRY_BYTES: usize = 46;

impl Producers {
    /// The bytes of a snapshot file.
    pub(crate) fn to_snapshot(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(CRC_COVERS_FROM + 4 + self.entries.len() * ENTRY_BYTES);
        bytes.put_i16(VERSION);
        bytes.put_u32(0);
        bytes.put_i32(i32::try_from(self.entries.len()).unwrap_or(i32::MAX));
        for (id, entry) in &self.entries {
            let last = entry.batches.last();
            bytes.put_i64(*id);
            bytes.put_i16(entry.epoch);
            bytes.put_i32(last.map_or(NO_SEQUENCE, |batch| batch.last_sequence));
            bytes.put_i64(last.map_or(NONE, |batch| batch.last_offset));
            bytes.put_i32(last.map_or(0, |batch| batch.offset_delta));
            bytes.put_i64(entry.last_timestamp);
            bytes.put_i32(entry.coordinator_epoch);
            bytes.put_i64(entry.transaction_first_offset.unwrap_or(NONE));
        }
        let crc = crc32c::crc32c(bytes.get(CRC_COVERS_FROM..).unwrap_or_default());
        if let Some(place) = bytes.get_mut(2..CRC_COVERS_FROM) {
            place.copy_from_slice(&crc.to_be_bytes());
        }
        bytes
    }

    /// Reads a snapshot file. `None` when it is damaged.
    pub(crate) fn from_snapshot(bytes: &[u8]) -> Option<Self> {
        let mut rest = bytes;
        if rest.try_get_i16().ok()? != VERSION {
            return None;
        }
        let crc = rest.try_get_u32().ok()?;
        if crc != crc32c::crc32c(rest) {
            return None;
        }
        let count = usize::try_from(rest.try_get_i32().ok()?).ok()?;
        if rest.len() != count.checked_mul(ENTRY_BYTES)? {
            return None;
        }
        let mut producers = Self::default();
        for _ in 0..count {
            let id = rest.try_get_i64().ok()?;
            producers.insert(id, read_entry(&mut rest)?);
        }
        Some(producers)
    }
}

fn read_entry(bytes: &mut &[u8]) -> Option<ProducerEntry> {
    let epoch = bytes.try_get_i16().ok()?;
    let last_sequence = bytes.try_get_i32().ok()?;
    let last_offset = bytes.try_get_i64().ok()?;
    let offset_delta = bytes.try_get_i32().ok()?;
    let timestamp = bytes.try_get_i64().ok()?;
    let coordinator_epoch = bytes.try_get_i32().ok()?;
    let first_offset = bytes.try_get_i64().ok()?;
    let mut entry = ProducerEntry {
        epoch,
        coordinator_epoch,
        last_timestamp: timestamp,
        transaction_first_offset: (first_offset >= 0).then_some(first_offset),
        batches: Vec::new(),
    };
    if last_offset >= 0 {
        entry.push(BatchMetadata { last_sequence, last_offset, offset_delta, timestamp });
    }
    Some(entry)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn producers() -> Producers {
        let mut producers = Producers::default();
        let batch = BatchMetadata { last_sequence: 9, last_offset: 109, offset_delta: 4, timestamp: 5000 };
        producers.insert(
            1,
            ProducerEntry {
                epoch: 3,
                last_timestamp: 5000,
                batches: vec![batch],
                ..ProducerEntry::default()
            },
        );
        let transaction = ProducerEntry { transaction_first_offset: Some(77), ..ProducerEntry::default() };
        producers.insert(2, transaction);
        producers
    }

    #[test]
    fn snapshots_round_trip() {
        let bytes = producers().to_snapshot();
        assert_eq!(bytes.len(), 10 + 2 * ENTRY_BYTES);
        let read = Producers::from_snapshot(&bytes).expect("sound");
        assert_eq!(read, producers());
        assert_eq!(read.first_unstable_offset(100), Some(77));
        assert_eq!(Producers::from_snapshot(&Producers::default().to_snapshot()), Some(Producers::default()));
    }

    #[test]
    fn every_flipped_bit_and_every_cut_is_seen() {
        let bytes = producers().to_snapshot();
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(Producers::from_snapshot(&flipped), None, "bit {bit}");
        }
        for length in 0..bytes.len() {
            assert_eq!(Producers::from_snapshot(&bytes[..length]), None, "cut at {length}");
        }
    }
}
