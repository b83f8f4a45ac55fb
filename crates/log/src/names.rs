//! Names of the files in a partition's directory (`LogFileUtils`).

use ottla_model::Offset;

/// Checkpoint of leader epochs (`LeaderEpochCheckpointFile`).
pub(crate) const LEADER_EPOCH_CHECKPOINT: &str = "leader-epoch-checkpoint";
/// Holds the topic id (`PartitionMetadataFile`).
pub(crate) const PARTITION_METADATA: &str = "partition.metadata";
/// Suffix of a directory whose topic is gone.
pub(crate) const DELETED_DIRECTORY_SUFFIX: &str = "-delete";

/// What a file that is named by an offset holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// Batches.
    Log,
    /// Offset to position.
    OffsetIndex,
    /// Timestamp to offset.
    TimeIndex,
    /// Aborted transactions.
    TransactionIndex,
    /// Producers at that offset.
    Snapshot,
}

impl Kind {
    /// The files of a segment, in the order in which they are renamed: that of the batches first.
    pub(crate) const OF_SEGMENT: [Self; 4] =
        [Self::Log, Self::OffsetIndex, Self::TimeIndex, Self::TransactionIndex];
    const ALL: [Self; 5] =
        [Self::Log, Self::OffsetIndex, Self::TimeIndex, Self::TransactionIndex, Self::Snapshot];

    fn suffix(self) -> &'static str {
        match self {
            Self::Log => ".log",
            Self::OffsetIndex => ".index",
            Self::TimeIndex => ".timeindex",
            Self::TransactionIndex => ".txnindex",
            Self::Snapshot => ".snapshot",
        }
    }
}

/// Name of the file of that kind at that offset.
pub(crate) fn file_name(offset: Offset, kind: Kind) -> String {
    format!("{offset:020}{}", kind.suffix())
}

/// What a name says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Name {
    /// A file that belongs to the log.
    File(Offset, Kind),
    /// What an interrupted replacement or deletion left; it may go.
    Leftover,
    /// Of a segment that compaction was writing.
    Cleaned(Offset, Kind),
    /// Of a compacted segment that was about to take its place. The data may be nowhere else.
    Swap(Offset, Kind),
    /// Not named by an offset.
    Other,
}

/// Suffix of a file that is about to take the place of another.
pub(crate) const TEMPORARY_SUFFIX: &str = ".tmp";
/// Suffix of a segment that compaction writes.
pub(crate) const CLEANED_SUFFIX: &str = ".cleaned";
/// Suffix of a compacted segment that is whole and about to take its place.
pub(crate) const SWAP_SUFFIX: &str = ".swap";
/// Suffix of a file that is about to go.
pub(crate) const DELETED_SUFFIX: &str = ".deleted";
const LEFTOVER_SUFFIXES: [&str; 2] = [DELETED_SUFFIX, TEMPORARY_SUFFIX];
const OFFSET_DIGITS: usize = 20;

/// Reads a name.
pub(crate) fn parse(name: &str) -> Name {
    if LEFTOVER_SUFFIXES.iter().any(|suffix| name.ends_with(suffix)) {
        return Name::Leftover;
    }
    let of = |name| match parse(name) {
        Name::File(offset, kind) => Some((offset, kind)),
        _ => None,
    };
    if let Some(name) = name.strip_suffix(CLEANED_SUFFIX) {
        return of(name).map_or(Name::Leftover, |(offset, kind)| Name::Cleaned(offset, kind));
    }
    if let Some(name) = name.strip_suffix(SWAP_SUFFIX) {
        return of(name).map_or(Name::Other, |(offset, kind)| Name::Swap(offset, kind));
    }
    let parsed = name.split_at_checked(OFFSET_DIGITS).and_then(|(digits, suffix)| {
        let kind = Kind::ALL.into_iter().find(|kind| kind.suffix() == suffix)?;
        // `parse` takes a sign, which no name has.
        let digits = digits.bytes().all(|digit| digit.is_ascii_digit()).then_some(digits)?;
        Some(Name::File(digits.parse().ok()?, kind))
    });
    parsed.unwrap_or(Name::Other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip() {
        for kind in Kind::ALL {
            for offset in [0, 7, i64::MAX] {
                assert_eq!(parse(&file_name(offset, kind)), Name::File(offset, kind));
            }
        }
        assert_eq!(file_name(42, Kind::TimeIndex), "00000000000000000042.timeindex");
    }

    #[test]
    fn other_names() {
        for name in ["", "x", "leader-epoch-checkpoint", "0.log", "+0000000000000000042.log"] {
            assert_eq!(parse(name), Name::Other, "{name}");
        }
        assert_eq!(parse("99999999999999999999.log"), Name::Other, "more than an offset holds");
        assert_eq!(parse("00000000000000000042.log.deleted"), Name::Leftover);
        assert_eq!(parse("00000000000000000042.log.swap"), Name::Swap(42, Kind::Log));
        assert_eq!(parse("00000000000000000042.index.cleaned"), Name::Cleaned(42, Kind::OffsetIndex));
        assert_eq!(parse("00000000000000000042.index.cleaned.tmp"), Name::Leftover);
    }
}
