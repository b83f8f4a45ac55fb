//! Offsets by time (`UnifiedLog.fetchOffsetByTimestamp`).

use ottla_model::{LeaderEpoch, Offset};

use super::Log;
use crate::error::ReadError;
use crate::segment::FoundRecord;

/// A record that was found by its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimedOffset {
    /// Its timestamp, in milliseconds.
    pub timestamp: i64,
    /// Where it is.
    pub offset: Offset,
    /// The leader epoch of its batch, -1 when it has none.
    pub leader_epoch: LeaderEpoch,
}

impl Log {
    /// The first record from the start of the log on whose timestamp is at least `timestamp`, if it lies
    /// before `upper`. It is exact inside a batch, compressed or not.
    ///
    /// # Errors What is wrong with the disk or its bytes.
    pub fn offset_for_time(&self, timestamp: i64, upper: Offset) -> Result<Option<TimedOffset>, ReadError> {
        let upper = self.check_readable()?.min(upper);
        for (place, segment) in self.segments.iter().enumerate() {
            if self.segment_end(place) <= self.start_offset {
                continue;
            }
            if let Some(found) = segment.find_time(timestamp, self.start_offset)? {
                return Ok((found.offset < upper).then(|| self.timed(found)));
            }
        }
        Ok(None)
    }

    /// The first record that carries the largest timestamp of the log (KIP-734).
    ///
    /// # Errors
    /// What is wrong with the disk or its bytes.
    pub fn offset_of_max_timestamp(&self) -> Result<Option<TimedOffset>, ReadError> {
        let upper = self.check_readable()?;
        // A batch that is found to be bad on the way leaves its segment with another largest timestamp.
        for _ in 0..=self.segments.len() {
            let mut best = None;
            for segment in &self.segments {
                let largest = segment.readable_largest()?.timestamp;
                if best.is_none_or(|(timestamp, _)| largest > timestamp) {
                    best = Some((largest, segment));
                }
            }
            let Some((largest, segment)) = best else { return Ok(None) };
            let found = segment.find_largest_time()?;
            if found.as_ref().is_none_or(|found| found.timestamp == largest) {
                return Ok(found.filter(|found| found.offset < upper).map(|found| self.timed(found)));
            }
        }
        Ok(None)
    }

    /// The epoch is that of the checkpoint, since the one in a batch is not covered by its CRC.
    fn timed(&self, found: FoundRecord) -> TimedOffset {
        let leader_epoch = self.epochs.epoch_at(found.offset).unwrap_or(found.leader_epoch);
        TimedOffset { timestamp: found.timestamp, offset: found.offset, leader_epoch }
    }
}
