//! A classic group to and from its record.

use bytes::Bytes;
use ottla_model::{NONE, WallMillis};
use std::sync::Arc;

use super::member::Member;
use super::{Classic, State};
use crate::codec::{EncodeError, GroupMetadataMember, GroupMetadataValue, Key};
use crate::group::events::{RebalanceReason, Trigger};
use crate::group::turn::Turn;
use crate::machine::Record;

impl Classic {
    /// The record of the group as it is now (`newGroupMetadataRecord`).
    ///
    /// # Errors
    /// [`EncodeError`] when a text is too long for it. Joins are checked, so this does not happen.
    pub(in crate::group) fn record(&self) -> Result<Record, EncodeError> {
        let protocol = self.protocol.as_deref();
        let metadata: Vec<Bytes> =
            self.roster.iter().map(|(_, member)| member.metadata(protocol.unwrap_or_default())).collect();
        let members =
            self.roster.iter().zip(&metadata).map(|((member_id, member), metadata)| GroupMetadataMember {
                member_id,
                group_instance_id: member.group_instance_id.as_deref(),
                client_id: &member.client_id,
                client_host: &member.client_host,
                rebalance_timeout_ms: member.rebalance_timeout_ms,
                session_timeout_ms: member.session_timeout_ms,
                subscription: metadata,
                assignment: &member.assignment,
            });
        let value = GroupMetadataValue {
            protocol_type: self.protocol_type.as_deref().unwrap_or_default(),
            generation: self.generation,
            protocol,
            leader: self.leader.as_deref(),
            current_state_timestamp_ms: self.state_since.map_or(NONE, |since| since.0),
            members: members.collect(),
        };
        to_record(&self.group_id, &value)
    }

    /// The record that a group is first known by, before it has a generation (`newEmptyGroupMetadataRecord`).
    ///
    /// # Errors
    /// [`EncodeError`] when the group's id is too long for it.
    pub(in crate::group) fn first_record(&self) -> Result<Record, EncodeError> {
        let value = GroupMetadataValue {
            protocol_type: "",
            generation: 0,
            protocol: None,
            leader: None,
            current_state_timestamp_ms: self.state_since.map_or(NONE, |since| since.0),
            members: Vec::new(),
        };
        to_record(&self.group_id, &value)
    }

    /// The group as its record tells it, after a start: stable when it has members, each with a fresh session, so
    /// that those which come back in time need not rebalance.
    pub(in crate::group) fn from_record(
        turn: &mut Turn<'_, '_>,
        group_id: Arc<str>,
        value: &GroupMetadataValue<'_>,
    ) -> Self {
        let since = value.current_state_timestamp_ms;
        let mut group = Self::empty(group_id, (since != NONE).then_some(WallMillis(since)));
        group.generation = value.generation;
        group.protocol_type = (!value.protocol_type.is_empty()).then(|| value.protocol_type.into());
        group.protocol = value.protocol.map(Arc::from);
        let leads = |leader: &&str| value.members.iter().any(|member| member.member_id == *leader);
        group.leader = value.leader.filter(leads).map(Arc::from);
        for member in &value.members {
            let member_id: Arc<str> = member.member_id.into();
            group.leader.get_or_insert_with(|| Arc::clone(&member_id));
            group.roster.insert(Arc::clone(&member_id), member_from_record(member, value.protocol));
            group.restart_session(turn, &member_id);
        }
        if !group.roster.is_empty() {
            group.state = State::Stable;
            group.previous_state = State::Stable;
        }
        group.subscribed_topics = group.compute_subscribed_topics();
        group.note_restored(turn);
        if group.roster.len() > turn.config.max_size {
            // The setting was lowered: a rebalance turns away the members that come last, and gives the others the
            // chance to commit.
            group.prepare_rebalance(turn, Trigger::by(RebalanceReason::GroupTooLarge, &Arc::default()));
        }
        group
    }
}

fn to_record(group_id: &str, value: &GroupMetadataValue<'_>) -> Result<Record, EncodeError> {
    Ok(Record { key: Key::group_metadata(group_id)?, value: Some(value.encode()?), headers: Vec::new() })
}

/// A member as its record tells it. Only the chosen protocol is known; the others come with its next JoinGroup.
pub(super) fn member_from_record(member: &GroupMetadataMember<'_>, protocol: Option<&str>) -> Member {
    let rebalance_timeout_ms = match member.rebalance_timeout_ms {
        -1 => member.session_timeout_ms,
        timeout => timeout,
    };
    Member {
        group_instance_id: member.group_instance_id.map(Arc::from),
        client_id: member.client_id.into(),
        client_host: member.client_host.into(),
        rebalance_timeout_ms,
        session_timeout_ms: member.session_timeout_ms,
        protocols: protocol
            .map(|name| (Arc::from(name), Bytes::copy_from_slice(member.subscription)))
            .into_iter()
            .collect(),
        assignment: Bytes::copy_from_slice(member.assignment),
        previous_assignment: Bytes::new(),
        is_new: false,
        awaiting_join: None,
        awaiting_sync: None,
        session_ends: None,
    }
}
