//! What a consumer group remembers of what happened to it.

use std::sync::Arc;
use std::time::Duration;

use super::change::without_epochs;
use super::convert::embedded_assignment;
use super::draft::Draft;
use super::member::Member;
use super::state::{ConsumerGroup, GroupState};
use super::timers::Timer;
use crate::group::TopicsImage;
use crate::group::events::{
    Assignments, EventClient, EventMember, Happening, Missed, RebalanceReason, Trigger,
};
use crate::group::groups::Groups;
use crate::group::turn::Turn;

/// The version of the embedded protocol in which events keep assignments.
const ASSIGNMENT_VERSION: [u8; 2] = [0, 0];

impl Timer {
    /// What a member failed to do whose time is up.
    pub(super) fn missed(self) -> Missed {
        match self {
            Self::Session => Missed::Heartbeat,
            Self::Rebalance => Missed::Revocation,
            Self::Join => Missed::Rejoin,
            Self::Sync => Missed::Sync,
        }
    }
}

/// A member, as events remember it.
pub(super) fn event_member(member_id: &Arc<str>, member: &Member) -> EventMember {
    EventMember {
        member_id: Arc::clone(member_id),
        group_instance_id: member.metadata.instance_id.clone(),
        client: EventClient {
            client_id: Arc::clone(&member.metadata.client_id),
            client_host: Arc::clone(&member.metadata.client_host),
        },
    }
}

impl ConsumerGroup {
    /// Who has what, unless it is too large to be kept.
    fn assignments(&self, topics: &TopicsImage) -> Option<Arc<Assignments>> {
        let encoded: Vec<_> = self
            .members
            .iter()
            .filter_map(|(member_id, member)| {
                let partitions = without_epochs(&member.current.assigned);
                let bytes = embedded_assignment(&partitions, &ASSIGNMENT_VERSION, topics).ok()?;
                Some((member_id, bytes))
            })
            .collect();
        Assignments::kept(true, encoded.iter().map(|(member_id, bytes)| (*member_id, bytes)))
    }
}

impl Groups {
    /// Remembers what a draft makes of a group.
    pub(super) fn note_changes(&mut self, turn: &mut Turn<'_, '_>, draft: &mut Draft) {
        let group_id = Arc::clone(&draft.group_id);
        let before = self.consumer_group(&group_id).cloned().unwrap_or_default();
        if Arc::ptr_eq(&before, &draft.snapshot()) {
            return;
        }
        let notes = draft.take_notes();
        let raised = draft.highest_epoch() > before.epoch;
        let trigger = raised.then(|| trigger_of(&notes, draft.has_subscription_changed));
        for mut what in notes {
            if let Happening::Evicted { member, last_seen, .. } = &mut what {
                let client = &member.client;
                *last_seen = turn.env.presence.last_seen(&client.client_id, &client.client_host);
            }
            turn.note(&group_id, what);
        }
        if let Some(trigger) = trigger {
            self.timers.begin_rebalance(&group_id, turn.now());
            if let Some(group) = self.groups.get_mut(&group_id) {
                group.classic.count_rebalance(trigger.reason);
            }
            turn.note(&group_id, Happening::RebalanceStarted(trigger));
        }
        let after = draft.group();
        if after.state() == GroupState::Stable {
            self.note_settled(turn, &group_id, after);
        }
        if after.is_empty() && !before.is_empty() && !draft.is_conversion {
            turn.note(&group_id, Happening::Emptied { generation: after.epoch });
        }
    }

    /// All members have what they shall have.
    fn note_settled(&mut self, turn: &mut Turn<'_, '_>, group_id: &Arc<str>, group: &ConsumerGroup) {
        let Some((since, before)) = self.timers.end_rebalance(group_id) else { return };
        let took = turn.now().since(since);
        let after = group.assignments(&self.topics);
        self.timers.set_assigned(group_id, after.clone());
        let generation = group.epoch;
        turn.note(group_id, Happening::RebalanceFinished { generation, took, before, after });
    }
}

/// What raised the group's epoch.
fn trigger_of(notes: &[Happening], has_subscription_changed: bool) -> Trigger {
    let by_member = notes.iter().find_map(|what| match what {
        Happening::Joined { member } => Some(Trigger::by(RebalanceReason::MemberJoined, &member.member_id)),
        Happening::Left { member, reason, .. } => {
            let trigger = Trigger::by(RebalanceReason::MemberLeft, &member.member_id);
            Some(trigger.saying(reason.as_ref()))
        }
        Happening::Evicted { member, .. } => {
            Some(Trigger::by(RebalanceReason::MemberSilent, &member.member_id))
        }
        Happening::Replaced { member, .. } => {
            Some(Trigger::by(RebalanceReason::StaticMemberReplaced, &member.member_id))
        }
        _ => None,
    });
    let reason = match has_subscription_changed {
        true => RebalanceReason::SubscriptionChanged,
        false => RebalanceReason::TopicsChanged,
    };
    by_member.unwrap_or_else(|| Trigger::by(reason, &Arc::default()))
}

/// How long a member had, for an event.
pub(super) fn waited(millis: i32) -> Duration {
    Duration::from_millis(u64::try_from(millis).unwrap_or(0))
}
