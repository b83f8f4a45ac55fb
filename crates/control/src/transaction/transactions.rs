//! The machine of one partition of `__transaction_state`.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use ottla_model::{Env, ErrorCode, Monotonic, Offset, ProducerEpoch};

use super::durable::Undo;
use super::metadata::TransactionMetadata;
use super::outbox::Outbox;
use super::schedule::Schedule;
use super::turn::Turn;
use super::{Command, Reply, TransactionConfig, TransactionVersion};
use crate::codec::TransactionLogKey;
use crate::machine::{Caller, Effects, Machine, Record, RecordRef, ReplayError, ReplyTo};

/// All transactional ids that hash to one partition of `__transaction_state`.
#[derive(Debug)]
pub struct Transactions {
    pub(super) config: Arc<TransactionConfig>,
    /// The level of the feature `transaction.version`.
    pub(super) version: TransactionVersion,
    pub(super) entries: HashMap<Arc<str>, Entry>,
    /// When open transactions time out. What stays of ended ones is overwritten by the next.
    pub(super) timeouts: HashMap<Arc<str>, Monotonic>,
    pub(super) schedule: Schedule,
    pub(super) outbox: Outbox,
    /// What the record that is replayed next cannot say; see `durable`.
    pub(super) staged_last_epochs: HashMap<Arc<str>, ProducerEpoch>,
    /// Ids that lost a record to a failed append and have not been brought back into line yet.
    pub(super) undone: BTreeSet<Arc<str>>,
    pub(super) passed_over: u64,
}

/// A transactional id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) metadata: TransactionMetadata,
    /// The epoch before this one, or -1; see `durable`.
    pub(super) last_epoch: ProducerEpoch,
}

impl Transactions {
    /// No transactional ids.
    #[must_use]
    pub fn new(config: TransactionConfig) -> Self {
        Self {
            version: config.version,
            config: Arc::new(config),
            entries: HashMap::new(),
            timeouts: HashMap::new(),
            schedule: Schedule::default(),
            outbox: Outbox::default(),
            staged_last_epochs: HashMap::new(),
            undone: BTreeSet::new(),
            passed_over: 0,
        }
    }

    /// How many transactional ids there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// True without any transactional id.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Records that were replayed without being understood: of later releases of Kafka. They stay in the log.
    #[must_use]
    pub fn passed_over(&self) -> u64 {
        self.passed_over
    }

    /// A transactional id with its own copy of the name.
    pub(super) fn find(&self, transactional_id: &str) -> Option<(Arc<str>, &Entry)> {
        self.entries.get_key_value(transactional_id).map(|(key, entry)| (Arc::clone(key), entry))
    }

    /// All ids, in order, so that whatever goes through them gives the same result twice.
    pub(super) fn transactional_ids(&self) -> Vec<Arc<str>> {
        let mut ids: Vec<_> = self.entries.keys().cloned().collect();
        ids.sort_unstable();
        ids
    }

    /// Asks for the record that makes `metadata` the state of the id, and sees to it that the id is looked at when
    /// something of it is due.
    pub(super) fn record(
        &mut self,
        turn: &mut Turn<'_, '_>,
        transactional_id: &Arc<str>,
        metadata: &TransactionMetadata,
    ) -> Result<(), ErrorCode> {
        let record = to_record(self.version, transactional_id, metadata)?;
        turn.effects.records.push(record);
        self.plan(turn.env, transactional_id, metadata);
        Ok(())
    }
}

/// The record of a state. It fails only for texts and arrays whose size was checked before.
pub(super) fn to_record(
    version: TransactionVersion,
    transactional_id: &str,
    metadata: &TransactionMetadata,
) -> Result<Record, ErrorCode> {
    let key = TransactionLogKey::encode(transactional_id).map_err(|_| ErrorCode::UnknownServerError)?;
    let value = metadata.encode(version).map_err(|_| ErrorCode::UnknownServerError)?;
    Ok(Record { key, value: Some(value), headers: Vec::new() })
}

impl Machine for Transactions {
    type Command = Command;
    type Reply = Reply;
    type Undo = Undo;

    fn handle(
        &mut self,
        env: &mut Env<'_>,
        _caller: &Caller,
        reply_to: ReplyTo,
        command: Command,
        effects: &mut Effects<Reply>,
    ) {
        let config = Arc::clone(&self.config);
        let turn = &mut Turn { env, config: &config, effects };
        let reply = match command {
            Command::InitProducerId(init) => self.init_producer_id(turn, init),
            Command::AddPartitions(add) => Reply::AddPartitions(self.add_partitions(turn, add)),
            Command::VerifyPartitions(verify) => Reply::VerifyPartitions(self.verify_partitions(verify)),
            Command::End(end) => self.end(turn, &end),
            Command::Describe { transactional_id } => Reply::Describe(self.describe(&transactional_id)),
            Command::List(list) => Reply::List(Ok(self.list(turn, &list))),
            Command::TakeWork => {
                self.outbox.park(reply_to, turn.effects);
                return;
            }
            Command::MarkersWritten(written) => Reply::MarkersWritten(self.markers_written(turn, &written)),
            Command::AbortTimedOut(abort) => Reply::AbortTimedOut(self.abort_timed_out(turn, &abort)),
            Command::LearnVersion(version) => {
                self.version = version;
                Reply::LearnVersion
            }
        };
        turn.reply(reply_to, reply);
        self.outbox.serve(turn.effects);
    }

    fn replay(&mut self, _offset: Offset, record: &RecordRef<'_>) -> Result<Undo, ReplayError> {
        self.replay_record(record)
    }

    fn undo(&mut self, undo: Undo) {
        self.undo_record(undo);
    }

    fn failed(
        &mut self,
        env: &mut Env<'_>,
        cause: ErrorCode,
        replies: Vec<(ReplyTo, Reply)>,
    ) -> Vec<(ReplyTo, Reply)> {
        self.recover(env, cause, replies)
    }

    fn tick(&mut self, env: &mut Env<'_>, effects: &mut Effects<Reply>) {
        let config = Arc::clone(&self.config);
        let turn = &mut Turn { env, config: &config, effects };
        self.look_at_due(turn);
        self.outbox.serve(turn.effects);
    }

    fn deadline(&self) -> Option<Monotonic> {
        self.schedule.first()
    }

    fn loaded(&mut self, env: &mut Env<'_>) {
        self.revive(env);
    }

    fn unloaded(&mut self) -> Vec<(ReplyTo, Reply)> {
        self.outbox.dismiss(ErrorCode::NotCoordinator)
    }
}
