//! What one call makes of a group, before anything of it is in the log.

use std::sync::Arc;

use ottla_model::ErrorCode;

use super::refusal::Refusal;
use super::state::{Change, ConsumerGroup};
use crate::machine::Record;

/// A group with the changes that a call wants, and their records. Each decision sees those before it.
///
/// The copy is made at the first change, so that a heartbeat which changes nothing costs none. Nothing of it stays
/// when the call is refused.
#[derive(Debug)]
pub(super) struct Draft {
    pub(super) group_id: Arc<str>,
    group: Arc<ConsumerGroup>,
    records: Vec<Record>,
    is_too_long: bool,
}

impl Draft {
    pub(super) fn new(group_id: Arc<str>, group: Arc<ConsumerGroup>) -> Self {
        Self { group_id, group, records: Vec::new(), is_too_long: false }
    }

    /// The group as it is with all changes so far.
    pub(super) fn group(&self) -> &ConsumerGroup {
        &self.group
    }

    /// The group, to look at later as it is now.
    pub(super) fn snapshot(&self) -> Arc<ConsumerGroup> {
        Arc::clone(&self.group)
    }

    /// Makes a change, and asks for its record.
    pub(super) fn change(&mut self, change: Change) {
        Arc::make_mut(&mut self.group).apply(&change);
        match change.encode(&self.group_id) {
            Ok(record) => self.records.push(record),
            Err(_) => self.is_too_long = true,
        }
    }

    /// Asks for a record that is not about the consumer group itself.
    pub(super) fn record(&mut self, record: Record) {
        self.records.push(record);
    }

    /// The records, in the order of the changes.
    pub(super) fn into_records(self) -> Result<Vec<Record>, Refusal> {
        if self.is_too_long {
            return Err(Refusal::new(
                ErrorCode::UnknownServerError,
                "A record of the group would be too long.",
            ));
        }
        Ok(self.records)
    }
}
