//! The server-side assignors of the new consumer protocol (KIP-848): from who is in a group and what each member has,
//! to what each shall have.
//!
//! Both follow Apache Kafka 4.3.1 step by step, so that a group that moves between Kafka and Ottla keeps what it has.
//! Where Kafka walks through a hash map, the members and topics here come in the order of their ids, so that the same
//! group always gets the same assignment. `tests` compares with Kafka's own classes, given maps in that order.
//!
//! Racks are passed over, as in Kafka 4.3.1, whose assignors do not read them.

mod balancer;
mod heterogeneous;
mod homogeneous;
mod range;
mod spec;
#[cfg(test)]
mod tests;

pub use spec::{GroupSpec, MemberSpec, PartitionsByTopic, SubscriptionType, TopicPartitionCounts};

use std::collections::BTreeMap;

/// What each member of a group shall have. Every member of the group is in it.
pub type GroupAssignment = BTreeMap<String, PartitionsByTopic>;

/// An assignor that the broker offers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Assignor {
    /// `uniform`, Kafka's default: balances the number of partitions, and moves as few as it can
    /// (`UniformAssignor`).
    #[default]
    Uniform,
    /// `range`: gives each member a run of every topic's partitions, the same run of topics that have equally many
    /// partitions, so that such topics can be joined (`RangeAssignor`).
    Range,
}

impl Assignor {
    /// Every assignor, in the order in which Kafka lists them (`group.consumer.assignors`).
    pub const ALL: [Self; 2] = [Self::Uniform, Self::Range];

    /// The assignor of that name, in which case matters.
    #[must_use]
    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|assignor| assignor.name() == name)
    }

    /// The name that clients use.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Uniform => "uniform",
            Self::Range => "range",
        }
    }

    /// Assigns the partitions of the subscribed topics.
    ///
    /// # Errors
    /// [`PartitionAssignorError`], which a client sees as `UNKNOWN_SERVER_ERROR`, as in Kafka.
    pub fn assign(
        self,
        group: &GroupSpec<'_>,
        topics: &impl TopicPartitionCounts,
    ) -> Result<GroupAssignment, PartitionAssignorError> {
        match (self, group.subscription_type) {
            (Self::Range, _) => range::assign(group, topics),
            (Self::Uniform, SubscriptionType::Homogeneous) => homogeneous::assign(group, topics),
            (Self::Uniform, SubscriptionType::Heterogeneous) => heterogeneous::assign(group, topics),
        }
    }
}

/// Why there is no assignment (`PartitionAssignorException`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PartitionAssignorError {
    /// A member subscribes to a topic whose partitions are not known.
    #[error("Members are subscribed to topic {0} which doesn't exist in the topic metadata.")]
    UnknownTopic(ottla_model::TopicId),
}
