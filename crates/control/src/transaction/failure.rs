//! Failed appends, starts and stops: where soft state is made anew from durable state.

use ottla_model::{Env, ErrorCode};

use super::timeout::RETRY_MS;
use super::transactions::Transactions;
use super::{Reply, Work};
use crate::machine::ReplyTo;

/// The code that clients are told when an append failed with `cause`
/// (`TransactionStateManager.appendTransactionToLog`).
fn coordinator_error(cause: ErrorCode) -> ErrorCode {
    match cause {
        ErrorCode::UnknownTopicOrPartition | ErrorCode::NotEnoughReplicas | ErrorCode::RequestTimedOut => {
            ErrorCode::CoordinatorNotAvailable
        }
        ErrorCode::NotLeaderOrFollower | ErrorCode::KafkaStorageError => ErrorCode::NotCoordinator,
        ErrorCode::MessageTooLarge | ErrorCode::RecordListTooLarge => ErrorCode::UnknownServerError,
        // An append that failed without an error: never tell a client that all is well.
        ErrorCode::None => ErrorCode::UnknownServerError,
        other => other,
    }
}

impl Transactions {
    /// Turns held replies into errors, and brings the ids that lost a record back into line with the log.
    pub(super) fn recover(
        &mut self,
        env: &Env<'_>,
        cause: ErrorCode,
        replies: Vec<(ReplyTo, Reply)>,
    ) -> Vec<(ReplyTo, Reply)> {
        let error = coordinator_error(cause);
        let mut untold = Vec::new();
        let mut errors = Vec::with_capacity(replies.len());
        for (to, reply) in replies {
            errors.push((to, self.error_reply(reply, error, &mut untold)));
        }
        self.outbox.put_back(untold);
        self.staged_last_epochs.clear();
        for transactional_id in std::mem::take(&mut self.undone) {
            self.outbox.forget(&transactional_id);
            let Some(entry) = self.entries.get(&transactional_id) else { continue };
            let metadata = entry.metadata.clone();
            if metadata.state.is_prepared() {
                // Its markers are down, and what said so is not. They are written once more.
                self.outbox.put(&transactional_id, &metadata);
            }
            // Later: what was due may be what failed, and may fail again.
            self.plan_after(env, &transactional_id, &metadata, RETRY_MS);
        }
        errors
    }

    /// What a caller is told instead of `reply`, which has become untrue. Work that nobody was told of is put into
    /// `untold`.
    fn error_reply(&self, reply: Reply, error: ErrorCode, untold: &mut Vec<Work>) -> Reply {
        match reply {
            Reply::InitProducerId(_) => Reply::InitProducerId(Err(error)),
            Reply::AddPartitions(_) => Reply::AddPartitions(Err(error)),
            Reply::VerifyPartitions(mut partitions) => {
                partitions.iter_mut().for_each(|(_, verdict)| *verdict = error);
                Reply::VerifyPartitions(partitions)
            }
            Reply::End(_) => Reply::End(Err(error)),
            Reply::Describe(_) => Reply::Describe(Err(error)),
            Reply::List(_) => Reply::List(Err(error)),
            Reply::Work(work) => {
                untold.extend(work.into_iter().flatten());
                // Not what there is now: that may not be down either. The driver asks again.
                Reply::Work(Ok(Vec::new()))
            }
            Reply::MarkersWritten(_) => Reply::MarkersWritten(Err(error)),
            Reply::AbortTimedOut(_) => Reply::AbortTimedOut(Err(error)),
            // Nothing came of it, so nothing is lost.
            Reply::FreshProducerIdNeeded => Reply::FreshProducerIdNeeded,
            // It is no record.
            Reply::LearnVersion => Reply::LearnVersion,
        }
    }

    /// Makes soft state after the log was replayed at start (`loadTransactionsForTxnTopicPartition`).
    pub(super) fn revive(&mut self, env: &Env<'_>) {
        for transactional_id in self.transactional_ids() {
            let Some(entry) = self.entries.get(&transactional_id) else { continue };
            let metadata = entry.metadata.clone();
            if metadata.state.is_prepared() {
                self.outbox.put(&transactional_id, &metadata);
            }
            self.plan(env, &transactional_id, &metadata);
        }
    }
}
