//! Which partitions a member reads, as far as the coordinator can tell: what the leader of a consumer group assigns is
//! known to it only by convention ([`ConsumerProtocolAssignment`]).

use bytes::Bytes;
use ottla_model::PartitionIndex;

use super::Classic;
use crate::codec::ConsumerProtocolAssignment;

/// The partitions of one member.
#[derive(Debug)]
pub(in crate::group) struct Ownership<'a> {
    group: &'a Classic,
    assignment: ConsumerProtocolAssignment<'a>,
    /// That of the generation before, still encoded: it is seldom asked for.
    previous: &'a Bytes,
}

impl Classic {
    /// What the member owns; `None` when the coordinator cannot tell: it is no member, or the group is not one of
    /// consumers.
    pub(in crate::group) fn ownership(&self, member_id: &str) -> Option<Ownership<'_>> {
        let member = self.roster.get(member_id).filter(|_| self.is_consumer_protocol())?;
        let assignment = decoded(&member.assignment)?;
        Some(Ownership { group: self, assignment, previous: &member.previous_assignment })
    }

    fn is_assigned(&self, topic: &str, partition: PartitionIndex) -> bool {
        self.roster.iter().any(|(_, member)| {
            decoded(&member.assignment).is_some_and(|assignment| contains(&assignment, topic, partition))
        })
    }
}

impl Ownership<'_> {
    /// True when the partition is the member's. So is one that was taken from it in this generation and that nobody
    /// has yet: in a cooperative rebalance a member commits what it gives up after it has learned of that.
    pub(in crate::group) fn has(&self, topic: &str, partition: PartitionIndex) -> bool {
        contains(&self.assignment, topic, partition)
            || decoded(self.previous).is_some_and(|previous| contains(&previous, topic, partition))
                && !self.group.is_assigned(topic, partition)
    }
}

/// No bytes are what a member gets that the leader left out.
fn decoded(bytes: &Bytes) -> Option<ConsumerProtocolAssignment<'_>> {
    if bytes.is_empty() {
        return Some(ConsumerProtocolAssignment { assigned_partitions: Vec::new(), user_data: None });
    }
    ConsumerProtocolAssignment::decode(bytes).ok()
}

fn contains(assignment: &ConsumerProtocolAssignment<'_>, topic: &str, partition: PartitionIndex) -> bool {
    let of_topic = assignment.assigned_partitions.iter().filter(|(name, _)| *name == topic);
    of_topic.into_iter().any(|(_, partitions)| partitions.contains(&partition))
}
