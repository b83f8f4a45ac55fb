//! Measuring a broker: the two brokers that are compared, what the operating system counts of their processes, a lean
//! client that costs little beside them, and spreads of what was measured.
//!
//! A [`Subject`] is a broker under measurement. All that is asked of it goes through [`crate::broker::Broker`] and the
//! protocol, so that Ottla and Apache Kafka get the same settings, the same load and the same questions.

mod batch;
mod commit_load;
mod commits;
mod connection;
mod coordinator;
mod created;
mod crowd;
mod echo;
mod fill;
mod first_record;
mod latency;
mod log_tail;
mod lone_member;
mod machine;
mod page_cache;
mod peak;
mod served;
mod spread;
mod steady;
mod subject;
mod topics;
mod transactor;
mod usage;

pub use batch::batch_of;
pub use commit_load::{Committer, commit_for, commit_response, commit_times};
pub use commits::{CommitShape, commit_all, committed_all};
pub use connection::{Connection, Requests, Responses};
pub use coordinator::{wait_for_all_coordinators, wait_for_coordinator};
pub use crowd::{Crowd, CrowdShape, GroupProtocol};
pub use echo::{ECHO_ARGUMENT, Echo, bytes_of, hex_of, serve_echo};
pub use fill::{Fill, Shape, fill};
pub use first_record::first_record;
pub use latency::{Percentiles, Sample};
pub use log_tail::LogTail;
pub use lone_member::LoneMember;
pub use machine::{describe, field_of, load_average, raise_descriptor_limit};
pub use page_cache::{Warmth, copy_directory, prepare_cache};
pub use peak::{Peak, PeakWatch};
pub use served::{Served, wait_until_all_served};
pub use spread::Spread;
pub use steady::Steady;
pub use subject::{Subject, subjects};
pub use topics::{NewTopic, create_topics, repeat, request_topics, wait_until_led};
pub use transactor::{TransactionShape, Transactor};
pub use usage::{Memory, Usage};
