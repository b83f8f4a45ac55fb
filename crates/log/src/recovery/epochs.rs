//! Leader epochs: the checkpoint, and what the batches say about it.
//!
//! The checkpoint has no checksum, as Kafka's has none, so one that was changed may look sound. It is held
//! against the batches at which its epochs begin. When they disagree it is made from the batches again.

use std::io;

use ottla_model::{LeaderEpoch, Offset};

use super::read_small;
use crate::batch::BatchHeader;
use crate::epochs::Epochs;
use crate::error::ReadError;
use crate::names::LEADER_EPOCH_CHECKPOINT;
use crate::segment::{Place, Scan, Segment};

/// Most entries of a checkpoint that are held against the batches, the newest ones: each costs a few reads.
const ENTRIES_CHECKED_MAX: usize = 64;

/// Takes note of the epochs of batches, one after the other. The epoch of a batch is not covered by its CRC,
/// so a larger one is believed when the batch behind it does not fall back.
pub(super) struct EpochsFound {
    epochs: Epochs,
    candidate: Option<BatchHeader>,
}

impl EpochsFound {
    /// Goes on from what is known.
    pub(super) fn new(epochs: Epochs) -> Self {
        Self { epochs, candidate: None }
    }

    /// Takes note of the next batch.
    pub(super) fn add(&mut self, header: &BatchHeader) {
        let epoch = header.partition_leader_epoch;
        if let Some(candidate) = self.candidate.take()
            && epoch >= candidate.partition_leader_epoch
        {
            self.epochs.assign_newer(&candidate);
        }
        if epoch > self.epochs.latest() {
            self.candidate = Some(*header);
        }
    }

    /// All that was found.
    pub(super) fn finish(mut self) -> Epochs {
        if let Some(candidate) = self.candidate.take() {
            self.epochs.assign_newer(&candidate);
        }
        self.epochs
    }
}

/// The epochs in the checkpoint; `None` when it is missing or damaged.
pub(super) fn read(place: &Place) -> io::Result<Option<Epochs>> {
    let bytes = read_small(place, LEADER_EPOCH_CHECKPOINT)?;
    Ok(bytes.and_then(|bytes| Epochs::parse(str::from_utf8(&bytes).ok()?)))
}

/// Makes the epochs from the headers of all batches.
pub(super) fn rebuild(segments: &[Segment]) -> io::Result<Epochs> {
    let mut found = EpochsFound::new(Epochs::default());
    for segment in segments {
        let mut scan = segment.scan(0, Scan::HEADERS_WINDOW_BYTES)?;
        while let Some(batch) = scan.next()? {
            found.add(&batch.header);
        }
    }
    Ok(found.finish())
}

/// Holds the checkpoint against the batches at which its epochs begin. False when they disagree.
///
/// The first epoch is taken back to the beginning of the first segment when that is its own: it was shortened
/// when the start of the log moved, and is again when the owner moves it.
pub(super) fn agree(epochs: &mut Epochs, segments: &[Segment], end: Offset) -> io::Result<bool> {
    let Some(base_offset) = segments.first().map(Segment::base_offset) else { return Ok(true) };
    let oldest = epochs.starts().next();
    if let Some((epoch, start)) = oldest
        && start > base_offset
        && epoch_of(segments, base_offset)?.is_some_and(|batch| batch.epoch == epoch)
    {
        epochs.begin_at(base_offset);
    }
    let entries: Vec<(LeaderEpoch, Offset)> = epochs.starts().collect();
    let first = entries.len().saturating_sub(ENTRIES_CHECKED_MAX);
    for (place, &(epoch, start)) in entries.iter().enumerate().skip(first) {
        let last = entries.get(place.saturating_add(1)).map_or(end, |next| next.1).saturating_sub(1);
        // An epoch that began where nothing is any more cannot be held against anything.
        let Some(batch) = epoch_of(segments, start)? else { continue };
        let begins_there = batch.base_offset == start || start <= base_offset;
        let before = if start > base_offset { epoch_of(segments, start.saturating_sub(1))? } else { None };
        // A batch that is of neither epoch says nothing about where one ends and the other begins.
        let is_odd = batch.epoch > epoch || before.as_ref().is_none_or(|before| batch.epoch < before.epoch);
        let is_its = batch.epoch == epoch
            || (is_odd
                && !batch.holds(last)
                && epoch_of(segments, last)?.is_some_and(|last| last.epoch == epoch));
        if !begins_there || !is_its || before.is_some_and(|before| before.epoch >= epoch) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// A batch, as far as its epoch matters.
struct EpochOf {
    epoch: LeaderEpoch,
    base_offset: Offset,
    last_offset: Offset,
}

impl EpochOf {
    fn holds(&self, offset: Offset) -> bool {
        (self.base_offset..=self.last_offset).contains(&offset)
    }
}

/// The batch that holds an offset; `None` when there is none, or when it is not to be found.
fn epoch_of(segments: &[Segment], offset: Offset) -> io::Result<Option<EpochOf>> {
    let count = segments.partition_point(|segment| segment.base_offset() <= offset);
    let Some(segment) = count.checked_sub(1).and_then(|place| segments.get(place)) else { return Ok(None) };
    let found = segment.locate(offset).and_then(|batch| {
        batch.as_ref().map_or(Ok(()), |batch| segment.expect_order(batch))?;
        Ok(batch)
    });
    let batch = match found {
        Ok(batch) => batch,
        Err(ReadError::Storage(error)) => return Err(error),
        Err(_) => None,
    };
    let of = |header: BatchHeader| EpochOf {
        epoch: header.partition_leader_epoch,
        base_offset: header.base_offset,
        last_offset: header.last_offset(),
    };
    Ok(batch.map(|batch| of(batch.header)).filter(|batch| batch.holds(offset)))
}
