//! What happened in groups lately, for who asks why a group rebalanced. Soft state: a restart forgets it.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use ottla_model::{Seen, WallMillis};

use crate::machine::Caller;

/// Events that are kept of one group; the oldest go first.
const EVENTS_PER_GROUP_MAX: usize = 200;

/// Events that are kept of all groups of a partition together.
const EVENTS_MAX: usize = 20_000;

/// Memory that they may take, in bytes.
const EVENT_BYTES_MAX: usize = 4 << 20;

/// Memory of an event besides its texts, in bytes.
const EVENT_FIXED_BYTES: usize = 256;

/// Bytes of assignments that are kept of one generation. Those of a larger group are not.
const ASSIGNMENT_BYTES_MAX: usize = 256 * 1024;

/// Bytes that are kept of what a client gives as its reason.
const REASON_BYTES_MAX: usize = 256;

/// Something that happened in a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupEvent {
    /// When.
    pub wall: WallMillis,
    /// What.
    pub what: Happening,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Happening {
    /// A member joined.
    Joined {
        /// Who.
        member: EventMember,
    },
    /// A member left, or somebody removed it.
    Left {
        /// Who.
        member: EventMember,
        /// Who asked for that; the member itself, or an administrator.
        by: EventClient,
        /// Why, in that client's words.
        reason: Option<Arc<str>>,
    },
    /// A member was put out.
    Evicted {
        /// Who.
        member: EventMember,
        /// What it failed to do.
        missed: Missed,
        /// How long the group waited for that.
        waited: Duration,
        /// When the client was seen last, if it was.
        last_seen: Option<Seen>,
    },
    /// A process came under the instance id of a static member, whose old process is fenced.
    Replaced {
        /// The new one.
        member: EventMember,
        /// The member id of the old one.
        old_member_id: Arc<str>,
    },
    /// A static member of a consumer group is away, and keeps its partitions for the next process of its instance id.
    Away {
        /// Who.
        member: EventMember,
    },
    /// A rebalance began, or began anew; of a consumer group, it has a new epoch.
    RebalanceStarted(Trigger),
    /// The members of a generation are known, and who leads it.
    Elected {
        /// The generation.
        generation: i32,
        /// The leader's member id.
        leader: Arc<str>,
        /// True when another led before.
        is_new: bool,
        /// How many members there are.
        members: usize,
        /// The protocol.
        protocol: Option<Arc<str>>,
    },
    /// A consumer group knows what each of its members shall have.
    TargetMade {
        /// The group's epoch that it is for.
        epoch: i32,
        /// The assignor that made it.
        assignor: Arc<str>,
        /// What they shall have, if it was not too large to keep.
        target: Option<Arc<Assignments>>,
    },
    /// A rebalance ended with an assignment; of a consumer group, every member has what it shall have. Where this and
    /// the following speak of a generation, it is the epoch of a consumer group.
    RebalanceFinished {
        /// The generation.
        generation: i32,
        /// How long it took since it began.
        took: Duration,
        /// The assignment before, if it is known and was not too large to keep.
        before: Option<Arc<Assignments>>,
        /// The assignment since.
        after: Option<Arc<Assignments>>,
    },
    /// The last member is gone.
    Emptied {
        /// The generation.
        generation: i32,
    },
    /// The group came back with the broker.
    Restored {
        /// The generation.
        generation: i32,
        /// How many members it has.
        members: usize,
    },
    /// A classic group became a consumer group.
    Upgraded {
        /// How many members it has, not counting the one that did it.
        members: usize,
    },
    /// A consumer group became a classic group.
    Downgraded {
        /// How many members it has.
        members: usize,
    },
    /// The log did not take the last changes of a consumer group. What was told of them has not been.
    TakenBack,
    /// The group was deleted.
    Deleted {
        /// By whom; nothing when it was empty and its offsets had expired.
        by: Option<EventClient>,
    },
}

/// A member, as events remember it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventMember {
    /// Its id.
    pub member_id: Arc<str>,
    /// Its instance id, of a static member.
    pub group_instance_id: Option<Arc<str>>,
    /// Its client.
    pub client: EventClient,
}

/// A client, as events remember it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventClient {
    /// The client id, or empty.
    pub client_id: Arc<str>,
    /// The address.
    pub client_host: Arc<str>,
}

impl EventClient {
    pub(super) fn of(caller: &Caller) -> Self {
        Self {
            client_id: caller.client_id.clone().unwrap_or_default(),
            client_host: Arc::clone(&caller.client_host),
        }
    }
}

/// What a member that was put out had failed to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missed {
    /// To send a heartbeat, for its session timeout.
    Heartbeat,
    /// To rejoin, for the rebalance timeout.
    Rejoin,
    /// To ask for its assignment, for the rebalance timeout.
    Sync,
    /// To give partitions back, for the rebalance timeout.
    Revocation,
}

/// What began a rebalance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trigger {
    /// Of which kind it is.
    pub reason: RebalanceReason,
    /// The member that it is about, or empty.
    pub member_id: Arc<str>,
    /// The client's own words.
    pub words: Option<Arc<str>>,
}

impl Trigger {
    /// A trigger that is about one member.
    pub(super) fn by(reason: RebalanceReason, member_id: &Arc<str>) -> Self {
        Self { reason, member_id: Arc::clone(member_id), words: None }
    }

    /// The same, with what the client says.
    pub(super) fn saying(self, words: Option<&Arc<str>>) -> Self {
        Self { words: words.map(short), ..self }
    }
}

macro_rules! reasons {
    ($($(#[$doc:meta])* $reason:ident = $name:literal,)*) => {
        /// Why a group rebalances.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum RebalanceReason {
            $($(#[$doc])* $reason,)*
        }

        impl RebalanceReason {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$reason),*];

            /// Its name, as metrics have it.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$reason => $name,)*
                }
            }
        }
    };
}

reasons! {
    /// A member joined.
    MemberJoined = "member_joined",
    /// A member joined again, with other metadata or because it wants to be assigned anew.
    MemberRejoined = "member_rejoined",
    /// A static member's new process supports other protocols, or came during a rebalance.
    StaticMemberReplaced = "static_member_replaced",
    /// A member left or was removed.
    MemberLeft = "member_left",
    /// A member sent no heartbeat.
    MemberSilent = "member_silent",
    /// A member did not ask for its assignment.
    MemberDidNotSync = "member_did_not_sync",
    /// A member did not give partitions back.
    MemberDidNotRevoke = "member_did_not_revoke",
    /// A member of a consumer group reads other topics now.
    SubscriptionChanged = "subscription_changed",
    /// The topics that a consumer group reads have changed, or what its expressions match.
    TopicsChanged = "topics_changed",
    /// The assignment could not be written.
    AppendFailed = "append_failed",
    /// The last member of the new protocol left, and those of the classic one go on without it.
    Downgraded = "downgraded",
    /// After a restart the group is larger than `group.max.size`.
    GroupTooLarge = "group_too_large",
}

/// How often a group rebalanced since the start, by reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RebalanceCounts([u64; RebalanceReason::ALL.len()]);

impl RebalanceCounts {
    pub(super) fn add(&mut self, reason: RebalanceReason) {
        let place = RebalanceReason::ALL.iter().position(|one| *one == reason);
        if let Some(count) = place.and_then(|place| self.0.get_mut(place)) {
            *count = count.saturating_add(1);
        }
    }

    /// Each reason with its count.
    pub fn iter(&self) -> impl Iterator<Item = (RebalanceReason, u64)> {
        RebalanceReason::ALL.iter().copied().zip(self.0)
    }
}

/// Who has what in a generation, still encoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignments {
    /// Whether the bytes are those of consumers, which can be read
    /// ([`ConsumerProtocolAssignment`](crate::codec::ConsumerProtocolAssignment)).
    pub is_consumer: bool,
    /// The members, by id, with their assignments.
    pub members: Vec<(Arc<str>, Bytes)>,
}

impl Assignments {
    /// The assignments, unless they are too large to be kept.
    pub(super) fn kept<'a>(
        is_consumer: bool,
        members: impl Iterator<Item = (&'a Arc<str>, Bytes)>,
    ) -> Option<Arc<Self>> {
        let mut kept = Self { is_consumer, members: Vec::new() };
        let mut bytes = 0usize;
        for (member_id, assignment) in members {
            bytes = bytes.saturating_add(member_id.len()).saturating_add(assignment.len());
            if bytes > ASSIGNMENT_BYTES_MAX {
                return None;
            }
            kept.members.push((Arc::clone(member_id), assignment));
        }
        Some(Arc::new(kept))
    }

    fn bytes(&self) -> usize {
        let members = self.members.iter();
        members.map(|(member_id, assignment)| member_id.len().saturating_add(assignment.len())).sum()
    }
}

impl GroupEvent {
    /// Memory that it takes, more or less. Assignments that two events share count twice.
    fn bytes(&self) -> usize {
        let member = |member: &EventMember| {
            let instance = member.group_instance_id.as_deref().map_or(0, str::len);
            member.member_id.len() + instance + member.client.client_id.len()
        };
        let words = |words: &Option<Arc<str>>| words.as_deref().map_or(0, str::len);
        let assigned = |assigned: &Option<Arc<Assignments>>| assigned.as_ref().map_or(0, |one| one.bytes());
        let texts = match &self.what {
            Happening::Joined { member: one }
            | Happening::Away { member: one }
            | Happening::Evicted { member: one, .. } => member(one),
            Happening::Left { member: one, by, reason } => member(one) + by.client_id.len() + words(reason),
            Happening::Replaced { member: one, old_member_id } => member(one) + old_member_id.len(),
            Happening::RebalanceStarted(trigger) => trigger.member_id.len() + words(&trigger.words),
            Happening::Elected { leader, protocol, .. } => leader.len() + words(protocol),
            Happening::TargetMade { assignor, target, .. } => assignor.len() + assigned(target),
            Happening::RebalanceFinished { before, after, .. } => assigned(before) + assigned(after),
            Happening::Emptied { .. }
            | Happening::Restored { .. }
            | Happening::Upgraded { .. }
            | Happening::Downgraded { .. }
            | Happening::TakenBack
            | Happening::Deleted { .. } => 0,
        };
        texts.saturating_add(EVENT_FIXED_BYTES)
    }
}

/// A reason, as much of it as is kept.
pub(super) fn short(reason: &Arc<str>) -> Arc<str> {
    if reason.len() <= REASON_BYTES_MAX {
        return Arc::clone(reason);
    }
    reason.get(..reason.floor_char_boundary(REASON_BYTES_MAX)).unwrap_or_default().into()
}

/// The events of all groups of a partition, within bounds.
#[derive(Debug, Default)]
pub(super) struct EventLog {
    groups: HashMap<Arc<str>, VecDeque<(u64, GroupEvent)>>,
    /// All events in their order, also some that are gone already.
    order: VecDeque<(u64, Arc<str>)>,
    next: u64,
    bytes: usize,
}

impl EventLog {
    /// Adds an event, and lets the oldest go that there is no more room for.
    pub(super) fn push(&mut self, group_id: Arc<str>, event: GroupEvent) {
        let number = self.next;
        self.next = number.wrapping_add(1);
        self.bytes = self.bytes.saturating_add(event.bytes());
        let events = self.groups.entry(Arc::clone(&group_id)).or_default();
        events.push_back((number, event));
        let surplus = if events.len() > EVENTS_PER_GROUP_MAX { events.pop_front() } else { None };
        self.bytes = self.bytes.saturating_sub(surplus.map_or(0, |(_, event)| event.bytes()));
        self.order.push_back((number, group_id));
        while self.bytes > EVENT_BYTES_MAX || self.order.len() > EVENTS_MAX {
            let Some((number, group_id)) = self.order.pop_front() else { break };
            self.forget(number, &group_id);
        }
    }

    fn forget(&mut self, number: u64, group_id: &str) {
        let Some(events) = self.groups.get_mut(group_id) else { return };
        if events.front().is_some_and(|(first, _)| *first == number) {
            let bytes = events.pop_front().map_or(0, |(_, event)| event.bytes());
            self.bytes = self.bytes.saturating_sub(bytes);
        }
        if events.is_empty() {
            self.groups.remove(group_id);
        }
    }

    /// True when there are events of the group.
    pub(super) fn knows(&self, group_id: &str) -> bool {
        self.groups.contains_key(group_id)
    }

    /// The events of a group, the oldest first.
    pub(super) fn of(&self, group_id: &str) -> impl Iterator<Item = &GroupEvent> {
        self.groups.get(group_id).into_iter().flatten().map(|(_, event)| event)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(text: &str) -> GroupEvent {
        let words = Some(text.into());
        let trigger = Trigger { reason: RebalanceReason::MemberLeft, member_id: "m".into(), words };
        GroupEvent { wall: WallMillis(0), what: Happening::RebalanceStarted(trigger) }
    }

    fn check(log: &EventLog) {
        let all = log.groups.values().flatten();
        assert_eq!(log.bytes, all.clone().map(|(_, event)| event.bytes()).sum::<usize>());
        assert!(log.bytes <= EVENT_BYTES_MAX && log.order.len() <= EVENTS_MAX);
        assert!(all.count() <= log.order.len());
        assert!(log.groups.values().all(|events| (1..=EVENTS_PER_GROUP_MAX).contains(&events.len())));
    }

    #[test]
    fn each_group_has_its_newest() {
        let mut log = EventLog::default();
        for number in 0..500 {
            log.push("g".into(), event(&number.to_string()));
        }
        log.push("h".into(), event("only"));
        check(&log);
        assert_eq!(log.of("g").count(), EVENTS_PER_GROUP_MAX);
        assert_eq!(log.of("g").last(), Some(&event("499")));
        assert_eq!((log.of("h").count(), log.of("i").count()), (1, 0));
    }

    #[test]
    fn many_groups_and_long_texts_stay_within_the_bounds() {
        let mut log = EventLog::default();
        for number in 0..2 * EVENTS_MAX {
            log.push(number.to_string().into(), event(""));
        }
        check(&log);
        assert_eq!(log.of("0").count(), 0);
        for _ in 0..1_000 {
            log.push("long".into(), event(&"x".repeat(32_767)));
        }
        check(&log);
        assert!(log.of("long").count() > 50);
    }

    #[test]
    fn long_reasons_are_cut() {
        assert_eq!(short(&"é".repeat(200).into()).len(), 256);
    }
}
