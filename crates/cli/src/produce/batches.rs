//! Makes batches of records.

use std::collections::VecDeque;
use std::io;

use bytes::Bytes;
use ottla_log::{BatchBuilder, Compression, NewRecord};

use super::Outgoing;

/// Bytes of records that one batch takes, before compression. Half of what a broker takes unless it is told otherwise.
const BATCH_BYTES_MAX: usize = 512 * 1024;

/// The producer that batches are numbered for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Producer {
    pub(super) id: i64,
    pub(super) epoch: i16,
}

/// A batch that was not acknowledged yet. It is sent as it is as often as it takes.
#[derive(Debug)]
pub(super) struct Batch {
    pub(super) records: Vec<Outgoing>,
    pub(super) encoded: Bytes,
    sequence: i32,
}

/// Cuts the records of a partition into groups, each of which fits a batch.
pub(super) fn groups(records: Vec<Outgoing>) -> VecDeque<Vec<Outgoing>> {
    let mut groups = VecDeque::new();
    let mut group: Vec<Outgoing> = Vec::new();
    let mut bytes = 0_usize;
    for record in records {
        let size = record.bytes();
        if bytes.saturating_add(size) > BATCH_BYTES_MAX && !group.is_empty() {
            groups.push_back(std::mem::take(&mut group));
            bytes = 0;
        }
        bytes = bytes.saturating_add(size);
        group.push(record);
    }
    if !group.is_empty() {
        groups.push_back(group);
    }
    groups
}

impl Batch {
    /// A batch of these records, which are numbered from `sequence` on when there is a producer.
    pub(super) fn new(
        records: Vec<Outgoing>,
        compression: Compression,
        producer: Option<Producer>,
        sequence: i32,
    ) -> io::Result<Self> {
        let mut builder = BatchBuilder::new();
        if let Some(Producer { id, epoch }) = producer {
            builder = builder.producer(id, epoch, sequence);
        }
        let mut headers: Vec<(&[u8], Option<&[u8]>)> = Vec::new();
        for record in &records {
            headers.clear();
            headers.extend(record.headers.iter().map(|(name, value)| (&name[..], value.as_deref())));
            builder.push(NewRecord {
                timestamp: record.timestamp,
                key: record.key.as_deref(),
                value: record.value.as_deref(),
                headers: &headers,
            });
        }
        let encoded = match compression {
            Compression::None => builder.build(),
            compression => builder.build_compressed(compression)?,
        };
        Ok(Self { records, encoded, sequence })
    }

    /// The sequence number of the record behind its last one; they wrap from 2^31-1 to 0.
    pub(super) fn next_sequence(&self) -> i32 {
        let count = i64::try_from(self.records.len()).unwrap_or_default();
        i32::try_from((i64::from(self.sequence) + count) & i64::from(i32::MAX)).unwrap_or_default()
    }

    /// Its records in two halves, to be sent apart; `None` when there is only one.
    pub(super) fn halves(self) -> Result<(i32, Vec<Outgoing>, Vec<Outgoing>), Outgoing> {
        let mut first = self.records;
        match first.len() {
            0 | 1 => first.pop().map_or_else(|| Ok((self.sequence, Vec::new(), Vec::new())), Err),
            count => {
                let second = first.split_off(count / 2);
                Ok((self.sequence, first, second))
            }
        }
    }
}
