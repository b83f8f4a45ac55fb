//! What one call makes of a group, before anything of it is in the log.

use std::sync::Arc;

use ottla_model::ErrorCode;

use super::refusal::Refusal;
use super::state::{Change, ConsumerGroup};
use crate::group::events::Happening;
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
    notes: Vec<Happening>,
    highest_epoch: i32,
    /// Whether a member reads something else than before.
    pub(super) has_subscription_changed: bool,
    /// Whether the group changes its kind.
    pub(super) is_conversion: bool,
}

impl Draft {
    pub(super) fn new(group_id: Arc<str>, group: Arc<ConsumerGroup>) -> Self {
        Self {
            group_id,
            highest_epoch: group.epoch,
            group,
            records: Vec::new(),
            is_too_long: false,
            notes: Vec::new(),
            has_subscription_changed: false,
            is_conversion: false,
        }
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
        self.highest_epoch = self.highest_epoch.max(self.group.epoch);
        match change.encode(&self.group_id) {
            Ok(record) => self.records.push(record),
            Err(_) => self.is_too_long = true,
        }
    }

    /// Asks for a record that is not about the consumer group itself.
    pub(super) fn record(&mut self, record: Record) {
        self.records.push(record);
    }

    /// Remembers what happens.
    pub(super) fn note(&mut self, what: Happening) {
        self.notes.push(what);
    }

    /// What happened, in its order.
    pub(super) fn take_notes(&mut self) -> Vec<Happening> {
        std::mem::take(&mut self.notes)
    }

    /// The highest epoch that the group has come to.
    pub(super) fn highest_epoch(&self) -> i32 {
        self.highest_epoch
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
