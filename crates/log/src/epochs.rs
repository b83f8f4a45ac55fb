//! Which leader epoch began where (`LeaderEpochFileCache`, KIP-101 and KIP-279).

use std::fmt::Write;

use ottla_model::{LeaderEpoch, NO_LEADER_EPOCH, NONE, Offset};

use crate::batch::BatchHeader;

/// The only version of the file.
const VERSION: &str = "0";

/// The first offset that was appended in an epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Entry {
    epoch: LeaderEpoch,
    start_offset: Offset,
}

/// The epochs of one log, both numbers rising.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Epochs {
    entries: Vec<Entry>,
    /// True when the file is not what is in memory.
    unwritten: bool,
}

impl Epochs {
    /// Notes that a batch of that epoch begins at `start_offset`. Entries that contradict it go.
    pub(crate) fn assign(&mut self, epoch: LeaderEpoch, start_offset: Offset) {
        let known =
            self.entries.last().is_some_and(|last| last.epoch == epoch && last.start_offset <= start_offset);
        if epoch < 0 || start_offset < 0 || known {
            return;
        }
        while self.entries.pop_if(|last| last.epoch >= epoch || last.start_offset >= start_offset).is_some() {
        }
        self.entries.push(Entry { epoch, start_offset });
        self.unwritten = true;
    }

    /// Notes the epoch of a batch that is found in the log, when it is a later one.
    pub(crate) fn assign_newer(&mut self, header: &BatchHeader) {
        if header.partition_leader_epoch > self.latest() {
            self.assign(header.partition_leader_epoch, header.base_offset);
        }
    }

    /// The epochs and where they began.
    pub(crate) fn starts(&self) -> impl Iterator<Item = (LeaderEpoch, Offset)> {
        self.entries.iter().map(|entry| (entry.epoch, entry.start_offset))
    }

    /// Has the first epoch begin earlier. The file may say so or not.
    pub(crate) fn begin_at(&mut self, start_offset: Offset) {
        if let Some(first) = self.entries.first_mut() {
            first.start_offset = first.start_offset.min(start_offset);
        }
    }

    /// Has the file written again, after that could not be done.
    pub(crate) fn mark_unwritten(&mut self) {
        self.unwritten = true;
    }

    /// The epoch of the newest batch.
    pub(crate) fn latest(&self) -> LeaderEpoch {
        self.entries.last().map_or(NO_LEADER_EPOCH, |last| last.epoch)
    }

    /// Where the largest epoch that is not above `requested` ends, and which that is; -1 and -1 when that is
    /// not known (`endOffsetFor`). `current` is the epoch of the leader, which has begun even when nothing
    /// was appended in it.
    pub(crate) fn end_offset_for(
        &self,
        requested: LeaderEpoch,
        current: LeaderEpoch,
        end: Offset,
    ) -> (LeaderEpoch, Offset) {
        if requested < 0 || requested > current.max(self.latest()) {
            return (NO_LEADER_EPOCH, NONE);
        }
        if requested == current {
            return (requested, end);
        }
        let count = self.entries.partition_point(|entry| entry.epoch <= requested);
        let next = self.entries.get(count).map_or(end, |entry| entry.start_offset);
        let floor = count.checked_sub(1).and_then(|place| self.entries.get(place));
        (floor.map_or(requested, |entry| entry.epoch), next)
    }

    /// The epoch in which the record at `offset` was appended (`epochForOffset`).
    pub(crate) fn epoch_at(&self, offset: Offset) -> Option<LeaderEpoch> {
        let count = self.entries.partition_point(|entry| entry.start_offset <= offset);
        self.entries.get(count.checked_sub(1)?).map(|entry| entry.epoch)
    }

    /// Forgets epochs that began at `end` or later (`truncateFromEnd`).
    pub(crate) fn truncate_from_end(&mut self, end: Offset) {
        while self.entries.pop_if(|last| last.start_offset >= end).is_some() {
            self.unwritten = true;
        }
    }

    /// Forgets what lies before the start of the log; the epoch that reaches over it begins there then
    /// (`truncateFromStart`).
    pub(crate) fn truncate_from_start(&mut self, start: Offset) {
        let count = self.entries.partition_point(|entry| entry.start_offset <= start);
        let Some(keep) = count.checked_sub(1) else { return };
        let Some(first) = self.entries.get_mut(keep).filter(|first| keep > 0 || first.start_offset < start)
        else {
            return;
        };
        first.start_offset = start;
        self.entries.drain(..keep);
        self.unwritten = true;
    }

    /// The file's text, when it must be written again. A caller that fails to do so closes the log.
    pub(crate) fn take_unwritten(&mut self) -> Option<String> {
        std::mem::take(&mut self.unwritten).then(|| self.to_text())
    }

    fn to_text(&self) -> String {
        let mut text = format!("{VERSION}\n{}\n", self.entries.len());
        for entry in &self.entries {
            // Writing to a string does not fail.
            let _ = writeln!(text, "{} {}", entry.epoch, entry.start_offset);
        }
        text
    }

    /// Reads a file (`CheckpointFile`). `None` when it is damaged: the caller rebuilds it from the batches.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        if lines.next()? != VERSION {
            return None;
        }
        let count: usize = lines.next()?.parse().ok()?;
        let mut epochs = Self::default();
        for line in lines {
            let (epoch, start_offset) = line.split_once(' ')?;
            let entry = Entry { epoch: epoch.parse().ok()?, start_offset: start_offset.parse().ok()? };
            let rising = epochs
                .entries
                .last()
                .is_none_or(|last| last.epoch < entry.epoch && last.start_offset < entry.start_offset);
            if !rising || entry.epoch < 0 || entry.start_offset < 0 {
                return None;
            }
            epochs.entries.push(entry);
        }
        (epochs.entries.len() == count).then_some(epochs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn epochs() -> Epochs {
        let mut epochs = Epochs::default();
        for (epoch, start) in [(2, 0), (2, 5), (4, 10), (7, 20)] {
            epochs.assign(epoch, start);
        }
        epochs
    }

    #[test]
    fn ends_as_kafka_tells_them() {
        let epochs = epochs();
        let end = |requested| epochs.end_offset_for(requested, 9, 30);
        assert_eq!(end(-1), (-1, -1));
        assert_eq!(end(0), (0, 0), "before the first: as requested, at its start");
        assert_eq!(end(2), (2, 10));
        assert_eq!(end(3), (2, 10));
        assert_eq!(end(4), (4, 20));
        assert_eq!(end(7), (7, 30), "a later epoch has begun, at the end");
        assert_eq!(end(8), (7, 30));
        assert_eq!(end(9), (9, 30));
        assert_eq!(end(10), (-1, -1));
        assert_eq!(Epochs::default().end_offset_for(3, 3, 0), (3, 0));
    }

    #[test]
    fn epochs_of_offsets() {
        let epochs = epochs();
        assert_eq!(epochs.epoch_at(0), Some(2));
        assert_eq!(epochs.epoch_at(9), Some(2));
        assert_eq!(epochs.epoch_at(10), Some(4));
        assert_eq!(epochs.epoch_at(99), Some(7));
        assert_eq!(Epochs::default().epoch_at(0), None);
    }

    #[test]
    fn text_round_trips_and_damage_is_seen() {
        let mut epochs = epochs();
        let text = epochs.take_unwritten().expect("changed");
        assert_eq!(text, "0\n3\n2 0\n4 10\n7 20\n");
        assert_eq!(epochs.take_unwritten(), None);
        assert_eq!(Epochs::parse(&text), Some(epochs));
        for bad in ["", "1\n0\n", "0\n2\n2 0\n", "0\n1\n2\n", "0\n2\n4 10\n2 0\n", "0\n1\nx 0\n"] {
            assert_eq!(Epochs::parse(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn truncation() {
        let mut cut = epochs();
        cut.truncate_from_end(20);
        assert_eq!(cut.latest(), 4);
        cut.truncate_from_start(12);
        assert_eq!(cut.to_text(), "0\n1\n4 12\n");
        let mut conflicting = epochs();
        conflicting.assign(5, 15);
        assert_eq!(conflicting.to_text(), "0\n3\n2 0\n4 10\n5 15\n");
    }
}
