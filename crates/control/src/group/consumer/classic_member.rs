//! Members of a consumer group that use the classic protocol: JoinGroup, SyncGroup and Heartbeat
//! (`classicGroupJoinToConsumerGroup` and its kin).
//!
//! To them a target is a rebalance. They are told of it by their heartbeat, join, which moves them a step on towards
//! the target as a heartbeat of the new protocol would, and sync, which tells them what they have. Nobody waits for
//! anybody, and none of them leads.

use std::sync::Arc;

use bytes::Bytes;
use ottla_model::{ErrorCode, PartitionIndex, TopicId};

use super::change::without_epochs;
use super::context::Context;
use super::convert::embedded_assignment;
use super::draft::Draft;
use super::enter::{Entry, check_not_fenced, unknown_member};
use super::heartbeat::is_full;
use super::member::{ClassicMetadata, Member, MemberState, Metadata};
use super::refusal::Refusal;
use super::state::ConsumerGroup;
use super::timers::Timer;
use crate::codec::ConsumerProtocolSubscription;
use crate::group::classic::{CONSUMER, Converted};
use crate::group::command::{Heartbeat, Join, Sync};
use crate::group::config::MigrationPolicy;
use crate::group::reply::{JoinReply, SyncReply};
use crate::machine::Caller;

impl Context<'_> {
    /// Handles the JoinGroup of a member that is there or comes.
    pub(super) fn join_classic(
        &mut self,
        draft: &mut Draft,
        caller: &Caller,
        join: &Join,
        new_member_id: Arc<str>,
    ) -> Result<(JoinReply, Option<Converted>), Refusal> {
        let group_id = Arc::clone(&draft.group_id);
        let before = draft.snapshot();
        let is_unknown = join.member_id.is_empty();
        let member_id = if is_unknown { new_member_id } else { Arc::clone(&join.member_id) };
        self.check_join(&before, &member_id, join)?;
        if is_unknown && join.requires_known_member_id && join.group_instance_id.is_none() {
            return Ok((JoinReply::error(member_id, ErrorCode::MemberIdRequired), None));
        }
        let instance_id = join.group_instance_id.as_ref();
        let may_create = instance_id.is_none() || is_unknown;
        let entry = Entry { member_id: &member_id, instance_id, may_create, epoch: None };
        let subscription = Subscription::of(join)?;
        let member = entry.enter(draft)?;
        let metadata = subscription.metadata(&member.metadata, caller, join);
        let change = self.subscribe(draft, &before, &member_id, &member, metadata)?;
        self.refresh_metadata(draft, change.is_change());
        let owned = subscription.owned(self);
        let downgrades = instance_id.is_some_and(|id| self.may_downgrade_by(&before, id));
        let rebalances = before.target.epoch < draft.group().epoch;
        if !downgrades {
            self.assign(draft)?;
        }
        if !downgrades || !rebalances {
            self.reconcile(draft, &member_id, change.is_change(), Some(&owned))?;
        }
        let generation = draft.group().members.get(&member_id).map_or(0, |member| member.current.epoch);
        self.timers.cancel(&group_id, &member_id, Timer::Join);
        let converted = if downgrades {
            Some(self.downgrade(draft, &[], before.epoch, rebalances)?)
        } else {
            self.start(&group_id, &member_id, Timer::Session, join.session_timeout_ms);
            self.start(&group_id, &member_id, Timer::Sync, join.rebalance_timeout_ms);
            None
        };
        let reply = JoinReply {
            error: ErrorCode::None,
            generation,
            protocol_type: Some(CONSUMER.into()),
            protocol: join.protocols.first().map(|(name, _)| Arc::clone(name)),
            ..JoinReply::error(member_id, ErrorCode::None)
        };
        Ok((reply, converted))
    }

    fn check_join(&self, group: &ConsumerGroup, member_id: &Arc<str>, join: &Join) -> Result<(), Refusal> {
        let refuse = |error| Err(Refusal::new(error, ""));
        if self.config.consumer.migration_policy == MigrationPolicy::Disabled {
            return refuse(ErrorCode::InconsistentGroupProtocol);
        }
        if is_full(group, member_id, self.config.consumer.max_size) {
            return refuse(ErrorCode::GroupMaxSizeReached);
        }
        let is_supported = |(name, _): &(Arc<str>, Bytes)| {
            let supporters = group.index.classic_protocols.get(name).copied().unwrap_or(0);
            supporters == group.index.classic_members
        };
        if &*join.protocol_type != CONSUMER || !join.protocols.iter().any(is_supported) {
            return refuse(ErrorCode::InconsistentGroupProtocol);
        }
        Ok(())
    }

    /// True when the static member whose place is taken was the last one of the new protocol
    /// (`validateOnlineDowngradeWithReplacedMember`).
    fn may_downgrade_by(&self, group: &ConsumerGroup, instance_id: &Arc<str>) -> bool {
        group.static_member(instance_id).is_some_and(|(_, replaced)| {
            !replaced.uses_classic_protocol()
                && group.index.classic_members.saturating_add(1) == group.members.len()
                && self.may_downgrade(group.members.len())
        })
    }

    /// Handles a SyncGroup: tells a member what it has (`classicGroupSyncToConsumerGroup`).
    pub(super) fn sync_classic(
        &mut self,
        group_id: &Arc<str>,
        group: &ConsumerGroup,
        sync: &Sync,
    ) -> Result<SyncReply, Refusal> {
        let member = find(group, group_id, &sync.member_id, sync.group_instance_id.as_ref())?;
        let (classic, metadata) = classic_of(member, sync.generation)?;
        let Some((protocol, subscription)) = classic.protocol() else {
            return Err(Refusal::new(ErrorCode::UnknownServerError, "The member brought no protocol."));
        };
        let differs = |told: Option<&Arc<str>>, known: &str| told.is_some_and(|told| &**told != known);
        if differs(sync.protocol_type.as_ref(), CONSUMER) || differs(sync.protocol.as_ref(), protocol) {
            return Err(Refusal::new(ErrorCode::InconsistentGroupProtocol, ""));
        }
        let current = &member.current;
        if group.target.epoch > current.epoch && current.state != MemberState::UnrevokedPartitions {
            let timeout_ms = metadata.rebalance_timeout_ms;
            self.start_if_absent(group_id, &sync.member_id, Timer::Join, timeout_ms);
            return Err(Refusal::new(ErrorCode::RebalanceInProgress, ""));
        }
        let assignment = embedded_assignment(&without_epochs(&current.assigned), subscription, self.topics)?;
        self.timers.cancel(group_id, &sync.member_id, Timer::Sync);
        self.start(group_id, &sync.member_id, Timer::Session, classic.session_timeout_ms);
        Ok(SyncReply {
            error: ErrorCode::None,
            protocol_type: sync.protocol_type.clone(),
            protocol: sync.protocol.clone(),
            assignment,
        })
    }

    /// Handles a Heartbeat (`classicGroupHeartbeatToConsumerGroup`).
    pub(super) fn heartbeat_classic(
        &mut self,
        group_id: &Arc<str>,
        group: &ConsumerGroup,
        heartbeat: &Heartbeat,
    ) -> Result<(), ErrorCode> {
        let member = find(group, group_id, &heartbeat.member_id, heartbeat.group_instance_id.as_ref());
        let member = member.map_err(|refusal| refusal.error)?;
        let (classic, metadata) =
            classic_of(member, heartbeat.generation).map_err(|refusal| refusal.error)?;
        self.start(group_id, &heartbeat.member_id, Timer::Session, classic.session_timeout_ms);
        let current = &member.current;
        let must_join = match current.state {
            _ if current.epoch < group.target.epoch => true,
            MemberState::UnrevokedPartitions => true,
            MemberState::UnreleasedPartitions => !group.waits_for_others(&heartbeat.member_id, member),
            MemberState::Stable | MemberState::Unknown => false,
        };
        if must_join {
            let timeout_ms = metadata.rebalance_timeout_ms;
            self.start_if_absent(group_id, &heartbeat.member_id, Timer::Join, timeout_ms);
            return Err(ErrorCode::RebalanceInProgress);
        }
        Ok(())
    }
}

impl ConsumerGroup {
    /// True while others have partitions that the member shall get (`waitingOnUnreleasedPartition`).
    fn waits_for_others(&self, member_id: &str, member: &Member) -> bool {
        let target = self.targets.get(member_id);
        target.into_iter().flat_map(|target| target.iter()).any(|(topic_id, partitions)| {
            let assigned = member.current.assigned.get(topic_id);
            partitions.iter().any(|partition| {
                !assigned.is_some_and(|assigned| assigned.contains_key(partition))
                    && self.index.is_owned(*topic_id, *partition)
            })
        })
    }
}

/// The member that a request is from (`validateConsumerGroupMember`).
fn find<'a>(
    group: &'a ConsumerGroup,
    group_id: &str,
    member_id: &Arc<str>,
    instance_id: Option<&Arc<str>>,
) -> Result<&'a Member, Refusal> {
    let Some(instance_id) = instance_id else {
        return group.members.get(member_id).ok_or_else(|| unknown_member(group_id, member_id));
    };
    let (known_id, member) =
        group.static_member(instance_id).ok_or_else(|| unknown_member(group_id, member_id))?;
    check_not_fenced(known_id, member_id, instance_id)?;
    Ok(member)
}

/// The member as one of the classic protocol, if it is in that generation.
fn classic_of(member: &Member, generation: i32) -> Result<(&ClassicMetadata, &Metadata), Refusal> {
    let Some(classic) = &member.metadata.classic else {
        return Err(Refusal::new(ErrorCode::UnknownMemberId, ""));
    };
    if member.current.epoch != generation {
        return Err(Refusal::new(ErrorCode::IllegalGeneration, ""));
    }
    Ok((classic, &member.metadata))
}

/// What a JoinGroup says under its first protocol, which is the one that counts.
struct Subscription<'a>(ConsumerProtocolSubscription<'a>);

impl<'a> Subscription<'a> {
    fn of(join: &'a Join) -> Result<Self, Refusal> {
        let first = join.protocols.first().map(|(_, metadata)| &**metadata).unwrap_or_default();
        let subscription = ConsumerProtocolSubscription::decode(first);
        let subscription =
            subscription.map_err(|error| Refusal::new(ErrorCode::UnknownServerError, error.to_string()))?;
        Ok(Self(subscription))
    }

    fn metadata(&self, known: &Metadata, caller: &Caller, join: &Join) -> Metadata {
        let rack_id = self.0.rack_id.filter(|rack| !rack.is_empty()).map(Arc::from);
        let rebalance_timeout_ms = match join.rebalance_timeout_ms {
            super::request::NO_REBALANCE_TIMEOUT_MS => known.rebalance_timeout_ms,
            told => told,
        };
        Metadata {
            instance_id: join.group_instance_id.clone().or_else(|| known.instance_id.clone()),
            rack_id: rack_id.or_else(|| known.rack_id.clone()),
            client_id: caller.client_id.clone().unwrap_or_default(),
            client_host: Arc::clone(&caller.client_host),
            topics: self.0.topics.iter().map(|topic| Arc::from(*topic)).collect(),
            regex: Arc::default(),
            rebalance_timeout_ms,
            assignor: known.assignor.clone(),
            classic: Some(ClassicMetadata {
                session_timeout_ms: join.session_timeout_ms,
                protocols: join.protocols.clone(),
            }),
        }
    }

    /// The partitions that the member has, as far as their topics exist.
    fn owned(&self, context: &Context<'_>) -> Vec<(TopicId, Vec<PartitionIndex>)> {
        let named = self.0.owned_partitions.iter();
        let owned = named
            .filter_map(|(topic, partitions)| Some((context.topics.by_name(topic)?.id, partitions.clone())));
        owned.collect()
    }
}
