//! A small client of any Kafka: connections, versions, metadata, and who leads what.

mod cluster;
mod connection;
mod offsets;
mod problem;
mod versions;

pub(crate) use cluster::{Cluster, Leader};
pub(crate) use connection::Connection;
pub(crate) use offsets::{EARLIEST, LATEST, Place, list_offsets};
pub(crate) use problem::{Problem, code_text, concerns_leader, is_retriable};

use kafka_protocol::protocol::StrBytes;

/// Text as messages hold it.
pub(crate) fn text(text: &str) -> StrBytes {
    StrBytes::from_string(text.to_owned())
}

/// A topic's name as messages hold it.
pub(crate) fn topic_name(name: &str) -> kafka_protocol::messages::TopicName {
    kafka_protocol::messages::TopicName(text(name))
}
