//! Who serves what. One node serves everything today; handlers ask all the same, so that several can share the work.

use ottla_model::{PartitionIndex, TopicName};

/// Where a request belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Route {
    /// This shard serves it.
    Local,
    /// The node with that id serves it.
    #[cfg_attr(not(test), expect(dead_code, reason = "one node serves everything; a test's router does not"))]
    Remote(i32),
}

/// Tells where requests belong.
pub(crate) trait Router: Send + Sync + std::fmt::Debug {
    /// The leader of a partition.
    fn partition(&self, topic: &TopicName, partition: PartitionIndex) -> Route;
    /// The coordinator of a group.
    fn group(&self, group_id: &str) -> Route;
    /// The coordinator of a transactional id.
    fn transaction(&self, transactional_id: &str) -> Route;
}

/// One node that serves everything.
#[derive(Debug)]
pub(crate) struct OneNode;

impl Router for OneNode {
    fn partition(&self, _topic: &TopicName, _partition: PartitionIndex) -> Route {
        Route::Local
    }

    fn group(&self, _group_id: &str) -> Route {
        Route::Local
    }

    fn transaction(&self, _transactional_id: &str) -> Route {
        Route::Local
    }
}
