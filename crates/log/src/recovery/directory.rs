//! What is in a partition's directory, and whose it is.

use std::collections::BTreeSet;
use std::io;

use ottla_model::Offset;

use super::{Lengths, read_small};
use crate::error::LogError;
use crate::log::Identity;
use crate::metadata;
use crate::names::{Kind, Name, PARTITION_METADATA, file_name, parse};
use crate::recovery::swap;
use crate::segment::Place;

/// The files of a log.
#[derive(Debug, Default)]
pub(super) struct Files {
    pub(super) logs: Lengths,
    pub(super) offset_indexes: Lengths,
    pub(super) time_indexes: Lengths,
    pub(super) transaction_indexes: Lengths,
    pub(super) snapshots: BTreeSet<Offset>,
}

/// Lists the directory and removes what an interrupted replacement left, and indexes without a segment.
/// `None` when there is no directory.
pub(super) fn look(place: &Place) -> Result<Option<Files>, LogError> {
    let entries = match place.disk.list(&place.dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let mut files = Files::default();
    for entry in swap::recover(place, entries)?.into_iter().filter(|entry| !entry.is_dir) {
        match parse(&entry.name) {
            Name::File(offset, kind) => {
                let lengths = match kind {
                    Kind::Log => &mut files.logs,
                    Kind::OffsetIndex => &mut files.offset_indexes,
                    Kind::TimeIndex => &mut files.time_indexes,
                    Kind::TransactionIndex => &mut files.transaction_indexes,
                    Kind::Snapshot => {
                        files.snapshots.insert(offset);
                        continue;
                    }
                };
                lengths.insert(offset, entry.length);
            }
            Name::Leftover => place.disk.remove_file(&place.path(&entry.name))?,
            Name::Cleaned(..) | Name::Swap(..) | Name::Other => {}
        }
    }
    for (lengths, kind) in [
        (&files.offset_indexes, Kind::OffsetIndex),
        (&files.time_indexes, Kind::TimeIndex),
        (&files.transaction_indexes, Kind::TransactionIndex),
    ] {
        for offset in lengths.keys().filter(|offset| !files.logs.contains_key(offset)) {
            place.disk.remove_file(&place.path(&file_name(*offset, kind)))?;
        }
    }
    Ok(Some(files))
}

/// Refuses the directory of another topic. A file that is missing or damaged, as a power loss right after the
/// first append leaves it, is written again.
pub(super) fn check_topic(place: &Place, identity: &Identity) -> Result<(), LogError> {
    let bytes = read_small(place, PARTITION_METADATA)?.unwrap_or_default();
    match metadata::parse(str::from_utf8(&bytes).unwrap_or_default()) {
        Some(found) if found != identity.topic_id => Err(LogError::OtherTopic { found }),
        Some(_) => Ok(()),
        None => {
            let text = metadata::to_text(identity.topic_id);
            Ok(place.disk.replace(&place.path(PARTITION_METADATA), text.as_bytes())?)
        }
    }
}
