//! What clients see of a broker that keeps every rule.

mod broker;
mod tell;
mod transact;

use ottla_tests::history::{Dump, Event};

pub(crate) use tell::{COMMITTER, CONSUMER, IDEMPOTENT, LOSER, PLAIN, REFUSED, tell};
pub(crate) use transact::{TRANSACTIONAL, TRANSACTIONS_GROUP};

/// A history and the dump that belongs to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Case {
    pub(crate) events: Vec<Event>,
    pub(crate) dump: Dump,
}
