//! ListGroups, DescribeGroups, DeleteGroups, OffsetDelete, and what follows from the deletion of a topic.

use std::sync::Arc;

use ottla_model::{ErrorCode, TopicId, TopicName};

use super::author::Author;
use super::classic::DEAD;
use super::command::{DeleteOffsets, List};
use super::events::{EventClient, Happening};
use super::groups::{Durable, Group, Groups};
use super::offsets::tombstone;
use super::reply::{DeleteOffsetsReply, DeleteReply, DescribeReply, ListReply, TopicDeletedReply, WhyReply};
use super::turn::Turn;
use crate::codec::Cause;
use crate::machine::{Caller, ReplyTo};

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

    /// What happened in a group lately.
    pub(super) fn why(&self, group_id: Arc<str>) -> WhyReply {
        let events: Vec<_> = self.events.of(&group_id).cloned().collect();
        let group = self.groups.get(&group_id);
        let is_unknown = group.is_none() && events.is_empty();
        let error = if is_unknown { ErrorCode::GroupIdNotFound } else { ErrorCode::None };
        let state = group.map_or(DEAD, Group::state_name);
        WhyReply { group_id, error, state, events }
    }

    /// Deletes an empty group and its offsets, also those that open transactions would give it.
    pub(super) fn delete(
        &self,
        turn: &mut Turn<'_, '_>,
        caller: &Caller,
        reply_to: ReplyTo,
        group_id: Arc<str>,
    ) {
        let result = match self.groups.get(&group_id) {
            Some(group) => group.validate_delete(),
            None => Err(ErrorCode::GroupIdNotFound),
        };
        if result.is_ok() {
            turn.note(&group_id, Happening::Deleted { by: Some(EventClient::of(caller)) });
            let author = Author::caller(Cause::GroupDelete, caller);
            for (topic, partitions) in self.offsets.group(&group_id).into_iter().flatten() {
                for (&partition, committed) in partitions {
                    let record = tombstone(&author, &group_id, topic, partition, Some(committed));
                    turn.effects.records.extend(record);
                }
            }
            for (topic, partition) in self.offsets.pending.partitions(&group_id) {
                if self.offsets.get(&group_id, topic, partition).is_none() {
                    turn.effects.records.extend(tombstone(&author, &group_id, topic, partition, None));
                }
            }
            let tombstones = self.groups.get(&group_id).map(|group| group.tombstones(&group_id));
            turn.effects.records.extend(tombstones.into_iter().flatten());
        }
        turn.reply(reply_to, DeleteReply { group_id, error: result.err().unwrap_or_default() });
    }

    /// Deletes offsets of topics that the group does not read. A partition without an offset is a success.
    pub(super) fn delete_offsets(
        &self,
        turn: &mut Turn<'_, '_>,
        caller: &Caller,
        reply_to: ReplyTo,
        delete: DeleteOffsets,
    ) {
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
        let author = Author::caller(Cause::OffsetDelete, caller);
        let mut outcomes = Vec::with_capacity(topics.len());
        for (topic, partitions) in topics {
            let is_read = group.is_subscribed_to(&topic);
            let error = if is_read { ErrorCode::GroupSubscribedToTopic } else { ErrorCode::None };
            for &partition in partitions.iter().filter(|_| !is_read) {
                let committed = self.offsets.get(&group_id, &topic, partition);
                if committed.is_some() || self.offsets.has_pending_commit(&group_id, &topic, partition) {
                    let record = tombstone(&author, &group_id, &topic, partition, committed);
                    turn.effects.records.extend(record);
                }
            }
            let partitions = partitions.into_iter().map(|partition| (partition, error)).collect();
            outcomes.push((topic, partitions));
        }
        turn.reply(reply_to, DeleteOffsetsReply { error: ErrorCode::None, topics: outcomes });
    }

    /// Writes tombstones for what open transactions would commit for a topic that is gone, where nothing was committed
    /// that went with it.
    fn forget_pending(
        &self,
        turn: &mut Turn<'_, '_>,
        author: &Author<'_>,
        topic: &TopicName,
        topic_id: TopicId,
    ) {
        for group_id in self.offsets.pending.group_ids() {
            for (_, partition) in
                self.offsets.pending.partitions(&group_id).filter(|(name, _)| *name == topic)
            {
                let committed = self.offsets.get(&group_id, topic, partition);
                let is_gone = committed.is_some_and(|committed| !committed.is_of_another_topic(topic_id));
                let mut pending = self.offsets.pending.offsets(&group_id, topic, partition);
                if !is_gone && pending.any(|offset| !offset.is_of_another_topic(topic_id)) {
                    let record = tombstone(author, &group_id, topic, partition, committed);
                    turn.effects.records.extend(record);
                }
            }
        }
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
        let author = Author::broker(Cause::TopicDelete);
        let mut offsets = 0;
        for group_id in self.offsets.group_ids() {
            let partitions = self.offsets.group(&group_id).and_then(|topics| topics.get(topic));
            for (&partition, committed) in partitions.into_iter().flatten() {
                if !committed.is_of_another_topic(topic_id) {
                    let record = tombstone(&author, &group_id, topic, partition, Some(committed));
                    turn.effects.records.extend(record);
                    offsets += 1;
                }
            }
        }
        self.forget_pending(turn, &author, topic, topic_id);
        turn.reply(reply_to, TopicDeletedReply { error: ErrorCode::None, offsets });
    }
}
