//! What the commands of one turn at a machine lead to: one batch of records, and the replies that wait for it.

use bytes::Bytes;
use ottla_control::machine::{Machine, Record};
use ottla_log::{BatchBuilder, NewRecord};
use ottla_model::Offset;

use super::{InTransaction, Replies};
use crate::clock::Moment;

/// Bytes of records after which a batch is closed.
const BATCH_BYTES_SOFT_MAX: usize = 512 * 1024;

/// Commands that share a batch; replies wait for all of them.
const BATCH_COMMANDS_MAX: usize = 1000;

/// The batch so far, how to take it back, and the replies.
pub(super) struct Round<M: Machine> {
    /// When it began, which is the time of all its commands.
    pub(super) now: Moment,
    pub(super) builder: BatchBuilder,
    bytes: usize,
    commands: usize,
    /// Whose transaction all of it is in; the round has one command then.
    pub(super) transaction: Option<InTransaction>,
    /// The offset that the next record will have, once one was added.
    pub(super) next_offset: Option<Offset>,
    pub(super) undos: Vec<M::Undo>,
    pub(super) replies: Replies<M>,
}

impl<M: Machine> Round<M> {
    /// Nothing yet.
    pub(super) fn at(now: Moment) -> Self {
        let (undos, replies) = (Vec::new(), Vec::new());
        let (builder, next_offset, transaction) = (BatchBuilder::new(), None, None);
        Self { now, builder, bytes: 0, commands: 0, transaction, next_offset, undos, replies }
    }

    /// True when a command that is, or is not, part of a transaction may join.
    pub(super) fn takes(&self, in_transaction: bool) -> bool {
        let is_full = self.commands >= BATCH_COMMANDS_MAX || self.bytes >= BATCH_BYTES_SOFT_MAX;
        let is_apart = self.transaction.is_some() || in_transaction && self.commands > 0;
        !is_full && !is_apart
    }

    /// Begins with a command.
    pub(super) fn begin(&mut self, transaction: Option<InTransaction>) {
        self.commands = self.commands.saturating_add(1);
        if let Some(transaction) = transaction {
            self.builder = transaction.batch();
            self.transaction = Some(transaction);
        }
    }

    /// Adds a record, which was replayed as the one at `offset`.
    pub(super) fn add(&mut self, offset: Offset, record: &Record) {
        self.next_offset = Some(offset.saturating_add(1));
        self.bytes = self.bytes.saturating_add(record_bytes(record));
        push(&mut self.builder, self.now.wall.0, record);
    }
}

fn push(builder: &mut BatchBuilder, timestamp: i64, record: &Record) {
    let key = (!record.key.is_empty()).then_some(record.key.as_ref());
    let mut write = |headers: &[(&[u8], Option<&[u8]>)]| {
        builder.push(NewRecord { timestamp, key, value: record.value.as_deref(), headers });
    };
    match record.headers.as_slice() {
        [] => write(&[]),
        // Every commit has one, and needs no list on the heap for it.
        [(name, value)] => write(&[(name.as_bytes(), Some(value))]),
        headers => {
            let headers: Vec<_> =
                headers.iter().map(|(name, value)| (name.as_bytes(), Some(value.as_ref()))).collect();
            write(&headers);
        }
    }
}

fn record_bytes(record: &Record) -> usize {
    let headers = record.headers.iter().map(|(name, value)| name.len().saturating_add(value.len()));
    let value = record.value.as_ref().map_or(0, Bytes::len);
    headers.chain([record.key.len(), value]).fold(0, usize::saturating_add)
}
