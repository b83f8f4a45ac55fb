//! What a consumer group remembers of what happened to it: most of it is the difference that a call makes.

use std::sync::Arc;
use std::time::Duration;

use super::assignments::{owned, targets};
use super::draft::Draft;
use super::member::{LEAVE_STATIC_EPOCH, Member};
use super::state::{ConsumerGroup, GroupState};
use super::timers::{Due, Timer};
use crate::group::classic::Converted;
use crate::group::command::LeavingMember;
use crate::group::events::{EventClient, EventMember, Happening, Missed, RebalanceReason, Trigger, short};
use crate::group::groups::Groups;
use crate::group::rebalances::UnderWay;
use crate::group::turn::Turn;
use crate::machine::Caller;

/// What a call is for, as far as the difference that it makes cannot tell.
pub(super) enum Occasion<'a> {
    /// A request. Members that go were asked to by this caller; `leaving` says why.
    Request { by: &'a Caller, leaving: &'a [LeavingMember] },
    /// The time of members was up, or there were expressions to resolve.
    TimeUp(&'a Due),
}

/// What a call made of a group.
struct Difference<'a> {
    before: &'a ConsumerGroup,
    after: &'a ConsumerGroup,
    converted: Option<&'a Converted>,
}

impl<'a> Difference<'a> {
    /// The member as it is now, if it still is one.
    fn now(&self, member_id: &Arc<str>) -> Option<&'a Member> {
        let stays = self.converted.is_none_or(|converted| converted.classic.contains(member_id));
        self.after.members.get(member_id).filter(|_| stays)
    }

    /// The member that now has the place of a static one.
    fn successor(&self, member: &Member) -> Option<&'a Arc<str>> {
        let (member_id, _) = self.after.static_member(member.metadata.instance_id.as_ref()?)?;
        self.now(member_id).map(|_| member_id)
    }

    /// The static member whose place this one has now.
    fn predecessor(&self, member: &Member) -> Option<(&'a Arc<str>, &'a Member)> {
        self.before.static_member(member.metadata.instance_id.as_ref()?)
    }

    /// How many new epochs there are.
    fn raised(&self) -> usize {
        usize::try_from(self.after.epoch.saturating_sub(self.before.epoch)).unwrap_or(0)
    }
}

impl Groups {
    /// Remembers what a call made of a group. The draft is about to become the group.
    pub(super) fn note_changes(
        &mut self,
        turn: &mut Turn<'_, '_>,
        draft: &Draft,
        converted: Option<&Converted>,
        occasion: &Occasion<'_>,
    ) {
        if draft.is_unchanged() {
            return;
        }
        let difference = Difference { before: draft.before(), after: draft.at_last(), converted };
        let mut triggers = Vec::new();
        for member_id in draft.touched() {
            note_member(turn, draft, &difference, member_id, occasion, &mut triggers);
        }
        if let Some(converted) = converted {
            self.rebalances.end(&draft.group_id);
            return turn.note(&draft.group_id, Happening::Downgraded { members: converted.classic.len() });
        }
        self.note_progress(turn, draft, &difference, triggers);
    }

    fn note_progress(
        &mut self,
        turn: &mut Turn<'_, '_>,
        draft: &Draft,
        difference: &Difference<'_>,
        mut triggers: Vec<Trigger>,
    ) {
        let Difference { before, after, .. } = difference;
        let group_id = &draft.group_id;
        // Who comes or goes does not always raise the epoch; what raises it without any of them are the topics.
        let topics = || Trigger::by(RebalanceReason::TopicsChanged, &Arc::default());
        triggers.resize_with(difference.raised(), topics);
        if !triggers.is_empty() {
            let (since, topics) = (turn.now(), &self.topics);
            self.rebalances.begin(group_id, || UnderWay { since, before: owned(before, topics) });
        }
        for trigger in triggers {
            turn.note(group_id, Happening::RebalanceStarted(trigger));
        }
        if after.target.epoch > before.target.epoch {
            let assignor = after.assignor_name(&turn.config.consumer);
            let target = targets(after, &self.topics);
            turn.note(group_id, Happening::TargetMade { epoch: after.target.epoch, assignor, target });
        }
        match after.state() {
            GroupState::Empty if !before.is_empty() => {
                self.rebalances.end(group_id);
                turn.note(group_id, Happening::Emptied { generation: after.epoch });
            }
            GroupState::Stable => {
                let Some(UnderWay { since, before }) = self.rebalances.end(group_id) else { return };
                let took = turn.now().since(since);
                let (generation, after) = (after.target.epoch, owned(after, &self.topics));
                turn.note(group_id, Happening::RebalanceFinished { generation, took, before, after });
            }
            _ => {}
        }
    }

    /// The group came back with the broker.
    pub(in crate::group) fn note_restored(&mut self, turn: &mut Turn<'_, '_>, group_id: &Arc<str>) {
        let Some(group) = self.consumer_group(group_id).cloned() else { return };
        if !group.is_empty() {
            let (generation, members) = (group.epoch, group.members.len());
            turn.note(group_id, Happening::Restored { generation, members });
        }
        self.follow(turn, group_id, &group);
    }

    /// The last changes of the group are not in the log, and what was remembered of them never was.
    pub(in crate::group) fn note_taken_back(&mut self, turn: &mut Turn<'_, '_>, group_id: &Arc<str>) {
        turn.note(group_id, Happening::TakenBack);
        if let Some(group) = self.consumer_group(group_id).cloned() {
            self.follow(turn, group_id, &group);
        }
    }

    /// Sees to it that a rebalance is under way exactly if members are on their way.
    fn follow(&mut self, turn: &Turn<'_, '_>, group_id: &Arc<str>, group: &ConsumerGroup) {
        match group.state() {
            GroupState::Empty | GroupState::Stable => drop(self.rebalances.end(group_id)),
            GroupState::Assigning | GroupState::Reconciling => {
                let (since, topics) = (turn.now(), &self.topics);
                self.rebalances.begin(group_id, || UnderWay { since, before: owned(group, topics) });
            }
        }
    }
}

/// Tells what happened to one member, and whether that is a reason for a new epoch.
fn note_member(
    turn: &mut Turn<'_, '_>,
    draft: &Draft,
    difference: &Difference<'_>,
    member_id: &Arc<str>,
    occasion: &Occasion<'_>,
    triggers: &mut Vec<Trigger>,
) {
    let group_id = &draft.group_id;
    let changed = || Trigger::by(RebalanceReason::SubscriptionChanged, member_id);
    match (difference.before.members.get(member_id), difference.now(member_id)) {
        (None, None) => {}
        (None, Some(member)) => {
            let one = event_member(member_id, member);
            if let Some((old_member_id, old)) = difference.predecessor(member) {
                let old_member_id = Arc::clone(old_member_id);
                turn.note(group_id, Happening::Replaced { member: one, old_member_id });
                triggers.extend(reads_other(old, member).then(changed));
            } else {
                turn.note(group_id, Happening::Joined { member: one });
                triggers.push(Trigger::by(RebalanceReason::MemberJoined, member_id));
            }
        }
        (Some(member), None) => {
            if difference.successor(member).is_none() {
                let (what, trigger) = gone(turn, group_id, member_id, member, occasion);
                turn.note(group_id, what);
                triggers.push(trigger);
            }
        }
        (Some(old), Some(member)) => {
            let is_away = |member: &Member| member.current.epoch == LEAVE_STATIC_EPOCH;
            let one = event_member(member_id, member);
            match (is_away(old), is_away(member)) {
                (false, true) => turn.note(group_id, Happening::Away { member: one }),
                (true, false) => {
                    let old_member_id = Arc::clone(member_id);
                    turn.note(group_id, Happening::Replaced { member: one, old_member_id });
                }
                _ => {}
            }
            triggers.extend(reads_other(old, member).then(changed));
        }
    }
}

fn reads_other(old: &Member, new: &Member) -> bool {
    (&old.metadata.topics, &old.metadata.regex) != (&new.metadata.topics, &new.metadata.regex)
}

/// How a member went.
fn gone(
    turn: &Turn<'_, '_>,
    group_id: &Arc<str>,
    member_id: &Arc<str>,
    member: &Member,
    occasion: &Occasion<'_>,
) -> (Happening, Trigger) {
    let one = event_member(member_id, member);
    match occasion {
        Occasion::Request { by, leaving } => {
            let asked = leaving.iter().find(|asked| is_about(asked, member_id, member));
            let reason = asked.and_then(|asked| asked.reason.as_ref());
            let trigger = Trigger::by(RebalanceReason::MemberLeft, member_id).saying(reason);
            let left = Happening::Left { member: one, by: EventClient::of(by), reason: reason.map(short) };
            (left, trigger)
        }
        Occasion::TimeUp(due) => {
            let timer = due.members.iter().find(|(_, _, due_id)| due_id == member_id);
            let timer = timer.map_or(Timer::Session, |(_, timer, _)| *timer);
            let classic = member.metadata.classic.as_ref();
            let session_timeout_ms = classic.map_or_else(
                || turn.config.consumer.session_timeout_ms(group_id),
                |classic| classic.session_timeout_ms,
            );
            let rebalance_timeout_ms = member.metadata.rebalance_timeout_ms;
            let (missed, reason, waited_ms) = match timer {
                Timer::Session => (Missed::Heartbeat, RebalanceReason::MemberSilent, session_timeout_ms),
                Timer::Rebalance => {
                    (Missed::Revocation, RebalanceReason::MemberDidNotRevoke, rebalance_timeout_ms)
                }
                Timer::Join => (Missed::Rejoin, RebalanceReason::MemberSilent, rebalance_timeout_ms),
                Timer::Sync => (Missed::Sync, RebalanceReason::MemberDidNotSync, rebalance_timeout_ms),
            };
            let waited = Duration::from_millis(u64::try_from(waited_ms).unwrap_or(0));
            let last_seen = turn.env.presence.last_seen(&one.client.client_id, &one.client.client_host);
            let evicted = Happening::Evicted { member: one, missed, waited, last_seen };
            (evicted, Trigger::by(reason, member_id))
        }
    }
}

fn is_about(asked: &LeavingMember, member_id: &Arc<str>, member: &Member) -> bool {
    match &asked.group_instance_id {
        Some(instance_id) => member.metadata.instance_id.as_ref() == Some(instance_id),
        None => asked.member_id == *member_id,
    }
}

fn event_member(member_id: &Arc<str>, member: &Member) -> EventMember {
    let metadata = &member.metadata;
    EventMember {
        member_id: Arc::clone(member_id),
        group_instance_id: metadata.instance_id.clone(),
        client: EventClient {
            client_id: Arc::clone(&metadata.client_id),
            client_host: Arc::clone(&metadata.client_host),
        },
    }
}
