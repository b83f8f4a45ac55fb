//! ListGroups, DescribeGroups, DeleteGroups, OffsetDelete, and what follows from the deletion of a topic.

use std::sync::Arc;

use ottla_model::{ErrorCode, TopicId, TopicName};

use super::classic::DEAD;
use super::command::{DeleteOffsets, List};
use super::groups::{Durable, Group, Groups};
use super::offsets::tombstone;
use super::reply::{
    DeleteOffsetsReply, DeleteReply, DescribeReply, ListReply, ListedGroup, TopicDeletedReply,
};
use super::turn::Turn;
use crate::machine::ReplyTo;

impl Group {
    fn listed(&self, group_id: &Arc<str>, states: &[String], types: &[String]) -> Option<ListedGroup> {
        match &self.durable {
            Durable::Consumer(group) => group.listed(group_id, states, types),
            _ => self.classic.listed(states, types),
        }
    }

    fn validate_delete(&self) -> Result<(), ErrorCode> {
        match &self.durable {
            Durable::Consumer(group) if group.is_empty() => Ok(()),
            Durable::Consumer(_) => Err(ErrorCode::NonEmptyGroup),
            _ => self.classic.validate_delete(),
        }
    }

    fn validate_offset_delete(&self) -> Result<(), ErrorCode> {
        match &self.durable {
            Durable::Consumer(_) => Ok(()),
            _ => self.classic.validate_offset_delete(),
        }
    }

    fn is_subscribed_to(&self, topic: &TopicName) -> bool {
        match &self.durable {
            Durable::Consumer(group) => group.is_subscribed_to(topic.as_str()),
            _ => self.classic.is_subscribed_to(topic),
        }
    }
}

impl Groups {
    /// Lists the groups that pass the filters, by id.
    pub(super) fn list(&self, list: &List) -> ListReply {
        let trimmed = |names: &[Arc<str>]| names.iter().map(|name| name.trim().to_owned()).collect();
        let states: Vec<String> = trimmed(&list.states);
        let types: Vec<String> = trimmed(&list.types);
        let mut groups: Vec<_> =
            self.groups.iter().filter_map(|(id, group)| group.listed(id, &states, &types)).collect();
        groups.sort_unstable_by(|one, other| one.group_id.cmp(&other.group_id));
        ListReply { error: ErrorCode::None, groups }
    }

    /// Describes a group. One that does not exist is shown as Dead.
    pub(super) fn describe(&self, group_id: Arc<str>) -> DescribeReply {
        let what = match self.groups.get(&group_id) {
            Some(Group { durable: Durable::Consumer(_), .. }) => "is not a classic group",
            Some(group) => return group.classic.described(),
            None => "not found",
        };
        let error_message = Some(format!("Group {group_id} {what}.").into());
        DescribeReply { error_message, ..DescribeReply::error(group_id, ErrorCode::GroupIdNotFound, DEAD) }
    }

    /// Deletes an empty group and its offsets.
    pub(super) fn delete(&mut self, turn: &mut Turn<'_, '_>, reply_to: ReplyTo, group_id: Arc<str>) {
        let result = match self.groups.get(&group_id) {
            Some(group) => group.validate_delete(),
            None => Err(ErrorCode::GroupIdNotFound),
        };
        if result.is_ok() {
            for (topic, partitions) in self.offsets.group(&group_id).into_iter().flatten() {
                for &partition in partitions.keys() {
                    turn.effects.records.extend(tombstone(&group_id, topic, partition));
                }
            }
            if let Err(error) = self.bury(turn, &group_id) {
                return turn.reply(reply_to, DeleteReply { group_id, error });
            }
        }
        turn.reply(reply_to, DeleteReply { group_id, error: result.err().unwrap_or_default() });
    }

    /// Asks for the tombstones of a group without members.
    fn bury(&mut self, turn: &mut Turn<'_, '_>, group_id: &Arc<str>) -> Result<(), ErrorCode> {
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

    /// Deletes offsets of topics that the group does not read. A partition without an offset is a success.
    pub(super) fn delete_offsets(&self, turn: &mut Turn<'_, '_>, reply_to: ReplyTo, delete: DeleteOffsets) {
        let DeleteOffsets { group_id, topics } = delete;
        let group = match self.groups.get(&group_id) {
            _ if group_id.is_empty() => Err(ErrorCode::InvalidGroupId),
            None => Err(ErrorCode::GroupIdNotFound),
            Some(group) => group.validate_offset_delete().map(|()| group),
        };
        let group = match group {
            Ok(group) => group,
            Err(error) => {
                return turn.reply(reply_to, DeleteOffsetsReply { error, topics: Vec::new() });
            }
        };
        let mut outcomes = Vec::with_capacity(topics.len());
        for (topic, partitions) in topics {
            let is_read = group.is_subscribed_to(&topic);
            let error = if is_read { ErrorCode::GroupSubscribedToTopic } else { ErrorCode::None };
            let stored = partitions
                .iter()
                .filter(|partition| !is_read && self.offsets.get(&group_id, &topic, **partition).is_some());
            for &partition in stored {
                turn.effects.records.extend(tombstone(&group_id, &topic, partition));
            }
            let partitions = partitions.into_iter().map(|partition| (partition, error)).collect();
            outcomes.push((topic, partitions));
        }
        turn.reply(reply_to, DeleteOffsetsReply { error: ErrorCode::None, topics: outcomes });
    }

    /// Deletes every group's offsets of a topic that is gone. Those that do not know their topic's id go too
    /// (`onTopicsDeleted`).
    pub(super) fn topic_deleted(
        &self,
        turn: &mut Turn<'_, '_>,
        reply_to: ReplyTo,
        topic: &TopicName,
        topic_id: TopicId,
    ) {
        let mut offsets = 0;
        for group_id in self.offsets.group_ids() {
            let partitions = self.offsets.group(&group_id).and_then(|topics| topics.get(topic));
            for (&partition, committed) in partitions.into_iter().flatten() {
                if !committed.is_of_another_topic(topic_id) {
                    turn.effects.records.extend(tombstone(&group_id, topic, partition));
                    offsets += 1;
                }
            }
        }
        turn.reply(reply_to, TopicDeletedReply { error: ErrorCode::None, offsets });
    }
}
