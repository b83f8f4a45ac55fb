//! Transactions: one [`Transactions`] machine for each partition of `__transaction_state`.
//!
//! [`partition_for`] says in which partition a transactional id lives. A [`Command`] holds the fields of one of
//! Kafka's requests, a [`Reply`] those of the response; the API modules of the broker translate. The records are
//! Apache Kafka's own ([`crate::codec`]), and so is every decision: the classes that a file follows are named in it.
//!
//! What is durable is the last record of each transactional id. Soft are the timers, the outbox of markers to write,
//! and one number that Kafka's records have no room for (see `durable`).
//!
//! A state's change counts as made when it is replayed, which is before it is down: the next command sees it, and
//! every reply waits for it. So there is no state "pending" as in Kafka, where a second request in that moment gets
//! CONCURRENT_TRANSACTIONS. The one pending change that clients do see is that of a transaction whose markers are
//! being written, and that is a state of its own here.
//!
//! | file | holds |
//! |---|---|
//! | `transactions` | the machine: dispatch |
//! | `metadata` | the state of one id, and what each change makes of it |
//! | `durable` | replay and undo |
//! | `failure` | what follows from a failed append, a start, a stop |
//! | `init` | InitProducerId |
//! | `partitions` | AddPartitionsToTxn |
//! | `end` | EndTxn, and how every transaction ends |
//! | `outbox` | markers on their way |
//! | `timeout`, `schedule` | transactions that take too long, ids that expire |
//! | `admin` | describe, list |

mod admin;
mod command;
mod config;
mod durable;
mod end;
mod failure;
mod init;
mod metadata;
mod outbox;
mod partitions;
mod reply;
mod schedule;
mod state;
#[cfg(test)]
mod tests;
mod timeout;
mod transactions;
mod turn;

pub use command::*;
pub use config::TransactionConfig;
pub use durable::Undo;
pub use reply::*;
pub use state::{TransactionState, TransactionVersion};
pub use transactions::Transactions;

/// The partition of `__transaction_state` that owns a transactional id: the same hash as for groups
/// (`TransactionStateManager.partitionFor`).
pub use crate::group::partition_for;
