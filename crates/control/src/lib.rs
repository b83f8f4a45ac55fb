//! What Ottla decides: consumer groups, committed offsets and the topic catalog, as pure state machines, and the
//! codecs of the records that they keep (Apache Kafka's own schemas).
//!
//! **Invariant**: this crate knows no files, sockets, clocks, threads, async, and no request or response types of
//! the protocol. Time and randomness are arguments ([`ottla_model::Env`]), what it wants stored and answered are
//! values ([`machine::Effects`]). Every test of it therefore runs in no time and gives the same result twice.

pub mod catalog;
pub mod codec;
pub mod group;
pub mod machine;
pub mod quota;
pub mod telemetry;
pub mod transaction;
