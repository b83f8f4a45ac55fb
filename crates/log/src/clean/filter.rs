//! Decides what stays of a batch, and writes what does (`MemoryRecords.filterTo` with the cleaner's filter).

use std::collections::BTreeMap;
use std::io;

use ottla_model::{NONE, ProducerId, WallMillis};

use super::key_map::KeyMap;
use super::read::RawBatch;
use super::transactions::{Marker, Transactions};
use super::write::SegmentWriter;
use super::{CleanStats, Progress};
use crate::batch::{BatchHeader, Compressor, HEADER_BYTES, LOG_OVERHEAD_BYTES, RecordStream, TimestampType};
use crate::error::LogError;
use crate::producers::LastRecord;

/// What all batches of a run are judged by.
pub(super) struct Filter<'a> {
    pub(super) map: &'a KeyMap,
    pub(super) now: WallMillis,
    pub(super) delete_retention_ms: i64,
    /// The newest batch of each producer.
    pub(super) last_records: &'a BTreeMap<ProducerId, LastRecord>,
    pub(super) transactions: Transactions,
    /// Most records of a batch that are told apart. A batch of more, which only one that decompresses to a
    /// thousand times its size can hold, is kept as it is.
    pub(super) records_max: usize,
    pub(super) stats: CleanStats,
}

/// What stays of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Verdict {
    /// Nothing, not even its place.
    Drop,
    /// All of it, byte for byte.
    Keep,
    /// Its header.
    Empty,
    /// Some of its records, or all with a new time for its tombstones or its marker to go.
    Rewrite(Rewrite),
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Rewrite {
    kept: Kept,
    count: i32,
    max_timestamp: i64,
    tombstones: u64,
    horizon: Horizon,
}

/// What becomes of the time at which a batch's tombstones may go.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Horizon {
    #[default]
    Same,
    /// The tombstones begin to wait.
    Set(i64),
    /// No tombstone is left. Kafka leaves the time where it is; without it, headers alone tell whether there is
    /// one that waits.
    Clear,
}

/// For each record of a batch whether it stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Kept {
    words: Vec<u64>,
    length: u32,
}

impl Kept {
    fn push(&mut self, stays: bool) {
        let place = self.length % u64::BITS;
        if place == 0 {
            self.words.push(0);
        }
        if let Some(word) = self.words.last_mut() {
            *word |= u64::from(stays) << place;
        }
        self.length = self.length.saturating_add(1);
    }

    fn iter(&self) -> impl Iterator<Item = bool> {
        let bits = self.words.iter().flat_map(|word| (0..u64::BITS).map(move |place| word >> place & 1 == 1));
        bits.take(self.length as usize)
    }
}

impl Filter<'_> {
    /// Writes what stays of a batch. False when that is not the batch as it was.
    pub(super) fn pass(
        &mut self,
        batch: &RawBatch,
        ends_segment: bool,
        writer: &mut SegmentWriter<'_>,
        progress: &mut Progress<'_>,
    ) -> Result<bool, LogError> {
        let header = &batch.header;
        self.stats.bytes_read = self.stats.bytes_read.saturating_add(batch.bytes.len() as u64);
        self.stats.records_read = self.stats.records_read.saturating_add(count(header.record_count));
        let verdict = self.judge(batch, ends_segment, writer)?;
        let kept = verdict == Verdict::Keep;
        let (header, bytes) = match verdict {
            Verdict::Drop => return Ok(false),
            Verdict::Keep => (*header, batch.bytes.clone()),
            Verdict::Empty => {
                self.stats.batches_emptied += 1;
                let empty = header.emptied();
                (empty, empty.to_bytes().to_vec().into())
            }
            Verdict::Rewrite(rewrite) => {
                let (header, bytes) = rewrite.apply(batch)?;
                (header, bytes.into())
            }
        };
        self.stats.bytes_written = self.stats.bytes_written.saturating_add(bytes.len() as u64);
        self.stats.records_kept = self.stats.records_kept.saturating_add(count(header.record_count));
        writer.append(&header, &bytes, progress)?;
        Ok(kept)
    }

    fn judge(
        &mut self,
        batch: &RawBatch,
        ends_segment: bool,
        writer: &mut SegmentWriter<'_>,
    ) -> io::Result<Verdict> {
        let header = &batch.header;
        let keeps_place = ends_segment || self.is_last_of_producer(header);
        if header.is_control() {
            let marker = self.transactions.marker(batch);
            if let Marker::Stays(Some(aborted)) = marker {
                writer.push_aborted(aborted);
            }
            return Ok(self.judge_marker(header, marker, keeps_place));
        }
        let is_aborted = self.transactions.is_aborted(header);
        if header.record_count == 0 {
            return Ok(if keeps_place { Verdict::Keep } else { Verdict::Drop });
        }
        if is_aborted {
            return Ok(if keeps_place { Verdict::Empty } else { Verdict::Drop });
        }
        if usize::try_from(header.record_count).is_ok_and(|count| count > self.records_max) {
            return Ok(Verdict::Keep);
        }
        let rewrite = self.judge_records(batch)?;
        if rewrite.count == 0 {
            return Ok(if keeps_place { Verdict::Empty } else { Verdict::Drop });
        }
        self.note_tombstones(header, &rewrite);
        if rewrite.count == header.record_count && rewrite.horizon == Horizon::Same {
            return Ok(Verdict::Keep);
        }
        Ok(Verdict::Rewrite(rewrite))
    }

    /// Without its last batch, a producer that sends it again would not be recognised after a restart; without its last
    /// marker, an older epoch could not be refused.
    fn is_last_of_producer(&self, header: &BatchHeader) -> bool {
        let Some(last) = self.last_records.get(&header.producer_id) else { return false };
        header.has_producer_id()
            && match last.last_offset {
                Some(last_offset) => last_offset == header.last_offset(),
                None => header.is_control() && last.epoch == header.producer_epoch,
            }
    }

    /// A marker whose transaction has nothing left waits like a tombstone: who has read the records before they went is
    /// still to see how they ended.
    fn judge_marker(&mut self, header: &BatchHeader, marker: Marker, keeps_place: bool) -> Verdict {
        if header.record_count == 0 {
            return if keeps_place { Verdict::Keep } else { Verdict::Drop };
        }
        if marker != Marker::MayGo {
            return Verdict::Keep;
        }
        if !header.has_delete_horizon() {
            let mut kept = Kept::default();
            (0..header.record_count).for_each(|_| kept.push(true));
            let horizon = self.now.0.saturating_add(self.delete_retention_ms);
            let rewrite = Rewrite {
                kept,
                count: header.record_count,
                max_timestamp: header.max_timestamp,
                tombstones: 0,
                horizon: Horizon::Set(horizon),
            };
            self.note_waiting(horizon);
            return Verdict::Rewrite(rewrite);
        }
        if self.now.0 < header.base_timestamp {
            self.note_waiting(header.base_timestamp);
            return Verdict::Keep;
        }
        if keeps_place { Verdict::Empty } else { Verdict::Drop }
    }

    /// Says of each record whether it stays (`Cleaner.shouldRetainRecord`).
    fn judge_records(&self, batch: &RawBatch) -> io::Result<Rewrite> {
        let header = &batch.header;
        let is_mapped = |offset| offset <= self.map.latest();
        let tombstones_stay = !header.has_delete_horizon() || self.now.0 < header.base_timestamp;
        let mut rewrite = Rewrite { max_timestamp: NONE, ..Rewrite::default() };
        let mut stream = RecordStream::new(header, &batch.body())?;
        let mut hasher = self.map.hasher();
        while let Some(record) = stream.glimpse(|piece| hasher.write(piece))? {
            let key = std::mem::replace(&mut hasher, self.map.hasher());
            let offset = header.base_offset.saturating_add(i64::from(record.offset_delta));
            let stays = !is_mapped(offset)
                || (record.has_key
                    && (record.has_value || tombstones_stay)
                    && offset >= self.map.get(key.finish()));
            rewrite.kept.push(stays);
            if stays {
                rewrite.count = rewrite.count.saturating_add(1);
                rewrite.tombstones = rewrite.tombstones.saturating_add(u64::from(!record.has_value));
                let timestamp = header.base_timestamp.wrapping_add(record.timestamp_delta);
                rewrite.max_timestamp = rewrite.max_timestamp.max(timestamp);
            }
        }
        if header.timestamp_type() == TimestampType::LogAppendTime {
            rewrite.max_timestamp = header.max_timestamp;
        }
        rewrite.horizon = match (header.has_delete_horizon(), rewrite.tombstones) {
            // Kafka gives a tombstone its time also when the map ends before it, which is before the run that
            // removes what it hides.
            (false, 1..) if is_mapped(header.last_offset()) => {
                Horizon::Set(self.now.0.saturating_add(self.delete_retention_ms))
            }
            (true, 0) => Horizon::Clear,
            _ => Horizon::Same,
        };
        Ok(rewrite)
    }

    fn note_tombstones(&mut self, header: &BatchHeader, rewrite: &Rewrite) {
        self.stats.tombstones = self.stats.tombstones.saturating_add(rewrite.tombstones);
        let until = match rewrite.horizon {
            Horizon::Set(horizon) => Some(horizon),
            Horizon::Same if rewrite.tombstones > 0 && header.has_delete_horizon() => {
                Some(header.base_timestamp)
            }
            _ => None,
        };
        if let Some(until) = until {
            self.note_waiting(until);
        }
    }

    fn note_waiting(&mut self, until: i64) {
        let until = WallMillis(until);
        let earliest = self.stats.tombstones_until.map_or(until, |earliest| earliest.min(until));
        self.stats.tombstones_until = Some(earliest);
    }
}

impl Rewrite {
    /// The batch with what stays of it. Records keep their bytes, but for the timestamp when what it counts
    /// from has changed.
    fn apply(&self, batch: &RawBatch) -> io::Result<(BatchHeader, Vec<u8>)> {
        let mut header = batch.header;
        let compression = header.compression().ok_or(io::ErrorKind::InvalidData)?;
        match self.horizon {
            Horizon::Same => {}
            Horizon::Set(horizon) => header.set_base_timestamp(horizon, true),
            Horizon::Clear => header.set_base_timestamp(self.max_timestamp, false),
        }
        let shift = batch.header.base_timestamp.wrapping_sub(header.base_timestamp);
        let mut compressor = Compressor::new(compression, vec![0; HEADER_BYTES])?;
        let mut stream = RecordStream::new(&batch.header, &batch.body())?;
        for stays in self.kept.iter() {
            if stays {
                stream.copy(shift, &mut compressor)?;
            } else {
                stream.skip()?;
            }
        }
        let mut bytes = compressor.finish()?;
        let length = i32::try_from(bytes.len().saturating_sub(LOG_OVERHEAD_BYTES));
        header.batch_length = length.map_err(|_| io::ErrorKind::FileTooLarge)?;
        header.record_count = self.count;
        header.max_timestamp = self.max_timestamp;
        header.crc = header.computed_crc(bytes.get(HEADER_BYTES..).unwrap_or_default());
        if let Some(front) = bytes.get_mut(..HEADER_BYTES) {
            front.copy_from_slice(&header.to_bytes());
        }
        Ok((header, bytes))
    }
}

fn count(record_count: i32) -> u64 {
    u64::try_from(record_count).unwrap_or_default()
}
