//! Finding records by time, exact inside a batch.

use std::io;

use bytes::Bytes;
use ottla_model::Offset;

use super::Segment;
use super::scan::Scanned;
use crate::batch::{HEADER_BYTES, TimestampType, Walk};
use crate::error::ReadError;
use crate::index::TimestampOffset;

/// A record that a search by time found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FoundRecord {
    pub(crate) timestamp: i64,
    pub(crate) offset: Offset,
    pub(crate) leader_epoch: i32,
}

impl Segment {
    /// The first record at or after `from` whose timestamp is at least `timestamp`
    /// (`LogSegment.findOffsetByTimestamp`). Damaged batches have no time: the search goes past them.
    pub(crate) fn find_time(&self, timestamp: i64, from: Offset) -> Result<Option<FoundRecord>, ReadError> {
        if self.largest()?.timestamp < timestamp {
            return Ok(None);
        }
        self.around_damage(|| self.search_time(timestamp, from))
    }

    fn search_time(&self, timestamp: i64, from: Offset) -> Result<Option<FoundRecord>, ReadError> {
        let mut position = self.position_before(timestamp, from)?;
        let mut least = self.base_offset;
        while let Some(batch) = self.step(position, least)? {
            // The time is in the header, so the CRC matters of batches that are passed over, too.
            self.expect_good(&batch)?;
            let header = &batch.header;
            if header.max_timestamp >= timestamp && header.last_offset() >= from {
                let found = self.find_in_batch(&batch, |time, offset| time >= timestamp && offset >= from)?;
                if found.is_some() {
                    return Ok(found);
                }
            }
            position = batch.position.saturating_add(batch.size);
            least = header.last_offset().saturating_add(1);
        }
        Ok(None)
    }

    /// The first record that has the largest timestamp of the segment (`UnifiedLog.fetchOffsetByTimestamp`,
    /// -3).
    pub(crate) fn find_largest_time(&self) -> Result<Option<FoundRecord>, ReadError> {
        self.around_damage(|| {
            let largest = self.readable_largest()?;
            let Some(batch) = self.locate(largest.offset)? else { return Ok(None) };
            self.expect_good(&batch)?;
            self.find_in_batch(&batch, |time, _| time == largest.timestamp)
        })
    }

    /// The largest timestamp of the batches that are not known to be damaged.
    pub(crate) fn readable_largest(&self) -> Result<TimestampOffset, ReadError> {
        let largest = self.largest()?;
        if self.damage_at(largest.offset).is_none() { Ok(largest) } else { self.find_largest() }
    }

    /// An error for a batch whose CRC is wrong. What this process checked already is believed.
    fn expect_good(&self, batch: &Scanned) -> Result<(), ReadError> {
        if !self.is_unchecked(batch.position) || self.has_good_crc(batch)? {
            return Ok(());
        }
        Err(self.corrupt_at(batch.position))
    }

    /// A position before which every record is too old or before `from`.
    fn position_before(&self, timestamp: i64, from: Offset) -> Result<u64, ReadError> {
        let too_old = match self.times()?.lookup_before(timestamp) {
            Some(entry) => self.agreeing(entry)?.map_or(0, |batch| batch.position),
            None => 0,
        };
        let before = self.locate(from)?.map_or(self.size, |batch| batch.position);
        Ok(too_old.max(before))
    }

    /// The first record of a batch that `wanted` takes by timestamp and offset. Only lengths are read of the
    /// others.
    fn find_in_batch(
        &self,
        batch: &Scanned,
        wanted: impl Fn(i64, Offset) -> bool,
    ) -> Result<Option<FoundRecord>, ReadError> {
        let header = &batch.header;
        let body = self.body(batch)?;
        let corrupt = || ReadError::Corrupt { segment: self.base_offset, position: batch.position };
        for walked in Walk::new(header, &body).map_err(|_| corrupt())? {
            let walked = walked.map_err(|_| corrupt())?;
            let timestamp = match header.timestamp_type() {
                TimestampType::LogAppendTime => header.max_timestamp,
                TimestampType::CreateTime => header.base_timestamp.wrapping_add(walked.timestamp_delta),
            };
            let offset = header.base_offset.saturating_add(i64::from(walked.offset_delta));
            if wanted(timestamp, offset) {
                let leader_epoch = header.partition_leader_epoch;
                return Ok(Some(FoundRecord { timestamp, offset, leader_epoch }));
            }
        }
        Ok(None)
    }

    /// What follows the header of a batch.
    pub(crate) fn body(&self, batch: &Scanned) -> io::Result<Bytes> {
        let length = usize::try_from(batch.size.saturating_sub(HEADER_BYTES as u64));
        let length = length.map_err(|_| io::ErrorKind::FileTooLarge)?;
        self.file()?.slice(batch.position.saturating_add(HEADER_BYTES as u64), length)
    }
}
