//! Makes batches: what the coordinators append, and what `ottla produce` sends.

use std::io::{self, Write};

use bytes::Bytes;
use ottla_model::{NO_LEADER_EPOCH, NONE, ProducerEpoch, ProducerId};

use super::compressor::Compressor;
use super::header::{BatchHeader, Compression, HEADER_BYTES, LOG_OVERHEAD_BYTES};
use super::varint::{write_varint, write_varlong};

/// A record to be appended.
#[derive(Debug, Clone, Copy, Default)]
pub struct NewRecord<'a> {
    /// Milliseconds since the Unix epoch, or -1.
    pub timestamp: i64,
    /// The key; `None` is null.
    pub key: Option<&'a [u8]>,
    /// The value; `None` is null.
    pub value: Option<&'a [u8]>,
    /// Headers in their order.
    pub headers: &'a [(&'a [u8], Option<&'a [u8]>)],
}

/// Bytes of a variable-length integer, at most: of 32 bits, and of 64.
const VARINT_BYTES_MAX: usize = 5;
const VARLONG_BYTES_MAX: usize = 10;

impl NewRecord<'_> {
    /// Bytes of the record, at most, without its length.
    fn size_max(&self) -> usize {
        let field = |bytes: Option<&[u8]>| bytes.map_or(0, <[u8]>::len).saturating_add(VARINT_BYTES_MAX);
        let header = |(key, value): &(&[u8], Option<&[u8]>)| field(Some(key)).saturating_add(field(*value));
        // Attributes, timestamp, offset and the number of headers.
        let fixed = 1 + VARLONG_BYTES_MAX + 2 * VARINT_BYTES_MAX;
        let headers = self.headers.iter().map(header);
        headers.chain([field(self.key), field(self.value)]).fold(fixed, usize::saturating_add)
    }
}

/// Builds one v2 batch, as a client would send it (`MemoryRecordsBuilder`).
#[derive(Debug, Clone)]
pub struct BatchBuilder {
    body: Vec<u8>,
    scratch: Vec<u8>,
    count: i32,
    base_timestamp: i64,
    max_timestamp: i64,
    producer_id: ProducerId,
    producer_epoch: ProducerEpoch,
    base_sequence: i32,
    transactional: bool,
    control: bool,
}

impl Default for BatchBuilder {
    fn default() -> Self {
        Self::new()
    }
}

impl BatchBuilder {
    /// A batch without a producer.
    #[must_use]
    pub fn new() -> Self {
        Self {
            body: Vec::new(),
            scratch: Vec::new(),
            count: 0,
            base_timestamp: NONE,
            max_timestamp: NONE,
            producer_id: NONE,
            producer_epoch: -1,
            base_sequence: -1,
            transactional: false,
            control: false,
        }
    }

    /// Names the producer; `base_sequence` is -1 for the records of a coordinator.
    #[must_use]
    pub fn producer(mut self, id: ProducerId, epoch: ProducerEpoch, base_sequence: i32) -> Self {
        self.producer_id = id;
        self.producer_epoch = epoch;
        self.base_sequence = base_sequence;
        self
    }

    /// Marks the batch as part of a transaction.
    #[must_use]
    pub fn transactional(mut self) -> Self {
        self.transactional = true;
        self
    }

    /// Marks the batch as one of control records, such as the end of a transaction.
    #[must_use]
    pub fn control(mut self) -> Self {
        self.control = true;
        self
    }

    /// Adds a record at the end.
    pub fn push(&mut self, record: NewRecord<'_>) {
        if self.count == 0 {
            self.base_timestamp = record.timestamp;
        }
        self.max_timestamp = self.max_timestamp.max(record.timestamp);
        let bytes = &mut self.scratch;
        bytes.clear();
        bytes.reserve(record.size_max());
        bytes.push(0);
        write_varlong(record.timestamp.wrapping_sub(self.base_timestamp), bytes);
        write_varint(self.count, bytes);
        write_nullable(record.key, bytes);
        write_nullable(record.value, bytes);
        write_length(record.headers.len(), bytes);
        for (key, value) in record.headers {
            write_nullable(Some(key), bytes);
            write_nullable(*value, bytes);
        }
        self.body.reserve(self.scratch.len().saturating_add(VARINT_BYTES_MAX));
        write_length(self.scratch.len(), &mut self.body);
        self.body.extend_from_slice(&self.scratch);
        self.count = self.count.saturating_add(1);
    }

    /// Records so far.
    #[must_use]
    pub fn record_count(&self) -> i32 {
        self.count
    }

    /// True before the first record.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Bytes of the batch so far.
    #[must_use]
    pub fn size_in_bytes(&self) -> usize {
        HEADER_BYTES.saturating_add(self.body.len())
    }

    /// The batch, with base offset 0 and no leader epoch. One without records is refused by the log.
    #[must_use]
    pub fn build(&self) -> Bytes {
        self.with_body(Compression::None, &self.body)
    }

    /// The same batch with its records compressed, as a producer compresses them. When that makes it no smaller it is
    /// still compressed, as Kafka's producer does.
    ///
    /// # Errors
    /// What the codec says, which is not known to happen in memory.
    pub fn build_compressed(&self, compression: Compression) -> io::Result<Bytes> {
        let mut compressor = Compressor::new(compression, Vec::new())?;
        compressor.write_all(&self.body)?;
        Ok(self.with_body(compression, &compressor.finish()?))
    }

    fn with_body(&self, compression: Compression, body: &[u8]) -> Bytes {
        let size = HEADER_BYTES.saturating_add(body.len());
        let length = size.saturating_sub(LOG_OVERHEAD_BYTES);
        let mut header = BatchHeader {
            base_offset: 0,
            // A batch of more than 2 GiB is no batch; the log refuses the length that does not fit.
            batch_length: i32::try_from(length).unwrap_or(-1),
            partition_leader_epoch: NO_LEADER_EPOCH,
            magic: 2,
            crc: 0,
            attributes: BatchHeader::attributes(self.transactional, self.control) | compression.bits(),
            last_offset_delta: self.count.saturating_sub(1),
            base_timestamp: self.base_timestamp,
            max_timestamp: self.max_timestamp,
            producer_id: self.producer_id,
            producer_epoch: self.producer_epoch,
            base_sequence: self.base_sequence,
            record_count: self.count,
        };
        header.crc = header.computed_crc(body);
        let mut bytes = Vec::with_capacity(size);
        bytes.extend_from_slice(&header.to_bytes());
        bytes.extend_from_slice(body);
        bytes.into()
    }
}

fn write_length(length: usize, into: &mut Vec<u8>) {
    write_varint(i32::try_from(length).unwrap_or(i32::MAX), into);
}

fn write_nullable(bytes: Option<&[u8]>, into: &mut Vec<u8>) {
    match bytes {
        Some(bytes) => {
            write_length(bytes.len(), into);
            into.extend_from_slice(bytes);
        }
        None => write_varint(-1, into),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::records;

    #[test]
    fn a_compressed_batch_holds_what_a_plain_one_does() {
        let mut builder = BatchBuilder::new().producer(7, 1, 3);
        for number in 0..200 {
            let value = format!("value {number} of many that are alike");
            let headers: [(&[u8], Option<&[u8]>); 1] = [(b"h", None)];
            let key = Some(&b"key"[..]).filter(|_| number % 2 == 0);
            builder.push(NewRecord {
                timestamp: number,
                key,
                value: Some(value.as_bytes()),
                headers: &headers,
            });
        }
        let plain = builder.build();
        let all =
            |batch: &Bytes| records(batch).expect("whole").collect::<Result<Vec<_>, _>>().expect("readable");
        for codec in
            [Compression::None, Compression::Gzip, Compression::Snappy, Compression::Lz4, Compression::Zstd]
        {
            let batch = builder.build_compressed(codec).expect("compressed");
            let header = BatchHeader::parse(&batch).expect("a header");
            assert_eq!((header.compression(), header.base_sequence), (Some(codec), 3));
            assert!(
                header.is_intact(&batch[HEADER_BYTES..]) && !header.is_intact(&batch[HEADER_BYTES + 1..])
            );
            assert_eq!(all(&batch), all(&plain), "{codec:?}");
            assert!(codec == Compression::None || batch.len() < plain.len() / 2, "{codec:?}");
        }
    }
}
