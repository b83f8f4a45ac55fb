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

impl From<FoundRecord> for TimedOffset {
    fn from(found: FoundRecord) -> Self {
        Self { timestamp: found.timestamp, offset: found.offset, leader_epoch: found.leader_epoch }
    }
}

impl Log {
    /// The first record from the start of the log on whose timestamp is at least `timestamp`, if it lies
    /// before `upper`. It is exact inside a batch, compressed or not.
    ///
    /// # Errors What is wrong with the disk or its bytes.
    pub fn offset_for_time(&self, timestamp: i64, upper: Offset) -> Result<Option<TimedOffset>, ReadError> {
        self.check_readable()?;
        for (place, segment) in self.segments.iter().enumerate() {
            if self.segment_end(place) <= self.start_offset {
                continue;
            }
            if let Some(found) = segment.find_time(timestamp, self.start_offset)? {
                return Ok((found.offset < upper).then(|| found.into()));
            }
        }
        Ok(None)
    }

    /// The first record that carries the largest timestamp of the log (KIP-734).
    ///
    /// # Errors
    /// What is wrong with the disk or its bytes.
    pub fn offset_of_max_timestamp(&self) -> Result<Option<TimedOffset>, ReadError> {
        self.check_readable()?;
        let mut best = None;
        for segment in &self.segments {
            let largest = segment.largest()?.timestamp;
            if best.is_none_or(|(timestamp, _)| largest > timestamp) {
                best = Some((largest, segment));
            }
        }
        let Some((_, segment)) = best else { return Ok(None) };
        Ok(segment.find_largest_time()?.map(TimedOffset::from))
    }
}
