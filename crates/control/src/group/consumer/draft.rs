//! What one call makes of a group, before anything of it is in the log.

use std::collections::BTreeSet;
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
    /// The group before any change.
    before: Arc<ConsumerGroup>,
    group: Arc<ConsumerGroup>,
    /// The group as it was when it was buried.
    buried: Option<Arc<ConsumerGroup>>,
    /// Members that a change was about.
    touched: BTreeSet<Arc<str>>,
    records: Vec<Record>,
    is_too_long: bool,
}

impl Draft {
    pub(super) fn new(group_id: Arc<str>, group: Arc<ConsumerGroup>) -> Self {
        Self {
            group_id,
            before: Arc::clone(&group),
            group,
            buried: None,
            touched: BTreeSet::new(),
            records: Vec::new(),
            is_too_long: false,
        }
    }

    /// Takes what there is so far for what the group was: it only had another kind.
    pub(super) fn begin_here(&mut self) {
        self.before = Arc::clone(&self.group);
        self.touched.clear();
    }

    /// Remembers the group as it is, since what follows are its tombstones.
    pub(super) fn bury(&mut self) {
        self.buried = Some(Arc::clone(&self.group));
    }

    /// The group before any change.
    pub(super) fn before(&self) -> &ConsumerGroup {
        &self.before
    }

    /// The group as it is with all changes but its tombstones.
    pub(super) fn at_last(&self) -> &ConsumerGroup {
        self.buried.as_ref().unwrap_or(&self.group)
    }

    /// Members that a change was about, by id.
    pub(super) fn touched(&self) -> &BTreeSet<Arc<str>> {
        &self.touched
    }

    /// True when there was no change.
    pub(super) fn is_unchanged(&self) -> bool {
        Arc::ptr_eq(&self.before, &self.group)
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
        if let Change::Metadata(member_id, _) | Change::Current(member_id, _) = &change {
            self.touched.insert(Arc::clone(member_id));
        }
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

    /// Takes the records, in the order of the changes.
    pub(super) fn take_records(&mut self) -> Result<Vec<Record>, Refusal> {
        if self.is_too_long {
            return Err(Refusal::new(
                ErrorCode::UnknownServerError,
                "A record of the group would be too long.",
            ));
        }
        Ok(std::mem::take(&mut self.records))
    }
}
