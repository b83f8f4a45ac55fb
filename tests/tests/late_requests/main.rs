//! Requests of a transaction that come when it is over: held back by the network, delivered after their client has asked
//! again, gone on, or was followed by another.
//!
//! Clients of transaction version 2 are safe from them; what clients of version 1 are exposed to is told by
//! `version_1`, and in `docs/durability.md`. `OTTLA_TEST_BROKER=kafka` asks Apache Kafka the same.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "the functions around the tests fail as the tests do"
)]

mod client;
mod delayed;
mod version_1;
mod version_2;
