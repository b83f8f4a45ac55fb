//! Groups with everything that an observer wants of them at one moment: their offsets, their members, and counts.

use std::sync::Arc;

use ottla_model::ErrorCode;

use super::events::RebalanceCounts;
use super::groups::{Group, Groups};
use super::offsets::GroupOffsets;
use super::reply::{DescribedMember, OutlineReply};

/// A group, as it is at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupOutline {
    /// Its id.
    pub group_id: Arc<str>,
    /// Its kind, as Kafka prints it.
    pub group_type: &'static str,
    /// Its state, as Kafka prints it.
    pub state: &'static str,
    /// Its protocol type, or empty.
    pub protocol_type: Arc<str>,
    /// The protocol of a stable group, or empty.
    pub protocol: Arc<str>,
    /// Its members, by id.
    pub members: Vec<DescribedMember>,
    /// Its committed offsets.
    pub offsets: GroupOffsets,
    /// Its rebalances.
    pub rebalances: RebalanceCounts,
}

impl Groups {
    /// One group, or all of this partition of `__consumer_offsets` in the order of their ids.
    pub(super) fn outline(&self, group_id: Option<&Arc<str>>) -> OutlineReply {
        let outline = |id: &Arc<str>| self.groups.get(id).map(|group| self.outline_of(id, group));
        match group_id {
            Some(id) => match outline(id) {
                Some(group) => OutlineReply { error: ErrorCode::None, groups: vec![group] },
                None => OutlineReply { error: ErrorCode::GroupIdNotFound, groups: Vec::new() },
            },
            None => {
                let groups = self.group_ids().iter().filter_map(outline).collect();
                OutlineReply { error: ErrorCode::None, groups }
            }
        }
    }

    fn outline_of(&self, group_id: &Arc<str>, group: &Group) -> GroupOutline {
        let described = match group.consumer() {
            Some(consumer) => consumer.outlined(group_id, &self.topics),
            None => group.classic.described(),
        };
        let group_type = group.listed(group_id, &[], &[]).map_or("", |listed| listed.group_type);
        GroupOutline {
            group_id: Arc::clone(group_id),
            group_type,
            state: described.state,
            protocol_type: described.protocol_type,
            protocol: described.protocol,
            members: described.members,
            offsets: self.offsets.group(group_id).cloned().unwrap_or_default(),
            rebalances: *group.classic.rebalances(),
        }
    }
}
