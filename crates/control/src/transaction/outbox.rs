//! Markers on their way, and the driver that takes them.
//!
//! A machine may not act, and markers must not leave before their Prepare record is down. So they leave as a reply,
//! which is held until then and taken back when the append fails.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use ottla_model::{ErrorCode, TopicPartition};

use super::metadata::{Partitions, TransactionMetadata, flatten};
use super::transactions::Transactions;
use super::turn::Turn;
use super::{Markers, MarkersWritten, Reply, TransactionState, Work};
use crate::machine::{Effects, ReplyTo};

/// Things to do that one reply holds; the driver asks again for the rest.
const WORK_PER_REPLY_MAX: usize = 100;

/// Callers that may be parked for work. There is one driver; a caller beyond sends the first one back.
const TAKERS_MAX: usize = 8;

/// What has to be done for transactions to end.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    ready: VecDeque<Work>,
    takers: VecDeque<ReplyTo>,
    /// Partitions of ending transactions whose marker is not down.
    remaining: HashMap<Arc<str>, Partitions>,
}

impl Outbox {
    /// The markers of a transaction whose outcome is decided.
    pub(super) fn put(&mut self, transactional_id: &Arc<str>, prepared: &TransactionMetadata) {
        self.remaining.insert(Arc::clone(transactional_id), prepared.partitions.clone());
        self.ready.push_back(Work::Markers(Markers {
            transactional_id: Arc::clone(transactional_id),
            producer: prepared.producer(),
            committed: prepared.state == TransactionState::PrepareCommit,
            version: prepared.client_version,
            partitions: flatten(&prepared.partitions),
        }));
    }

    /// A transaction that has timed out and takes a fresh producer id to abort.
    pub(super) fn put_timed_out(&mut self, transactional_id: &Arc<str>, metadata: &TransactionMetadata) {
        let work = Work::AbortTimedOut {
            transactional_id: Arc::clone(transactional_id),
            producer: metadata.producer(),
        };
        if !self.ready.contains(&work) {
            self.ready.push_back(work);
        }
    }

    /// Takes back what was put for a transaction.
    pub(super) fn forget(&mut self, transactional_id: &str) {
        self.remaining.remove(transactional_id);
        self.ready.retain(|work| match work {
            Work::Markers(markers) => &*markers.transactional_id != transactional_id,
            Work::AbortTimedOut { transactional_id: id, .. } => &**id != transactional_id,
        });
    }

    /// Puts back what a driver was about to be told and will not be.
    pub(super) fn put_back(&mut self, work: Vec<Work>) {
        work.into_iter().rev().for_each(|work| self.ready.push_front(work));
    }

    /// Keeps a driver until there is work, which may be at once.
    pub(super) fn park(&mut self, taker: ReplyTo, effects: &mut Effects<Reply>) {
        self.takers.push_back(taker);
        if self.takers.len() > TAKERS_MAX
            && let Some(first) = self.takers.pop_front()
        {
            effects.reply(first, Reply::Work(Ok(Vec::new())));
        }
        self.serve(effects);
    }

    /// Gives what there is to whoever waits for it.
    pub(super) fn serve(&mut self, effects: &mut Effects<Reply>) {
        while !self.ready.is_empty()
            && let Some(taker) = self.takers.pop_front()
        {
            let count = self.ready.len().min(WORK_PER_REPLY_MAX);
            effects.reply(taker, Reply::Work(Ok(self.ready.drain(..count).collect())));
        }
    }

    /// Answers whoever waits.
    pub(super) fn dismiss(&mut self, error: ErrorCode) -> Vec<(ReplyTo, Reply)> {
        self.takers.drain(..).map(|taker| (taker, Reply::Work(Err(error)))).collect()
    }

    /// Partitions whose marker is not down, of a transaction that ends.
    pub(super) fn remaining(&self, transactional_id: &str) -> Option<&Partitions> {
        self.remaining.get(transactional_id)
    }

    /// Notes that markers are down. True when none is left.
    fn note_written(&mut self, transactional_id: &str, written: &[TopicPartition]) -> bool {
        let Some(remaining) = self.remaining.get_mut(transactional_id) else { return false };
        for TopicPartition { topic, partition } in written {
            if let Some(indexes) = remaining.get_mut(topic) {
                indexes.remove(partition);
                if indexes.is_empty() {
                    remaining.remove(topic);
                }
            }
        }
        let is_done = remaining.is_empty();
        if is_done {
            self.remaining.remove(transactional_id);
        }
        is_done
    }
}

impl Transactions {
    /// Notes markers that are down, and completes the transaction with the last of them. What is told of a transaction
    /// that has moved on means nothing any more.
    pub(super) fn markers_written(
        &mut self,
        turn: &mut Turn<'_, '_>,
        written: &MarkersWritten,
    ) -> Result<(), ErrorCode> {
        let Some((transactional_id, entry)) = self.find(&written.transactional_id) else { return Ok(()) };
        if !entry.metadata.state.is_prepared() || entry.metadata.producer() != written.producer {
            return Ok(());
        }
        let complete = entry.metadata.prepare_complete(turn.wall());
        if self.outbox.note_written(&transactional_id, &written.partitions) {
            self.record(turn, &transactional_id, &complete)?;
        }
        Ok(())
    }
}
