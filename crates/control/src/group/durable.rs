//! Replay and undo: the only code that changes durable state.

use std::collections::BTreeSet;
use std::sync::Arc;

use bytes::Bytes;
use ottla_model::{Offset, ProducerId};

use super::classic::Classic;
use super::consumer;
use super::groups::{Durable, Group, Groups};
use super::offsets::CommittedOffset;
use super::pending::Place;
use crate::codec::{DecodeError, GroupMetadataValue, Key, OffsetCommitValue};
use crate::machine::{RecordRef, ReplayError};

/// What one replayed record overwrote.
#[derive(Debug)]
pub struct Undo(Overwritten);

#[derive(Debug)]
pub(super) enum Overwritten {
    /// The record was passed over.
    Nothing,
    /// A committed offset was set.
    Offset {
        place: Place,
        previous: Option<CommittedOffset>,
        /// Whether nothing else had made the group known.
        made_known: bool,
    },
    /// The same in a transaction that is open.
    Pending { producer: ProducerId, place: Place, previous: Option<CommittedOffset>, made_known: bool },
    /// A committed offset was removed, and what open transactions say of it.
    NoOffset { place: Place, previous: Option<CommittedOffset>, pending: Vec<(ProducerId, CommittedOffset)> },
    /// A group's record was replaced.
    Group { group_id: Arc<str>, previous: Durable },
    /// A group was removed.
    Removed { group_id: Arc<str>, previous: Box<Group> },
    /// Something of a consumer group was changed.
    Consumer { group_id: Arc<str>, overwritten: consumer::Overwritten },
}

/// Records that were replayed without being understood: of later releases of Kafka, or of group kinds that Ottla
/// does not have. They stay in the log as they are.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PassedOver {
    /// How many.
    pub records: u64,
    /// Their key types.
    pub key_types: BTreeSet<i16>,
}

impl Groups {
    pub(super) fn replay_record(
        &mut self,
        offset: Offset,
        record: &RecordRef<'_>,
    ) -> Result<Undo, ReplayError> {
        let key = Key::decode(record.key).map_err(ReplayError::Key)?;
        let overwritten = match key {
            Key::OffsetCommit { group, topic, partition } => {
                let value = record.value.map(OffsetCommitValue::decode).transpose();
                let Some(value) = self.known_version(key_type(record.key), value)? else {
                    return Ok(Undo(Overwritten::Nothing));
                };
                let known = self.groups.get_key_value(group).map(|(key, _)| Arc::clone(key));
                let place = (known.unwrap_or_else(|| Arc::from(group)), topic, partition);
                match value.map(|value| CommittedOffset::from_record(offset, &value)) {
                    Some(committed) => self.replay_offset(place, record.transaction, committed),
                    None => self.replay_offset_tombstone(place),
                }
            }
            Key::GroupMetadata { group } => {
                let value = record.value.map(GroupMetadataValue::decode).transpose();
                let Some(value) = self.known_version(key_type(record.key), value)? else {
                    return Ok(Undo(Overwritten::Nothing));
                };
                match (value, record.value) {
                    (Some(_), Some(bytes)) => self.replay_group(group, Bytes::copy_from_slice(bytes)),
                    _ => self.replay_group_tombstone(group),
                }
            }
            Key::ConsumerGroup(key) => self.replay_consumer(&key, record.value)?,
            Key::Unknown { key_type } => {
                self.pass_over(key_type);
                Overwritten::Nothing
            }
        };
        Ok(Undo(overwritten))
    }

    /// A value of a version that is not known is passed over, as Kafka's loader does
    /// (`UnknownRecordVersionException`): `None`.
    pub(super) fn known_version<T>(
        &mut self,
        key_type: i16,
        value: Result<T, DecodeError>,
    ) -> Result<Option<T>, ReplayError> {
        match value {
            Ok(value) => Ok(Some(value)),
            Err(DecodeError::UnknownVersion(_)) => {
                self.pass_over(key_type);
                Ok(None)
            }
            Err(error) => Err(ReplayError::Value(error)),
        }
    }

    fn pass_over(&mut self, key_type: i16) {
        self.passed_over.records = self.passed_over.records.saturating_add(1);
        self.passed_over.key_types.insert(key_type);
    }

    fn replay_offset(
        &mut self,
        place: Place,
        transaction: Option<ProducerId>,
        offset: CommittedOffset,
    ) -> Overwritten {
        // A commit makes its group known, so that consumers which only keep offsets have one too.
        let made_known = self.make_known(&place.0);
        match transaction {
            Some(producer) => {
                let previous = self.offsets.pending.set(producer, &place, Some(offset));
                Overwritten::Pending { producer, place, previous, made_known }
            }
            None => {
                let previous = self.offsets.set_at(&place, Some(offset));
                Overwritten::Offset { place, previous, made_known }
            }
        }
    }

    /// A tombstone is never part of a transaction, and is about all of them.
    fn replay_offset_tombstone(&mut self, place: Place) -> Overwritten {
        let previous = self.offsets.set_at(&place, None);
        let pending = self.offsets.pending.clear(&place);
        Overwritten::NoOffset { place, previous, pending }
    }

    fn make_known(&mut self, group_id: &Arc<str>) -> bool {
        let group = self
            .groups
            .entry(Arc::clone(group_id))
            .or_insert_with(|| Group::new(Durable::Absent, Classic::empty(Arc::clone(group_id), None)));
        let is_unknown = group.durable == Durable::Absent;
        if is_unknown {
            group.durable = Durable::Offsets;
        }
        is_unknown
    }

    fn replay_group(&mut self, group: &str, value: Bytes) -> Overwritten {
        if let Some((key, _)) = self.groups.get_key_value(group) {
            let group_id = Arc::clone(key);
            let previous = self.set_durable(&group_id, Durable::Recorded(value));
            return Overwritten::Group { group_id, previous };
        }
        let group_id: Arc<str> = Arc::from(group);
        let classic = Classic::empty(Arc::clone(&group_id), None);
        self.groups.insert(Arc::clone(&group_id), Group::new(Durable::Recorded(value), classic));
        Overwritten::Group { group_id, previous: Durable::Absent }
    }

    pub(super) fn replay_group_tombstone(&mut self, group: &str) -> Overwritten {
        let Some((group_id, mut previous)) = self.groups.remove_entry(group) else {
            return Overwritten::Nothing;
        };
        self.wakes.remove(&group_id, previous.wake.take());
        Overwritten::Removed { group_id, previous: Box::new(previous) }
    }

    pub(super) fn set_durable(&mut self, group_id: &str, durable: Durable) -> Durable {
        match self.groups.get_mut(group_id) {
            Some(group) => std::mem::replace(&mut group.durable, durable),
            None => Durable::Absent,
        }
    }

    pub(super) fn undo_record(&mut self, undo: Undo) {
        match undo.0 {
            Overwritten::Nothing => {}
            Overwritten::Offset { place, previous, made_known } => {
                self.offsets.set_at(&place, previous);
                self.undo_known(place.0, made_known);
            }
            Overwritten::Pending { producer, place, previous, made_known } => {
                self.offsets.pending.set(producer, &place, previous);
                self.undo_known(place.0, made_known);
            }
            Overwritten::NoOffset { place, previous, pending } => {
                self.offsets.set_at(&place, previous);
                for (producer, offset) in pending {
                    self.offsets.pending.set(producer, &place, Some(offset));
                }
            }
            Overwritten::Group { group_id, previous } => {
                self.set_durable(&group_id, previous);
                self.undone.insert(group_id);
            }
            Overwritten::Removed { group_id, previous } => {
                self.restore(&group_id, *previous);
                self.undone.insert(group_id);
            }
            Overwritten::Consumer { group_id, overwritten } => {
                if let Some(Durable::Consumer(group)) =
                    self.groups.get_mut(&group_id).map(|group| &mut group.durable)
                {
                    Arc::make_mut(group).undo(overwritten);
                }
                self.undone.insert(group_id);
            }
        }
    }

    fn undo_known(&mut self, group_id: Arc<str>, made_known: bool) {
        if made_known {
            self.set_durable(&group_id, Durable::Absent);
            self.undone.insert(group_id);
        }
    }

    /// Puts a group back that was removed. If someone has begun a new one of that name since, it goes on, with the
    /// old one's durable half, from a generation that is no older.
    fn restore(&mut self, group_id: &Arc<str>, mut removed: Group) {
        let present = self.groups.get_mut(group_id).filter(|present| !present.classic.is_untouched());
        if let Some(present) = present {
            present.durable = removed.durable;
            present.classic.continue_from(&removed.classic);
            return;
        }
        self.wakes.bring_forward(group_id, &mut removed.wake, removed.classic.soonest());
        self.groups.insert(Arc::clone(group_id), removed);
    }
}

/// The number in front of a key that was read.
fn key_type(key: &[u8]) -> i16 {
    key.first_chunk().map_or(0, |bytes| i16::from_be_bytes(*bytes))
}
