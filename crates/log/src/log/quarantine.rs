//! Bytes that were on disk once and are bad now.
//!
//! They stay where they are. What is served is everything else: a read of the offsets that were in them is
//! [`crate::ReadError::Corrupt`], reads before them end at them, and reads behind them find their way by the
//! index. They have no timestamps, so a search by time goes past them. A segment that holds some is not
//! compacted, which would make the loss look like a gap that is meant; retention removes it with the rest, and
//! [`Log::advance_start_offset`] past them is how an operator gives them up.
//!
//! Producers are remembered as if the batches in them had never been written. The next batch of a producer
//! whose last one is bad is refused with OUT_OF_ORDER_SEQUENCE_NUMBER, so it learns of the loss. A
//! transaction whose end marker is bad stays open, and its records stay unread: nothing says how it ended.

use std::ops::Range;

use ottla_model::Offset;

use super::Log;
use crate::segment::Segment;

/// Bad bytes in a segment, and the offsets that were in them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quarantined {
    /// Base offset of the segment.
    pub segment: Offset,
    /// Where they are in its file, in bytes.
    pub positions: Range<u64>,
    /// The offsets that cannot be read, as the good batches around them tell.
    pub offsets: Range<Offset>,
}

impl Log {
    /// All bad bytes that are known, in the order of their offsets. Recovery finds those between the recovery
    /// point and the beginning of its segment, the others are found when they are read.
    #[must_use]
    pub fn quarantined(&self) -> Vec<Quarantined> {
        self.segments.iter().flat_map(quarantined).collect()
    }

    /// True when some of the offsets are known to be bad.
    #[must_use]
    pub fn is_quarantined(&self, offsets: Range<Offset>) -> bool {
        self.segments.iter().any(|segment| {
            let damage = segment.damage();
            damage.iter().any(|bad| bad.offsets.start < offsets.end && offsets.start < bad.offsets.end)
        })
    }
}

/// The bad bytes of a segment.
pub(crate) fn quarantined(segment: &Segment) -> Vec<Quarantined> {
    let damage = segment.damage();
    let of = |bad: &crate::segment::Damage| Quarantined {
        segment: segment.base_offset(),
        positions: bad.positions.clone(),
        offsets: bad.offsets.clone(),
    };
    damage.iter().map(of).collect()
}
