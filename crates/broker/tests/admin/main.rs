//! The admin APIs, each as Apache Kafka 4.3.1 answered the same request as the only node of its cluster.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod cluster;
mod deletion;
mod features;
mod log_dirs;
mod odd_names;
mod paging;
mod partitions;
mod quotas;
mod security;
#[path = "../support/mod.rs"]
mod support;
mod telemetry;
mod topics;
