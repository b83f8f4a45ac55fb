//! Transactions that take too long, and ids that nobody uses (`TransactionCoordinator.abortTimedOutTransactions`,
//! `TransactionStateManager.removeExpiredTransactionalIds`).
//!
//! Kafka looks every 10 seconds and every hour. Here each id is looked at when its time has come, so that readers do not
//! wait longer than they have to.

use std::sync::Arc;

use ottla_model::{Env, ErrorCode, Monotonic};

use super::metadata::TransactionMetadata;
use super::transactions::Transactions;
use super::turn::Turn;
use super::{AbortTimedOut, TransactionState};
use crate::codec::TransactionLogKey;
use crate::machine::Record;

/// Ids that one tick looks at, so that a burst of them does not hold up everybody else.
const LOOKS_PER_TICK_MAX: usize = 1000;

/// How soon something that did not work out is tried again, in milliseconds.
pub(super) const RETRY_MS: i64 = 1000;

/// The shortest wait for the next look, in milliseconds. A clock that was set back must not make the machine run in
/// circles.
const WAIT_MS_MIN: i64 = 1;

/// The timeout of a transaction that a coordinator outside ends (KIP-939), in milliseconds. It never times out.
const NO_TIMEOUT_MS: i32 = i32::MAX;

impl Transactions {
    /// Sees to it that the id is looked at when something of it is due, if `metadata` is its state.
    pub(super) fn plan(
        &mut self,
        env: &Env<'_>,
        transactional_id: &Arc<str>,
        metadata: &TransactionMetadata,
    ) {
        self.plan_after(env, transactional_id, metadata, WAIT_MS_MIN);
    }

    /// The same, but not within `wait_ms` milliseconds.
    pub(super) fn plan_after(
        &mut self,
        env: &Env<'_>,
        transactional_id: &Arc<str>,
        metadata: &TransactionMetadata,
        wait_ms: i64,
    ) {
        let moment = match metadata.state {
            TransactionState::Ongoing if metadata.timeout_ms == NO_TIMEOUT_MS => return,
            TransactionState::Ongoing => match self.timeouts.get(transactional_id) {
                Some(timeout) => *timeout,
                None => self.timeout_after_restart(env, transactional_id, metadata),
            },
            // It ends when its markers are down.
            TransactionState::PrepareCommit | TransactionState::PrepareAbort => return,
            _ => {
                let left = expires_at(&self.config, metadata).saturating_sub(env.wall.0);
                env.monotonic.plus_millis(left.max(0))
            }
        };
        self.schedule.bring_forward(transactional_id, moment.max(env.monotonic.plus_millis(wait_ms)));
    }

    /// What is left by the wall clock, but never more than the whole timeout.
    fn timeout_after_restart(
        &mut self,
        env: &Env<'_>,
        transactional_id: &Arc<str>,
        metadata: &TransactionMetadata,
    ) -> Monotonic {
        let timeout_ms = i64::from(metadata.timeout_ms);
        let end = metadata.start_timestamp_ms.saturating_add(timeout_ms);
        let left = end.saturating_sub(env.wall.0).clamp(0, timeout_ms.max(0));
        let moment = env.monotonic.plus_millis(left);
        self.timeouts.insert(Arc::clone(transactional_id), moment);
        moment
    }

    /// Does what is due.
    pub(super) fn look_at_due(&mut self, turn: &mut Turn<'_, '_>) {
        for transactional_id in self.schedule.take_due(turn.env.monotonic, LOOKS_PER_TICK_MAX) {
            let Some(entry) = self.entries.get(&transactional_id) else {
                self.timeouts.remove(&transactional_id);
                continue;
            };
            let metadata = entry.metadata.clone();
            if metadata.state.is_idle() && expires_at(turn.config, &metadata) <= turn.wall() {
                self.expire(turn, &transactional_id);
            } else if self.has_timed_out(turn.env, &transactional_id, &metadata) {
                self.time_out(turn, &transactional_id, &metadata);
            } else {
                self.plan(turn.env, &transactional_id, &metadata);
            }
        }
    }

    fn has_timed_out(&self, env: &Env<'_>, transactional_id: &str, metadata: &TransactionMetadata) -> bool {
        metadata.state == TransactionState::Ongoing
            && metadata.timeout_ms != NO_TIMEOUT_MS
            && self.timeouts.get(transactional_id).is_some_and(|timeout| *timeout <= env.monotonic)
    }

    fn time_out(
        &mut self,
        turn: &mut Turn<'_, '_>,
        transactional_id: &Arc<str>,
        metadata: &TransactionMetadata,
    ) {
        let aborted = self.abort_and_fence(turn, transactional_id, metadata, None);
        if !matches!(aborted, Ok(Some(_))) {
            // The driver brings what it takes. Should it fail, it is asked again.
            self.outbox.put_timed_out(transactional_id, metadata);
            self.schedule.bring_forward(transactional_id, turn.env.monotonic.plus_millis(RETRY_MS));
        }
    }

    /// Aborts what has timed out with the producer id that the driver has brought.
    pub(super) fn abort_timed_out(
        &mut self,
        turn: &mut Turn<'_, '_>,
        abort: &AbortTimedOut,
    ) -> Result<(), ErrorCode> {
        let Some((transactional_id, entry)) = self.find(&abort.transactional_id) else { return Ok(()) };
        let metadata = entry.metadata.clone();
        let is_the_same = metadata.producer() == abort.producer;
        if is_the_same && self.has_timed_out(turn.env, &transactional_id, &metadata) {
            self.abort_and_fence(turn, &transactional_id, &metadata, Some(abort.fresh_producer_id))?;
        }
        Ok(())
    }

    fn expire(&mut self, turn: &mut Turn<'_, '_>, transactional_id: &Arc<str>) {
        self.timeouts.remove(transactional_id);
        if let Ok(key) = TransactionLogKey::encode(transactional_id) {
            turn.effects.records.push(Record { key, value: None, headers: Vec::new() });
        }
    }
}

/// When an idle id expires, in milliseconds since the Unix epoch.
fn expires_at(config: &super::TransactionConfig, metadata: &TransactionMetadata) -> i64 {
    metadata.last_update_timestamp_ms.saturating_add(i64::from(config.transactional_id_expiration_ms))
}
