//! Replay and undo: the only code that changes durable state.
//!
//! One number rides along that records have no room for: the last epoch that the producer had before this one, by
//! which it may still ask for what it was given when the answer was lost (KIP-360). Most of it follows from the record
//! itself; what does not is staged by the decision that makes the record. After a restart Kafka knows none of it, and
//! a producer that asks is fenced; here it is known for a transaction that has ended with version 2.

use std::sync::Arc;

use ottla_model::ProducerEpoch;

use super::TransactionState;
use super::metadata::{CLIENT_EPOCH_MAX, NO_EPOCH, TransactionMetadata};
use super::transactions::{Entry, Transactions};
use crate::codec::{DecodeError, TransactionLogKey};
use crate::machine::{RecordRef, ReplayError};

/// What one replayed record overwrote.
#[derive(Debug)]
pub struct Undo(Overwritten);

#[derive(Debug)]
enum Overwritten {
    /// The record was passed over.
    Nothing,
    /// The state of a transactional id was set or removed.
    Entry { transactional_id: Arc<str>, previous: Option<Entry> },
}

impl Transactions {
    pub(super) fn replay_record(&mut self, record: &RecordRef<'_>) -> Result<Undo, ReplayError> {
        let key = TransactionLogKey::decode(record.key).map_err(ReplayError::Key)?;
        let TransactionLogKey::TransactionalId(transactional_id) = key else {
            return Ok(self.pass_over());
        };
        let metadata = match record.value.map(TransactionMetadata::decode).transpose() {
            Ok(metadata) => metadata,
            // As Kafka's loader does: it may be left over from a newer release.
            Err(DecodeError::UnknownVersion(_)) => return Ok(self.pass_over()),
            Err(error) => return Err(ReplayError::Value(error)),
        };
        let known = self.entries.get_key_value(transactional_id).map(|(key, _)| Arc::clone(key));
        let transactional_id = known.unwrap_or_else(|| Arc::from(transactional_id));
        let staged = self.staged_last_epochs.remove(&transactional_id);
        let previous = match metadata {
            Some(metadata) => {
                let before = self.entries.get(&transactional_id);
                let last_epoch = last_epoch(before, &metadata, staged);
                self.entries.insert(Arc::clone(&transactional_id), Entry { metadata, last_epoch })
            }
            None => self.entries.remove(&transactional_id),
        };
        Ok(Undo(Overwritten::Entry { transactional_id, previous }))
    }

    fn pass_over(&mut self) -> Undo {
        self.passed_over = self.passed_over.saturating_add(1);
        Undo(Overwritten::Nothing)
    }

    pub(super) fn undo_record(&mut self, undo: Undo) {
        let Overwritten::Entry { transactional_id, previous } = undo.0 else { return };
        match previous {
            Some(previous) => self.entries.insert(Arc::clone(&transactional_id), previous),
            None => self.entries.remove(&transactional_id),
        };
        self.undone.insert(transactional_id);
    }
}

/// The epoch before that of `metadata` (`TransactionMetadata.lastProducerEpoch`), or -1.
fn last_epoch(
    before: Option<&Entry>,
    metadata: &TransactionMetadata,
    staged: Option<ProducerEpoch>,
) -> ProducerEpoch {
    let has_ended = metadata.state.is_prepared() || metadata.state.is_idle();
    if metadata.state == TransactionState::Empty {
        return staged.unwrap_or(NO_EPOCH);
    }
    if has_ended && metadata.client_version.bumps_epoch() {
        let is_rotated = metadata.producer_epoch == 0;
        return if is_rotated { CLIENT_EPOCH_MAX } else { metadata.producer_epoch.saturating_sub(1) };
    }
    match before {
        Some(before) if before.metadata.producer() == metadata.producer() => before.last_epoch,
        _ => NO_EPOCH,
    }
}
