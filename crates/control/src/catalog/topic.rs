//! A topic as the catalog knows it.

use std::collections::BTreeMap;
use std::sync::Arc;

use ottla_model::{PartitionIndex, TopicId, TopicName};

/// A topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Topic {
    /// Its name.
    pub name: TopicName,
    /// Its id; a topic that is created again has another one.
    pub id: TopicId,
    /// How many partitions it has.
    pub partitions: PartitionIndex,
    /// The settings that it does not inherit from the broker, by Kafka's names.
    pub configs: Arc<BTreeMap<String, String>>,
}
