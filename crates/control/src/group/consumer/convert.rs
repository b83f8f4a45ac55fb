//! Online upgrade of a classic group, and downgrade (KIP-848, "Supporting Online Consumer Group Upgrade").

use std::sync::Arc;

use bytes::Bytes;
use ottla_model::{ErrorCode, WallMillis};

use super::change::with_epoch;
use super::context::Context;
use super::draft::Draft;
use super::member::{ClassicMetadata, Current, MemberState, Metadata, Owned};
use super::refusal::Refusal;
use super::state::{Change, ConsumerGroup, TargetEpoch};
use super::timers::Timer;
use crate::codec::{
    ConsumerProtocolAssignment, ConsumerProtocolSubscription, DecodeError, EncodeError,
    consumer_protocol_version,
};
use crate::group::TopicsImage;
use crate::group::assignor::PartitionsByTopic;
use crate::group::classic::{Classic, Converted, ConvertedMember};
use crate::machine::Record;

impl From<EncodeError> for Refusal {
    fn from(error: EncodeError) -> Self {
        Self::new(ErrorCode::UnknownServerError, error.to_string())
    }
}

/// A member on its way into a consumer group.
struct Upgraded {
    member_id: Arc<str>,
    metadata: Metadata,
    target: PartitionsByTopic,
}

impl Context<'_> {
    /// The consumer group that a classic group becomes, with the records of it (`convertToConsumerGroup`).
    pub(super) fn upgrade(&mut self, group_id: &Arc<str>, classic: &Classic) -> Result<Draft, Refusal> {
        self.check_upgrade(group_id, classic)?;
        let members: Vec<Upgraded> = classic
            .members_to_convert()
            .into_iter()
            .map(|member| upgrade_member(group_id, member, self.topics))
            .collect::<Result<_, _>>()?;
        let mut draft = Draft::new(Arc::clone(group_id), Arc::default());
        draft.record(classic.tombstone()?);
        for member in &members {
            let metadata = Arc::new(member.metadata.clone());
            draft.change(Change::Metadata(Arc::clone(&member.member_id), Some(metadata)));
        }
        let epoch = classic.generation();
        let hash = self.metadata_hash(draft.group());
        draft.change(Change::Epoch(Some((epoch, hash))));
        for member in &members {
            let target = Arc::new(member.target.clone());
            draft.change(Change::Target(Arc::clone(&member.member_id), Some(target)));
        }
        draft.change(Change::TargetEpoch(Some(TargetEpoch { epoch, made_at_ms: 0 })));
        for member in members {
            let current = Current {
                epoch,
                previous_epoch: epoch,
                state: MemberState::Stable,
                assigned: with_epoch(&member.target, epoch),
                revoking: Owned::new(),
            };
            let session_timeout_ms = member.metadata.classic.map_or(0, |classic| classic.session_timeout_ms);
            self.start(group_id, &member.member_id, Timer::Session, session_timeout_ms);
            draft.change(Change::Current(member.member_id, Some(Arc::new(current))));
        }
        draft.begin_here();
        Ok(draft)
    }

    /// `validateOnlineUpgrade`.
    fn check_upgrade(&self, group_id: &str, classic: &Classic) -> Result<(), Refusal> {
        let reason = if !self.config.consumer.migration_policy.allows_upgrade() {
            "online upgrade is disabled"
        } else if !classic.is_consumer_protocol() {
            "the group does not use the consumer embedded protocol"
        } else if classic.len() > self.config.consumer.max_size {
            "the group size exceeds the consumer group maximum size"
        } else {
            return Ok(());
        };
        Err(cannot_upgrade(group_id, reason))
    }

    /// True when without these members only such of the classic protocol are left, and the group may become a classic
    /// one (`validateOnlineDowngradeWithFencedMembers`).
    pub(super) fn may_downgrade_without(&self, group: &ConsumerGroup, leaving: &[Arc<str>]) -> bool {
        let leaves = |member_id: &Arc<str>| leaving.contains(member_id);
        let classic_leaving = leaving.iter().filter_map(|member_id| group.members.get(member_id));
        let classic_leaving = classic_leaving.filter(|member| member.uses_classic_protocol()).count();
        let left = group.members.len().saturating_sub(leaving.len());
        left > 0
            && group.index.classic_members.saturating_sub(classic_leaving) == left
            && group.members.keys().any(|member_id| !leaves(member_id))
            && self.may_downgrade(left)
    }

    /// True when a group of that size may become a classic one.
    pub(super) fn may_downgrade(&self, size: usize) -> bool {
        self.config.consumer.migration_policy.allows_downgrade() && size <= self.config.max_size
    }

    /// Makes a classic group of those members that do not leave (`convertToClassicGroup`). It begins in the generation
    /// of `epoch`.
    pub(super) fn downgrade(
        &mut self,
        draft: &mut Draft,
        leaving: &[Arc<str>],
        epoch: i32,
        rebalances: bool,
    ) -> Result<Converted, Refusal> {
        let group = draft.snapshot();
        let staying = group.members.iter().filter(|(member_id, _)| !leaving.contains(member_id));
        let members = staying.filter_map(|(member_id, member)| {
            let classic = member.metadata.classic.as_ref()?;
            Some(ConvertedMember {
                member_id: Arc::clone(member_id),
                group_instance_id: member.metadata.instance_id.clone(),
                client_id: Arc::clone(&member.metadata.client_id),
                client_host: Arc::clone(&member.metadata.client_host),
                rebalance_timeout_ms: member.metadata.rebalance_timeout_ms,
                session_timeout_ms: classic.session_timeout_ms,
                protocols: classic.protocols.clone(),
                subscription: Bytes::new(),
                assignment: Bytes::new(),
            })
        });
        let assignment = |member_id: &Arc<str>, subscription: &[u8]| {
            let nothing = PartitionsByTopic::new();
            let target = group.targets.get(member_id).map_or(&nothing, |target| &**target);
            embedded_assignment(target, subscription, self.topics)
        };
        let (classic, record) = Classic::from_members(
            Arc::clone(&draft.group_id),
            WallMillis(self.wall_ms),
            epoch,
            members.collect(),
            assignment,
        )?;
        bury(draft);
        draft.record(record);
        self.timers.forget(&draft.group_id);
        Ok(Converted { classic, rebalances })
    }
}

impl ConsumerGroup {
    /// The tombstones of the group; none when its id is too long for them.
    pub(in crate::group) fn tombstones(self: &Arc<Self>, group_id: &Arc<str>) -> Vec<Record> {
        let mut draft = Draft::new(Arc::clone(group_id), Arc::clone(self));
        bury(&mut draft);
        draft.take_records().unwrap_or_default()
    }
}

/// Asks for the tombstones of everything in the group (`createGroupTombstoneRecords`).
pub(super) fn bury(draft: &mut Draft) {
    draft.bury();
    let group = draft.snapshot();
    for member_id in group.members.keys() {
        draft.change(Change::Current(Arc::clone(member_id), None));
    }
    for member_id in group.members.keys() {
        draft.change(Change::Target(Arc::clone(member_id), None));
    }
    draft.change(Change::TargetEpoch(None));
    for member_id in group.members.keys() {
        draft.change(Change::Metadata(Arc::clone(member_id), None));
    }
    for regex in group.resolved.keys() {
        draft.change(Change::Regex(Arc::clone(regex), None));
    }
    draft.change(Change::SubscriptionRecord(false));
    draft.change(Change::Epoch(None));
}

fn upgrade_member(
    group_id: &str,
    member: ConvertedMember,
    topics: &TopicsImage,
) -> Result<Upgraded, Refusal> {
    let malformed = |_: DecodeError| cannot_upgrade(group_id, "the embedded consumer protocol is malformed");
    let subscription = ConsumerProtocolSubscription::decode(&member.subscription).map_err(malformed)?;
    let mut target = PartitionsByTopic::new();
    if !member.assignment.is_empty() {
        let assignment = ConsumerProtocolAssignment::decode(&member.assignment).map_err(malformed)?;
        if assignment.user_data.is_some_and(|data| !data.is_empty()) {
            return Err(cannot_upgrade(
                group_id,
                "an unsupported custom assignor is in use. Please refer to the documentation or switch to a \
                 default assignor before re-attempting the upgrade",
            ));
        }
        for (topic, partitions) in assignment.assigned_partitions {
            if let Some(topic) = topics.by_name(topic) {
                target.insert(topic.id, partitions.into_iter().collect());
            }
        }
    }
    let metadata = Metadata {
        instance_id: member.group_instance_id,
        rack_id: subscription.rack_id.filter(|rack| !rack.is_empty()).map(Arc::from),
        client_id: member.client_id,
        client_host: member.client_host,
        topics: subscription.topics.iter().map(|topic| Arc::from(*topic)).collect(),
        regex: Arc::default(),
        rebalance_timeout_ms: member.rebalance_timeout_ms,
        assignor: None,
        classic: Some(ClassicMetadata {
            session_timeout_ms: member.session_timeout_ms,
            protocols: member.protocols.clone(),
        }),
    };
    Ok(Upgraded { member_id: member.member_id, metadata, target })
}

fn cannot_upgrade(group_id: &str, reason: &str) -> Refusal {
    Refusal::new(
        ErrorCode::GroupIdNotFound,
        format!("Cannot upgrade classic group {group_id} to consumer group because {reason}."),
    )
}

/// Partitions as the embedded protocol names them, in the version of the member's subscription. Topics that are gone
/// are left out.
pub(super) fn embedded_assignment(
    partitions: &PartitionsByTopic,
    subscription: &[u8],
    topics: &TopicsImage,
) -> Result<Bytes, Refusal> {
    let malformed = |error: DecodeError| Refusal::new(ErrorCode::UnknownServerError, error.to_string());
    let version = consumer_protocol_version(subscription).map_err(malformed)?;
    let named = partitions.iter().filter_map(|(topic_id, indexes)| {
        Some((topics.by_id(*topic_id)?.name.as_str(), indexes.iter().copied().collect()))
    });
    let assignment = ConsumerProtocolAssignment { assigned_partitions: named.collect(), user_data: None };
    Ok(assignment.encode(version)?)
}
