//! What is asked of a group whatever its kind is.

use std::sync::Arc;

use ottla_model::{ErrorCode, TopicName};

use super::classic::Ownership;
use super::command::CommitOffsets;
use super::expiry::AgesSince;
use super::groups::{Durable, Group, Groups};
use super::reply::ListedGroup;
use super::turn::Turn;
use crate::codec::Cause;

impl Group {
    /// The group in a list, if it passes the filters.
    pub(super) fn listed(
        &self,
        group_id: &Arc<str>,
        states: &[String],
        types: &[String],
    ) -> Option<ListedGroup> {
        match &self.durable {
            Durable::Consumer(group) => group.listed(group_id, states, types),
            _ => self.classic.listed(states, types),
        }
    }

    /// Its state, as Kafka prints it.
    pub(super) fn state_name(&self) -> &'static str {
        match &self.durable {
            Durable::Consumer(group) => group.state_name(),
            _ => self.classic.state_name(),
        }
    }

    /// Checks that the group may be deleted.
    pub(super) fn validate_delete(&self) -> Result<(), ErrorCode> {
        match &self.durable {
            Durable::Consumer(group) if group.is_empty() => Ok(()),
            Durable::Consumer(_) => Err(ErrorCode::NonEmptyGroup),
            _ => self.classic.validate_delete(),
        }
    }

    /// Checks that the group's offsets may be deleted one by one.
    pub(super) fn validate_offset_delete(&self) -> Result<(), ErrorCode> {
        match &self.durable {
            Durable::Consumer(_) => Ok(()),
            _ => self.classic.validate_offset_delete(),
        }
    }

    /// True when a member reads the topic, as far as the coordinator can tell.
    pub(super) fn is_subscribed_to(&self, topic: &TopicName) -> bool {
        match &self.durable {
            Durable::Consumer(group) => group.is_subscribed_to(topic.as_str()),
            _ => self.classic.is_subscribed_to(topic),
        }
    }

    /// From when on the group's offsets age; `None` while they do not (`Group.offsetExpirationCondition`).
    pub(super) fn offsets_age_since(&self) -> Option<AgesSince> {
        match &self.durable {
            Durable::Consumer(_) => Some(AgesSince::ItsCommit),
            _ => self.classic.offsets_age_since(),
        }
    }

    /// True when nobody is or is about to become a member.
    pub(super) fn is_unused(&self) -> bool {
        match &self.durable {
            Durable::Consumer(group) => group.is_empty(),
            _ => self.classic.is_unused(),
        }
    }

    /// What a commit is that was let through: one by nobody in a group that has members at other times moves the
    /// offsets for them.
    pub(super) fn cause_of(&self, commit: &CommitOffsets) -> Cause {
        match &self.durable {
            Durable::Consumer(_) if commit.generation_or_member_epoch < 0 => Cause::Reset,
            Durable::Consumer(_) => Cause::Commit,
            _ => self.classic.cause_of(commit),
        }
    }

    /// What the member owns, if the coordinator can tell and has not checked it already, as it does in consumer groups.
    pub(super) fn ownership(&self, member_id: &str) -> Option<Ownership<'_>> {
        match &self.durable {
            Durable::Consumer(_) => None,
            _ => self.classic.ownership(member_id),
        }
    }
}

impl Groups {
    /// Asks for the tombstones of a group without members.
    pub(super) fn bury(&mut self, turn: &mut Turn<'_, '_>, group_id: &Arc<str>) -> Result<(), ErrorCode> {
        match self.groups.get(group_id) {
            Some(Group { durable: Durable::Consumer(_), .. }) => self.bury_consumer(turn, group_id),
            Some(group) => {
                let tombstone = group.classic.tombstone().map_err(|_| ErrorCode::UnknownServerError)?;
                turn.record(tombstone);
                Ok(())
            }
            None => Ok(()),
        }
    }
}
