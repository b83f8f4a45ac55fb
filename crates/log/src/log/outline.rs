//! Which segments a log consists of.

use ottla_model::Offset;

use super::Log;
use crate::error::ReadError;

/// A segment, from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SegmentOutline {
    /// Its first offset, by which its files are named.
    pub base_offset: Offset,
    /// The offset after its last one.
    pub end_offset: Offset,
    /// Bytes of its batches.
    pub size_bytes: u64,
    /// The largest timestamp of its records, in milliseconds since the Unix epoch; `None` when none has one.
    pub largest_timestamp: Option<i64>,
}

impl Log {
    /// The segments, by offset. The last one is written.
    ///
    /// # Errors
    /// What is wrong with the disk.
    pub fn outline(&self) -> Result<Vec<SegmentOutline>, ReadError> {
        let outline = |(place, segment): (usize, &crate::segment::Segment)| {
            Ok(SegmentOutline {
                base_offset: segment.base_offset(),
                end_offset: self.segment_end(place),
                size_bytes: segment.size(),
                largest_timestamp: Some(segment.largest()?.timestamp).filter(|&timestamp| timestamp >= 0),
            })
        };
        self.segments.iter().enumerate().map(outline).collect()
    }
}
