//! JoinGroup, SyncGroup, Heartbeat and LeaveGroup: finds the group, or makes it, and hands over to its kind.

use std::sync::Arc;

use ottla_model::ErrorCode;

use super::classic::{Classic, JoinRequest};
use super::command::{Heartbeat, Join, Leave, Sync};
use super::groups::{Durable, Group, Groups};
use super::reply::{HeartbeatReply, JoinReply, LeaveReply, LeftMember, SyncReply};
use super::turn::Turn;
use super::{GroupConfig, TEXT_BYTES_MAX};
use crate::machine::{Caller, ReplyTo};

impl Groups {
    pub(super) fn join(&mut self, turn: &mut Turn<'_, '_>, caller: &Caller, reply_to: ReplyTo, join: Join) {
        let group_id = Arc::clone(&join.group_id);
        let consumer = self.consumer_group(&group_id).cloned();
        let is_new = consumer.is_some() || !self.groups.contains_key(&group_id);
        let checked = check_join(turn.config, caller, &join);
        if let (Ok(()), Some(group)) = (checked, consumer.filter(|group| !group.is_empty())) {
            return self.join_consumer(turn, caller, reply_to, &join, group);
        }
        let checked = checked.and_then(|()| if is_new { self.begin_group(turn, &join) } else { Ok(()) });
        if let Err(error) = checked {
            return turn.reply(reply_to, JoinReply::error(join.member_id, error));
        }
        let records = turn.effects.records.len();
        let request = JoinRequest { caller, reply_to, join };
        self.with_group(&group_id, |group| {
            group.join(turn, request);
            if is_new && turn.effects.records.len() == records {
                // The log must know the group before anyone is told of it.
                turn.effects.records.extend(group.first_record());
            }
        });
    }

    /// Makes a group for its first member, perhaps in place of a consumer group that has none any more. Kafka makes one
    /// for a JoinGroup that it then refuses, too.
    fn begin_group(&mut self, turn: &mut Turn<'_, '_>, join: &Join) -> Result<(), ErrorCode> {
        if !join.member_id.is_empty() {
            return Err(ErrorCode::UnknownMemberId);
        }
        let classic = Classic::empty(Arc::clone(&join.group_id), Some(turn.env.wall));
        if !classic.supports(&join.protocol_type, &join.protocols) {
            return Err(ErrorCode::InconsistentGroupProtocol);
        }
        self.bury_consumer(turn, &join.group_id)?;
        if let Some(group) = self.groups.get_mut(&join.group_id) {
            group.classic = classic;
            return Ok(());
        }
        if self.groups.len() >= turn.config.groups_max {
            return Err(ErrorCode::GroupMaxSizeReached);
        }
        self.groups.insert(Arc::clone(&join.group_id), Group::new(Durable::Absent, classic));
        Ok(())
    }

    pub(super) fn sync(&mut self, turn: &mut Turn<'_, '_>, reply_to: ReplyTo, sync: Sync) {
        if sync.group_id.is_empty() {
            return turn.reply(reply_to, SyncReply::error(ErrorCode::InvalidGroupId));
        }
        if let Some(group) = self.consumer_group(&sync.group_id).cloned() {
            return self.sync_consumer(turn, reply_to, &sync, &group);
        }
        let group_id = Arc::clone(&sync.group_id);
        if self.with_group(&group_id, |group| group.sync(turn, reply_to, sync)).is_none() {
            turn.reply(reply_to, SyncReply::error(ErrorCode::UnknownMemberId));
        }
    }

    pub(super) fn heartbeat(&mut self, turn: &mut Turn<'_, '_>, reply_to: ReplyTo, heartbeat: &Heartbeat) {
        let result = if heartbeat.group_id.is_empty() {
            Err(ErrorCode::InvalidGroupId)
        } else if let Some(group) = self.consumer_group(&heartbeat.group_id).cloned() {
            self.heartbeat_consumer(turn, heartbeat, &group)
        } else {
            self.with_group(&heartbeat.group_id, |group| group.heartbeat(turn, heartbeat))
                .unwrap_or(Err(ErrorCode::UnknownMemberId))
        };
        turn.reply(reply_to, HeartbeatReply { error: result.err().unwrap_or_default() });
    }

    pub(super) fn leave(
        &mut self,
        turn: &mut Turn<'_, '_>,
        caller: &Caller,
        reply_to: ReplyTo,
        leave: Leave,
    ) {
        if let Some(group) = self.consumer_group(&leave.group_id).cloned() {
            return self.leave_consumer(turn, caller, reply_to, leave, group);
        }
        let Leave { group_id, members } = leave;
        if group_id.is_empty() {
            let reply = LeaveReply { error: ErrorCode::InvalidGroupId, members: Vec::new() };
            return turn.reply(reply_to, reply);
        }
        let members = if self.groups.contains_key(&group_id) {
            self.with_group(&group_id, |group| group.leave(turn, caller, members)).unwrap_or_default()
        } else {
            let unknown = members.into_iter().map(|member| LeftMember {
                member_id: member.member_id,
                group_instance_id: member.group_instance_id,
                error: ErrorCode::UnknownMemberId,
            });
            unknown.collect()
        };
        turn.reply(reply_to, LeaveReply { error: ErrorCode::None, members });
    }
}

/// What can be said about a JoinGroup without its group: Kafka's checks, and that all of it fits a record.
fn check_join(config: &GroupConfig, caller: &Caller, join: &Join) -> Result<(), ErrorCode> {
    if join.group_id.is_empty() {
        return Err(ErrorCode::InvalidGroupId);
    }
    let sessions = config.min_session_timeout_ms..=config.max_session_timeout_ms;
    if !sessions.contains(&join.session_timeout_ms) {
        return Err(ErrorCode::InvalidSessionTimeout);
    }
    let texts = [Some(&join.group_id), Some(&join.protocol_type), join.group_instance_id.as_ref()];
    let texts = texts.into_iter().chain([caller.client_id.as_ref()]).flatten();
    let fits = |text: &Arc<str>| text.len() <= TEXT_BYTES_MAX;
    if !texts.chain(join.protocols.iter().map(|(name, _)| name)).all(fits) {
        return Err(ErrorCode::InvalidRequest);
    }
    let bytes: usize = join.protocols.iter().map(|(name, metadata)| name.len() + metadata.len()).sum();
    if bytes > config.member_protocols_bytes_max {
        return Err(ErrorCode::InvalidRequest);
    }
    Ok(())
}
