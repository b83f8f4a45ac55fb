//! ConsumerGroupHeartbeat of a member that joins or stays (`consumerGroupHeartbeat`).

use std::collections::BTreeSet;
use std::sync::Arc;

use super::context::Context;
use super::draft::Draft;
use super::enter::Entry;
use super::member::{JOIN_EPOCH, Member, Metadata};
use super::reconcile::Step;
use super::refusal::Refusal;
use super::request::NO_REBALANCE_TIMEOUT_MS;
use super::state::Change;
use super::timers::Timer;
use crate::group::command::ConsumerHeartbeat;
use crate::group::reply::ConsumerHeartbeatReply;
use crate::machine::Caller;
use ottla_model::{ErrorCode, PartitionIndex, TopicId};

impl Context<'_> {
    /// Takes a member in or hears from it, and brings it a step nearer to its target.
    pub(super) fn heartbeat(
        &mut self,
        draft: &mut Draft,
        caller: &Caller,
        heartbeat: &ConsumerHeartbeat,
        new_member_id: impl FnOnce() -> Arc<str>,
    ) -> Result<ConsumerHeartbeatReply, Refusal> {
        let group_id = Arc::clone(&draft.group_id);
        let before = draft.snapshot();
        if is_full(&before, &heartbeat.member_id, self.config.consumer.max_size) {
            return Err(Refusal::new(
                ErrorCode::GroupMaxSizeReached,
                format!(
                    "The consumer group has reached its maximum capacity of {} members.",
                    self.config.consumer.max_size
                ),
            ));
        }
        let joins = heartbeat.member_epoch == JOIN_EPOCH;
        let member_id =
            if heartbeat.member_id.is_empty() { new_member_id() } else { Arc::clone(&heartbeat.member_id) };
        let entry = Entry {
            member_id: &member_id,
            instance_id: heartbeat.instance_id.as_ref(),
            may_create: joins,
            epoch: Some((heartbeat.member_epoch, heartbeat.topic_partitions.as_deref())),
        };
        let member = entry.enter(draft)?;
        let metadata = updated_metadata(&member.metadata, caller, heartbeat);
        let change = self.subscribe(draft, &before, &member_id, &member, metadata)?;
        self.refresh_metadata(draft, change.raises_epoch());
        self.assign(draft)?;
        self.reconcile(draft, &member_id, change.is_change(), heartbeat.topic_partitions.as_deref())?;

        let session_timeout_ms = self.config.consumer.session_timeout_ms(&group_id);
        self.start(&group_id, &member_id, Timer::Session, session_timeout_ms);
        let updated = draft.group().members.get(&member_id).cloned().unwrap_or_default();
        let is_full_request = heartbeat.rebalance_timeout_ms != NO_REBALANCE_TIMEOUT_MS
            && (heartbeat.subscribed_topic_names.is_some() || heartbeat.subscribed_topic_regex.is_some())
            && heartbeat.topic_partitions.is_some();
        let tells_assignment =
            joins || is_full_request || member.current.assigned != updated.current.assigned;
        Ok(ConsumerHeartbeatReply {
            error: ErrorCode::None,
            error_message: None,
            member_id: Some(member_id),
            member_epoch: updated.current.epoch,
            heartbeat_interval_ms: self.config.consumer.heartbeat_interval_ms(&group_id),
            assignment: tells_assignment.then(|| told(&updated)),
        })
    }

    /// Moves a member on towards its target, if it is not there (`maybeReconcile`).
    pub(super) fn reconcile(
        &mut self,
        draft: &mut Draft,
        member_id: &Arc<str>,
        has_subscription_changed: bool,
        reported: Option<&[(TopicId, Vec<PartitionIndex>)]>,
    ) -> Result<(), Refusal> {
        let group = draft.group();
        let Some(member) = group.members.get(member_id) else { return Ok(()) };
        if !has_subscription_changed && member.current.is_reconciled_to(group.target.epoch) {
            return Ok(());
        }
        let subscribed: BTreeSet<TopicId> = self.topics.ids_of(group.topics_of(member).map(|topic| &**topic));
        let nothing = Arc::default();
        let step = Step {
            current: &member.current,
            target_epoch: group.target.epoch,
            target: group.targets.get(member_id).unwrap_or(&nothing),
            has_subscription_changed,
            is_subscribed: |topic_id| subscribed.contains(&topic_id),
            is_owned: |topic_id, partition| group.index.is_owned(topic_id, partition),
            reported,
        };
        let next = step.take()?;
        if next == *member.current {
            return Ok(());
        }
        let is_classic = member.uses_classic_protocol();
        let rebalance_timeout_ms = member.metadata.rebalance_timeout_ms;
        let must_revoke = next.state == super::member::MemberState::UnrevokedPartitions;
        draft.change(Change::Current(Arc::clone(member_id), Some(Arc::new(next))));
        let group_id = Arc::clone(&draft.group_id);
        if must_revoke && !is_classic {
            self.start(&group_id, member_id, Timer::Rebalance, rebalance_timeout_ms);
        } else if !is_classic {
            self.timers.cancel(&group_id, member_id, Timer::Rebalance);
        }
        Ok(())
    }
}

/// True when the group has no room for a new member (`throwIfConsumerGroupIsFull`).
pub(super) fn is_full(group: &super::state::ConsumerGroup, member_id: &Arc<str>, max_size: usize) -> bool {
    group.members.len() >= max_size && !group.members.contains_key(member_id)
}

/// What the member now says of itself. What it leaves out stays as it was.
fn updated_metadata(known: &Metadata, caller: &Caller, heartbeat: &ConsumerHeartbeat) -> Metadata {
    let names = heartbeat.subscribed_topic_names.as_ref();
    let rebalance_timeout_ms = match heartbeat.rebalance_timeout_ms {
        NO_REBALANCE_TIMEOUT_MS => known.rebalance_timeout_ms,
        told => told,
    };
    Metadata {
        instance_id: heartbeat.instance_id.clone().or_else(|| known.instance_id.clone()),
        rack_id: heartbeat.rack_id.clone().or_else(|| known.rack_id.clone()),
        client_id: caller.client_id.clone().unwrap_or_default(),
        client_host: Arc::clone(&caller.client_host),
        topics: names.map_or_else(|| known.topics.clone(), |names| names.iter().cloned().collect()),
        regex: heartbeat.subscribed_topic_regex.clone().unwrap_or_else(|| Arc::clone(&known.regex)),
        rebalance_timeout_ms,
        assignor: heartbeat.server_assignor.clone().or_else(|| known.assignor.clone()),
        classic: None,
    }
}

/// A member's partitions, as the response tells them.
fn told(member: &Member) -> Vec<(TopicId, Vec<PartitionIndex>)> {
    let topics = member.current.assigned.iter();
    topics.map(|(topic_id, partitions)| (*topic_id, partitions.keys().copied().collect())).collect()
}
