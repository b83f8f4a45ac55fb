//! The records in what a broker sends: batches, of which control batches and those of aborted transactions are no data.

use std::collections::{BTreeMap, HashSet};

use bytes::Bytes;
use kafka_protocol::messages::fetch_response::AbortedTransaction;
use ottla_log::batch::HEADER_BYTES;
use ottla_log::{BatchHeader, Record, TimestampType, records};

/// Where the field of the format's version is, in every version.
const MAGIC_AT: usize = 16;

/// One batch, decoded.
#[derive(Debug)]
pub(super) struct Decoded {
    /// The offset behind the batch's last one.
    pub(super) next_offset: i64,
    /// Whether the broker gave the records their time.
    pub(super) log_append_time: bool,
    /// Its records; none when a consumer does not see them.
    pub(super) records: Vec<Record>,
}

/// Goes through the batches of one partition's answer.
pub(super) struct Batches {
    bytes: Bytes,
    /// Producers with an open transaction that was aborted; by offset those whose transaction begins later.
    aborting: HashSet<i64>,
    later: BTreeMap<i64, Vec<i64>>,
}

impl Batches {
    /// Of these bytes. `aborted` is what a reader of committed records is told, else nothing.
    pub(super) fn new(bytes: Bytes, aborted: &[AbortedTransaction]) -> Self {
        let mut later: BTreeMap<i64, Vec<i64>> = BTreeMap::new();
        for transaction in aborted {
            later.entry(transaction.first_offset).or_default().push(transaction.producer_id.0);
        }
        Self { bytes, aborting: HashSet::new(), later }
    }

    /// The next whole batch; the last one may be cut, which is no error.
    ///
    /// # Errors
    /// A sentence: its checksum or its records are wrong, or it is of a format from before Kafka 0.11.
    pub(super) fn next(&mut self) -> Result<Option<Decoded>, String> {
        let Some(header) = BatchHeader::parse(&self.bytes) else { return self.tail() };
        if header.magic != 2 {
            return Err(old_format(header.magic));
        }
        let size = header.size_in_bytes().ok_or("a batch has an impossible length")?;
        if size > self.bytes.len() {
            return Ok(None);
        }
        let batch = self.bytes.split_to(size);
        if !header.is_intact(batch.get(HEADER_BYTES..).unwrap_or_default()) {
            return Err(format!(
                "the batch at offset {} is damaged: its checksum is wrong",
                header.base_offset
            ));
        }
        let mut decoded = Decoded {
            next_offset: header.last_offset().saturating_add(1),
            log_append_time: header.timestamp_type() == TimestampType::LogAppendTime,
            records: Vec::new(),
        };
        if !self.is_data(&header) {
            return Ok(Some(decoded));
        }
        let wrong = |error| format!("the batch at offset {} cannot be read: {error}", header.base_offset);
        for record in records(&batch).map_err(|error| wrong(error.to_string()))? {
            decoded.records.push(record.map_err(|error| wrong(error.to_string()))?);
        }
        Ok(Some(decoded))
    }

    /// What is shorter than a header: the cut end, unless it is of an old format.
    fn tail(&self) -> Result<Option<Decoded>, String> {
        match self.bytes.get(MAGIC_AT) {
            Some(&magic) if magic < 2 => Err(old_format(magic.cast_signed())),
            _ => Ok(None),
        }
    }

    /// Whether a consumer sees the batch (`CompletedFetch.nextFetchedRecord`).
    fn is_data(&mut self, header: &BatchHeader) -> bool {
        while let Some(first) = self.later.first_entry().filter(|first| *first.key() <= header.last_offset())
        {
            self.aborting.extend(first.remove());
        }
        if header.is_control() {
            // The end of that producer's transaction, whichever way it ended.
            self.aborting.remove(&header.producer_id);
            return false;
        }
        !(header.is_transactional() && self.aborting.contains(&header.producer_id))
    }
}

fn old_format(magic: i8) -> String {
    format!("records are in message format {magic}, from before Kafka 0.11, which ottla does not read")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

    use ottla_log::{BatchBuilder, EndMarker, NewRecord, Outcome};

    use super::*;

    fn batch(base: i64, bytes: &Bytes) -> Vec<u8> {
        let mut bytes = bytes.to_vec();
        bytes[..8].copy_from_slice(&base.to_be_bytes());
        bytes
    }

    fn data(base: i64, producer: i64) -> Vec<u8> {
        let mut builder = BatchBuilder::new().producer(producer, 0, 0).transactional();
        builder.push(NewRecord { timestamp: 0, key: None, value: Some(b"v"), headers: &[] });
        batch(base, &builder.build())
    }

    fn end(base: i64, producer: i64, outcome: Outcome) -> Vec<u8> {
        let marker = EndMarker { outcome, coordinator_epoch: 0, timestamp: 0 };
        batch(base, &marker.to_batch(producer, 0))
    }

    fn offsets(batches: &mut Batches) -> Vec<i64> {
        let mut offsets = Vec::new();
        while let Some(decoded) = batches.next().unwrap() {
            offsets.extend(decoded.records.iter().map(|record| record.offset));
        }
        offsets
    }

    #[test]
    fn aborted_records_are_left_out_for_a_reader_of_committed_ones() {
        let bytes = [
            data(0, 1),
            data(1, 2),
            end(2, 1, Outcome::Abort),
            data(3, 1),
            end(4, 2, Outcome::Commit),
            end(5, 1, Outcome::Commit),
        ];
        let bytes: Bytes = bytes.concat().into();
        let aborted = AbortedTransaction::default().with_producer_id(1.into()).with_first_offset(0);
        assert_eq!(offsets(&mut Batches::new(bytes.clone(), &[aborted])), [1, 3]);
        assert_eq!(offsets(&mut Batches::new(bytes, &[])), [0, 1, 3]);
    }

    #[test]
    fn a_cut_end_is_no_error_and_damage_is() {
        let whole = [data(0, -1), data(1, -1)].concat();
        for cut in 0..whole.len() {
            let expected = if cut >= whole.len() / 2 { vec![0] } else { Vec::new() };
            let mut batches = Batches::new(whole[..cut].to_vec().into(), &[]);
            assert_eq!(offsets(&mut batches), expected, "{cut}");
        }
        let mut damaged = whole;
        *damaged.last_mut().unwrap() ^= 1;
        let mut batches = Batches::new(damaged.into(), &[]);
        assert!(batches.next().is_ok());
        assert!(batches.next().unwrap_err().contains("the batch at offset 1 is damaged"));
    }
}
