//! EndTxn, and how every transaction ends (`TransactionCoordinator.endTransaction`, `endTransactionWithTV1`).

use std::sync::Arc;

use ottla_model::{ErrorCode, ProducerId};

use super::metadata::{CLIENT_EPOCH_MAX, TransactionMetadata};
use super::transactions::Transactions;
use super::turn::Turn;
use super::{End, ProducerIdAndEpoch, Reply, TransactionState, TransactionVersion};

/// What an EndTxn comes to.
enum Verdict {
    /// The transaction ends now.
    End,
    /// It has ended so before, and the answer was lost.
    EndedBefore,
}

impl Transactions {
    pub(super) fn end(&mut self, turn: &mut Turn<'_, '_>, end: &End) -> Reply {
        if end.transactional_id.is_empty() {
            return Reply::End(Err(ErrorCode::InvalidRequest));
        }
        let Some((transactional_id, entry)) = self.find(&end.transactional_id) else {
            return Reply::End(Err(ErrorCode::InvalidProducerIdMapping));
        };
        let metadata = entry.metadata.clone();
        let bumps_epoch = end.client_version.bumps_epoch();
        let verdict = if bumps_epoch { judge(&metadata, end) } else { judge_v0(&metadata, end) };
        // Kafka writes down 0 for both versions without an epoch bump.
        let version = if bumps_epoch { end.client_version } else { TransactionVersion::V0 };
        let next = end.fresh_producer_id;
        match verdict {
            Err(error) => Reply::End(Err(error)),
            Ok(Verdict::EndedBefore) => Reply::End(Ok(metadata.producer())),
            Ok(Verdict::End) => {
                match self.decide(turn, &transactional_id, &metadata, end.committed, version, next) {
                    Ok(Some(producer)) => Reply::End(Ok(producer)),
                    Ok(None) => Reply::FreshProducerIdNeeded,
                    Err(error) => Reply::End(Err(error)),
                }
            }
        }
    }

    /// Aborts the open transaction in a way that fences who has it open: with an epoch above its own. `None` when that
    /// takes a fresh producer id, and none is at hand.
    pub(super) fn abort_and_fence(
        &mut self,
        turn: &mut Turn<'_, '_>,
        transactional_id: &Arc<str>,
        metadata: &TransactionMetadata,
        fresh_producer_id: Option<ProducerId>,
    ) -> Result<Option<ProducerIdAndEpoch>, ErrorCode> {
        if self.version.bumps_epoch() {
            return self.decide(turn, transactional_id, metadata, false, self.version, fresh_producer_id);
        }
        // The end of a transaction raises no epoch then, so that fencing does (`prepareFenceProducerEpoch`).
        let producer_epoch = metadata.producer_epoch.saturating_add(1);
        let fenced = TransactionMetadata { producer_epoch, ..metadata.clone() };
        self.decide(turn, transactional_id, &fenced, false, TransactionVersion::V0, None)
    }

    /// Decides the outcome, and hands out the markers. Gives what the producer is from then on, or `None` when that
    /// takes a fresh producer id, and none is at hand.
    fn decide(
        &mut self,
        turn: &mut Turn<'_, '_>,
        transactional_id: &Arc<str>,
        metadata: &TransactionMetadata,
        committed: bool,
        version: TransactionVersion,
        fresh_producer_id: Option<ProducerId>,
    ) -> Result<Option<ProducerIdAndEpoch>, ErrorCode> {
        let takes_next_producer_id = version.bumps_epoch() && metadata.is_epoch_exhausted();
        if takes_next_producer_id && fresh_producer_id.is_none() {
            return Ok(None);
        }
        let next_producer_id = fresh_producer_id.filter(|_| takes_next_producer_id);
        let now = turn.wall();
        let prepared = metadata.prepare_end(committed, version, next_producer_id, now);
        let complete = prepared.prepare_complete(now);
        self.record(turn, transactional_id, &prepared)?;
        if prepared.partitions.is_empty() {
            // There is nothing to mark.
            self.record(turn, transactional_id, &complete)?;
        } else {
            self.outbox.put(transactional_id, &prepared);
        }
        Ok(Some(complete.producer()))
    }
}

/// Judges a client whose epoch rises with every transaction. An epoch below the present one by 1 is that of a client
/// which has not heard how its transaction ended.
fn judge(metadata: &TransactionMetadata, end: &End) -> Result<Verdict, ErrorCode> {
    let ProducerIdAndEpoch { producer_id, producer_epoch } = end.producer;
    let state = metadata.state;
    if state.is_prepared() {
        return Err(ErrorCode::ConcurrentTransactions);
    }
    let is_retry_after_overflow = metadata.previous_producer_id == producer_id
        && producer_epoch == CLIENT_EPOCH_MAX
        && metadata.producer_epoch == 0;
    let is_retry_after_bump = producer_epoch.checked_add(1) == Some(metadata.producer_epoch);
    let is_retry = is_retry_after_bump || is_retry_after_overflow;
    if metadata.producer_id != producer_id && !is_retry_after_overflow {
        return Err(ErrorCode::InvalidProducerIdMapping);
    }
    let is_complete = matches!(state, TransactionState::CompleteCommit | TransactionState::CompleteAbort);
    if producer_epoch != metadata.producer_epoch && !(is_complete && is_retry) {
        return Err(ErrorCode::ProducerFenced);
    }
    match (state, end.committed) {
        (TransactionState::Ongoing, _) => Ok(Verdict::End),
        (TransactionState::CompleteCommit, true) | (TransactionState::CompleteAbort, false) if is_retry => {
            Ok(Verdict::EndedBefore)
        }
        // An abort without a transaction raises the epoch, so that what the client has sent and forgotten is fenced.
        (TransactionState::CompleteCommit | TransactionState::CompleteAbort, false) if !is_retry => {
            Ok(Verdict::End)
        }
        (TransactionState::Empty, false) => Ok(Verdict::End),
        _ => Err(ErrorCode::InvalidTxnState),
    }
}

/// Judges a client whose epoch serves many transactions.
fn judge_v0(metadata: &TransactionMetadata, end: &End) -> Result<Verdict, ErrorCode> {
    if metadata.producer_id != end.producer.producer_id {
        return Err(ErrorCode::InvalidProducerIdMapping);
    }
    if metadata.producer_epoch != end.producer.producer_epoch {
        return Err(ErrorCode::ProducerFenced);
    }
    match (metadata.state, end.committed) {
        (TransactionState::PrepareCommit | TransactionState::PrepareAbort, _) => {
            Err(ErrorCode::ConcurrentTransactions)
        }
        (TransactionState::Ongoing, _) => Ok(Verdict::End),
        (TransactionState::CompleteCommit, true) | (TransactionState::CompleteAbort, false) => {
            Ok(Verdict::EndedBefore)
        }
        _ => Err(ErrorCode::InvalidTxnState),
    }
}
