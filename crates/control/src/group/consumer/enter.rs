//! Who a request is from: a member that is there, one that comes, or one that comes back under its instance id.

use std::sync::Arc;

use ottla_model::{ErrorCode, PartitionIndex, TopicId};

use super::draft::Draft;
use super::member::{Current, JOIN_EPOCH, LEAVE_STATIC_EPOCH, Member, Owned};
use super::refusal::Refusal;
use super::state::{Change, ConsumerGroup};

/// The partitions that a member says it has.
type Reported<'a> = Option<&'a [(TopicId, Vec<PartitionIndex>)]>;

/// A request's sender as it names itself.
pub(super) struct Entry<'a> {
    pub(super) member_id: &'a Arc<str>,
    pub(super) instance_id: Option<&'a Arc<str>>,
    /// Whether the request may make a new member.
    pub(super) may_create: bool,
    /// The epoch that it sends, with its partitions; `None` for a request of the classic protocol, whose generation
    /// is not checked here.
    pub(super) epoch: Option<(i32, Reported<'a>)>,
}

impl Entry<'_> {
    /// The member, a new one among them. Of a static member that comes back, the records that give it the place of
    /// the one before are in the draft.
    pub(super) fn enter(&self, draft: &mut Draft) -> Result<Member, Refusal> {
        match self.instance_id {
            Some(instance_id) => self.enter_static(draft, instance_id),
            None => self.enter_dynamic(draft.group(), &draft.group_id),
        }
    }

    /// `getOrMaybeSubscribeDynamicConsumerGroupMember`.
    fn enter_dynamic(&self, group: &ConsumerGroup, group_id: &str) -> Result<Member, Refusal> {
        let member = self.known(group, group_id)?;
        self.check_epoch(&member)?;
        Ok(member)
    }

    fn known(&self, group: &ConsumerGroup, group_id: &str) -> Result<Member, Refusal> {
        match group.members.get(self.member_id) {
            Some(member) => Ok(member.clone()),
            None if self.may_create => Ok(Member::default()),
            None => Err(unknown_member(group_id, self.member_id)),
        }
    }

    /// `getOrMaybeSubscribeStaticConsumerGroupMember`.
    fn enter_static(&self, draft: &mut Draft, instance_id: &Arc<str>) -> Result<Member, Refusal> {
        let known = draft.group().static_member(instance_id);
        let known = known.map(|(member_id, member)| (Arc::clone(member_id), member.clone()));
        if !self.may_create {
            let (known_id, member) = known.ok_or_else(|| unknown_instance(instance_id))?;
            check_not_fenced(&known_id, self.member_id, instance_id)?;
            self.check_epoch(&member)?;
            return Ok(member);
        }
        let Some((known_id, member)) = known else { return self.known(draft.group(), &draft.group_id) };
        let is_modern = self.epoch.is_some() && !member.uses_classic_protocol();
        if is_modern && member.current.epoch != LEAVE_STATIC_EPOCH {
            return Err(Refusal::new(
                ErrorCode::UnreleasedInstanceId,
                format!(
                    "Static member {} with instance id {instance_id} cannot join the group because the instance \
                     id is owned by {known_id} member.",
                    self.member_id
                ),
            ));
        }
        let current = Current { epoch: JOIN_EPOCH, previous_epoch: JOIN_EPOCH, ..(*member.current).clone() };
        let member = Member { current: Arc::new(current), ..member };
        replace(draft, &known_id, self.member_id, &member);
        Ok(member)
    }

    /// `throwIfConsumerGroupMemberEpochIsInvalid`.
    fn check_epoch(&self, member: &Member) -> Result<(), Refusal> {
        let Some((epoch, reported)) = self.epoch else { return Ok(()) };
        let known = &member.current;
        if epoch == JOIN_EPOCH || epoch == known.epoch {
            return Ok(());
        }
        // It may have missed the answer with its new epoch. If it has nothing that it should not have, it goes on.
        let is_one_behind = epoch == known.previous_epoch && is_part_of(reported, &known.assigned);
        if epoch < known.epoch && is_one_behind {
            return Ok(());
        }
        let size = if epoch > known.epoch { "greater" } else { "smaller" };
        Err(Refusal::new(
            ErrorCode::FencedMemberEpoch,
            format!(
                "The consumer group member has a {size} member epoch ({epoch}) than the one known by the group \
                 coordinator ({}). The member must abandon all its partitions and rejoin.",
                known.epoch
            ),
        ))
    }
}

/// True when the member says what it has, and that is no more than `assigned`.
fn is_part_of(reported: Reported<'_>, assigned: &Owned) -> bool {
    let Some(reported) = reported else { return false };
    reported.iter().all(|(topic_id, indexes)| {
        let known = assigned.get(topic_id);
        known.is_some_and(|known| indexes.iter().all(|index| known.contains_key(index)))
    })
}

/// Gives the place of a static member to the one that comes back under its instance id (`replaceMember`).
fn replace(draft: &mut Draft, old_id: &Arc<str>, new_id: &Arc<str>, member: &Member) {
    let target = draft.group().targets.get(old_id).cloned().unwrap_or_default();
    remove_member(draft, old_id);
    draft.change(Change::Metadata(Arc::clone(new_id), Some(Arc::clone(&member.metadata))));
    draft.change(Change::Target(Arc::clone(new_id), Some(target)));
    draft.change(Change::Current(Arc::clone(new_id), Some(Arc::clone(&member.current))));
}

/// Takes a member out of the group.
pub(super) fn remove_member(draft: &mut Draft, member_id: &Arc<str>) {
    draft.change(Change::Current(Arc::clone(member_id), None));
    draft.change(Change::Target(Arc::clone(member_id), None));
    draft.change(Change::Metadata(Arc::clone(member_id), None));
}

/// Checks that nobody else has the instance id (`throwIfInstanceIdIsFenced`).
pub(super) fn check_not_fenced(known_id: &str, member_id: &str, instance_id: &str) -> Result<(), Refusal> {
    if known_id == member_id {
        return Ok(());
    }
    Err(Refusal::new(
        ErrorCode::FencedInstanceId,
        format!("Static member {member_id} with instance id {instance_id} was fenced by member {known_id}."),
    ))
}

/// There is no such static member.
pub(super) fn unknown_instance(instance_id: &str) -> Refusal {
    Refusal::new(ErrorCode::UnknownMemberId, format!("Instance id {instance_id} is unknown."))
}

/// There is no such member.
pub(super) fn unknown_member(group_id: &str, member_id: &str) -> Refusal {
    Refusal::new(
        ErrorCode::UnknownMemberId,
        format!("Member {member_id} is not a member of group {group_id}."),
    )
}
