//! A new target assignment (`maybeUpdateTargetAssignment`, `TargetAssignmentBuilder`).

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use ottla_model::{ErrorCode, TopicId};

use super::context::Context;
use super::draft::Draft;
use super::member::Member;
use super::refusal::Refusal;
use super::state::{Change, ConsumerGroup, TargetEpoch};
use crate::group::assignor::{
    Assignor, GroupAssignment, GroupSpec, MemberSpec, PartitionAssignorError, PartitionsByTopic,
    SubscriptionType,
};

impl Context<'_> {
    /// Makes a new target when the group's epoch is ahead of the present one, and the present one is not too young.
    pub(super) fn assign(&mut self, draft: &mut Draft) -> Result<(), Refusal> {
        let group = draft.group();
        if group.target.epoch >= group.epoch || !self.may_assign(group, &draft.group_id) {
            return Ok(());
        }
        let epoch = group.epoch;
        let mut assignment = self.assignment(group).map_err(|error| {
            let message = format!("Failed to compute a new target assignment for epoch {epoch}: {error}");
            Refusal::new(ErrorCode::UnknownServerError, message)
        })?;
        let member_ids: Vec<Arc<str>> = group.members.keys().cloned().collect();
        for member_id in member_ids {
            let target = assignment.remove(&*member_id).unwrap_or_default();
            let is_new = draft.group().targets.get(&member_id).is_none_or(|known| **known != target);
            if is_new {
                draft.change(Change::Target(member_id, Some(Arc::new(target))));
            }
        }
        draft.change(Change::TargetEpoch(Some(TargetEpoch { epoch, made_at_ms: self.wall_ms })));
        Ok(())
    }

    /// True when the last target is old enough (KIP-1263). Members that come together get one target.
    fn may_assign(&self, group: &ConsumerGroup, group_id: &str) -> bool {
        let interval_ms = i64::from(self.config.consumer.assignment_interval_ms(group_id));
        let made_at_ms = group.target.made_at_ms;
        // A clock that was set back must not keep a group without a target.
        let is_from_the_future = made_at_ms > self.wall_ms;
        made_at_ms == 0
            || interval_ms == 0
            || is_from_the_future
            || self.wall_ms >= made_at_ms.saturating_add(interval_ms)
    }

    fn assignment(&self, group: &ConsumerGroup) -> Result<GroupAssignment, PartitionAssignorError> {
        let nothing = PartitionsByTopic::new();
        let mut subscriptions = Subscriptions::default();
        let members = group.members.iter().map(|(member_id, member)| {
            let spec = MemberSpec {
                instance_id: member.metadata.instance_id.as_deref(),
                rack_id: member.metadata.rack_id.as_deref(),
                subscribed_topic_ids: subscriptions.of(group, member, self),
                assignment: group.targets.get(member_id).map_or(&nothing, |target| &**target),
            };
            (&**member_id, spec)
        });
        let members: BTreeMap<&str, MemberSpec<'_>> = members.collect();
        let subscribed = group.members.values().map(|member| &member.metadata);
        let subscription_type =
            SubscriptionType::of(subscribed.map(|metadata| (&metadata.topics, Some(&*metadata.regex))));
        self.assignor(group).assign(&GroupSpec { members, subscription_type }, self.topics)
    }

    /// The assignor that most members ask for (`preferredServerAssignor`). Kafka leaves a draw to its hash map; here
    /// the last by name wins.
    fn assignor(&self, group: &ConsumerGroup) -> Assignor {
        let preferred = group.index.assignors.iter().max_by_key(|(_, members)| **members);
        let preferred = preferred.and_then(|(name, _)| self.config.consumer.assignor(name));
        preferred.or_else(|| self.config.consumer.assignors.first().copied()).unwrap_or_default()
    }
}

/// What a member subscribes to: names and an expression.
type Subscription<'a> = (&'a BTreeSet<Arc<str>>, &'a str);

/// The topics of members that subscribe alike, found once.
#[derive(Default)]
struct Subscriptions<'a> {
    known: HashMap<Subscription<'a>, Arc<BTreeSet<TopicId>>>,
}

impl<'a> Subscriptions<'a> {
    fn of(
        &mut self,
        group: &'a ConsumerGroup,
        member: &'a Member,
        context: &Context<'_>,
    ) -> Arc<BTreeSet<TopicId>> {
        let key = (&member.metadata.topics, &*member.metadata.regex);
        let ids = self.known.entry(key).or_insert_with(|| {
            Arc::new(context.topics.ids_of(group.topics_of(member).map(|topic| &**topic)))
        });
        Arc::clone(ids)
    }
}
