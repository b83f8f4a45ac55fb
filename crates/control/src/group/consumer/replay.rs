//! Replay of the records of consumer groups (`GroupMetadataManager.replay`).

use std::sync::Arc;

use super::state::{Change, ConsumerGroup};
use crate::codec::{ConsumerGroupKey, GroupMetadataValue};
use crate::group::classic::Classic;
use crate::group::durable::Overwritten;
use crate::group::groups::{Durable, Group, Groups};
use crate::machine::ReplayError;

impl Groups {
    /// Replays a record of a consumer group.
    ///
    /// # Errors
    /// [`ReplayError`] when the value is malformed, or the group is of another kind and has members. Nothing has
    /// changed then.
    pub(in crate::group) fn replay_consumer(
        &mut self,
        key: &ConsumerGroupKey<'_>,
        value: Option<&[u8]>,
    ) -> Result<Overwritten, ReplayError> {
        let Some(change) = self.known_version(key.key_type(), Change::decode(key, value))? else {
            return Ok(Overwritten::Nothing);
        };
        let Some((known_id, _)) = self.groups.get_key_value(key.group()) else {
            if value.is_none() {
                return Ok(Overwritten::Nothing);
            }
            let group_id: Arc<str> = key.group().into();
            let classic = Classic::empty(Arc::clone(&group_id), None);
            self.groups.insert(Arc::clone(&group_id), Group::new(begun(&change), classic));
            return Ok(Overwritten::Group { group_id, previous: Durable::Absent });
        };
        let group_id = Arc::clone(known_id);
        let Some(group) = self.groups.get_mut(&group_id) else { return Ok(Overwritten::Nothing) };
        match &mut group.durable {
            Durable::Consumer(_) if change == Change::Epoch(None) => Ok(self.end_consumer(group_id)),
            Durable::Consumer(consumer) => {
                let overwritten = Arc::make_mut(consumer).apply(&change);
                Ok(Overwritten::Consumer { group_id, overwritten })
            }
            _ if value.is_none() => Ok(Overwritten::Nothing),
            durable if is_simple(durable) => {
                let previous = std::mem::replace(durable, begun(&change));
                Ok(Overwritten::Group { group_id, previous })
            }
            _ => Err(ReplayError::Contradiction(
                "a record of a consumer group, but the group is a classic one",
            )),
        }
    }

    /// The group's last tombstone. Where a classic group takes over, its soft half is here already.
    fn end_consumer(&mut self, group_id: Arc<str>) -> Overwritten {
        let is_over = self.groups.get(&group_id).is_some_and(|group| group.classic.is_untouched());
        if !is_over {
            let previous = self.set_durable(&group_id, Durable::Absent);
            return Overwritten::Group { group_id, previous };
        }
        self.replay_group_tombstone(&group_id)
    }
}

/// A group of which one record is known.
fn begun(change: &Change) -> Durable {
    let mut group = ConsumerGroup::default();
    group.apply(change);
    Durable::Consumer(Arc::new(group))
}

/// True for a group that may become one of any kind: it has offsets at most, and never had members
/// (`ClassicGroup.isSimpleGroup`).
fn is_simple(durable: &Durable) -> bool {
    match durable {
        Durable::Absent | Durable::Offsets => true,
        Durable::Recorded(value) => GroupMetadataValue::decode(value)
            .is_ok_and(|value| value.protocol_type.is_empty() && value.members.is_empty()),
        Durable::Consumer(_) => false,
    }
}
