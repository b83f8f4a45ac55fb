//! The one contract of everything that coordinates.
//!
//! A machine owns one partition of a log (`__consumer_offsets`, the catalog's log). A small runtime in the broker
//! drives it, under one lock a partition:
//!
//! ```text
//!   command ─► handle ─► records ─► replay each ─► append ─┬─ down ───► send the replies
//!                    └─► replies (held) ◄──────────────────┴─ failed ─► undo each, newest first; then failed(replies)
//! ```
//!
//! Two kinds of state live in a machine, and the whole design follows from keeping them apart:
//!
//! - **Durable state** is what the log says. Only [`Machine::replay`] and [`Machine::end_transaction`] change it, while
//!   running and at start alike, so recovery is the running code. [`Machine::handle`] reads it and describes the change that it wants as
//!   records. The runtime replays them at once, before the next command, so that commands see each other.
//!   [`Machine::undo`] takes one record back when its append failed.
//! - **Soft state** is what nobody promised: timers, who is alive, parked callers and rounds that are under way. It
//!   changes at once in `handle` and `tick`, and is gone after a restart; [`Machine::loaded`] makes a new one.
//!
//! **Nothing escapes before it is down.** The runtime holds the replies of [`Effects`] until the newest record that
//! the machine has replayed is down, also those of commands that only read: they may have seen it.
//!
//! **A parked caller** (JoinGroup, SyncGroup) is one whose `ReplyTo` the machine keeps. Its reply comes in the
//! effects of a later call. Each `ReplyTo` is answered exactly once, whatever happens: by effects, by
//! [`Machine::failed`] or by [`Machine::unloaded`].
//!
//! **When an append fails** the held replies are lies, and soft state may have moved ahead of the log. The runtime
//! undoes the records and then calls [`Machine::failed`] with the held replies: the machine turns each into the
//! error that Kafka answers, and brings soft state back to what the log now says. For parked callers nothing
//! special is needed: either their reply was among the held ones, or they stay parked, or `failed` answers them.

use std::sync::Arc;

use bytes::Bytes;
use ottla_model::{Env, ErrorCode, Monotonic, Offset, ProducerId};

use crate::codec::DecodeError;

/// Names a caller that waits for a reply. The runtime makes it and never uses one twice; the machine keeps it while
/// the caller is parked and gives it back with the reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReplyTo(pub u64);

/// Who sent a command, for what groups remember and show of their members.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The client id of the request header, if it had one.
    pub client_id: Option<Arc<str>>,
    /// The peer's address as Kafka prints it: `/127.0.0.1` (`InetAddress.toString` without a host name).
    pub client_host: Arc<str>,
}

/// A record that a machine wants appended to its log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The key, in the schema of the log. Compaction keeps the last record of each.
    pub key: Bytes,
    /// The value, or `None` for a tombstone.
    pub value: Option<Bytes>,
    /// Headers, which Kafka's decoders of these logs pass over.
    pub headers: Vec<(&'static str, Bytes)>,
}

/// A record as the log gives it back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordRef<'a> {
    /// The key. Every record of a machine's log has one.
    pub key: &'a [u8],
    /// The value, or `None` for a tombstone.
    pub value: Option<&'a [u8]>,
    /// The record's timestamp, in milliseconds since the Unix epoch, or -1.
    pub timestamp: i64,
    /// The record's headers.
    pub headers: &'a [(&'a str, &'a [u8])],
    /// The producer in whose transaction the record is: it counts when that is committed. `None` outside of
    /// transactions.
    pub transaction: Option<ProducerId>,
}

impl Record {
    /// The record as `replay` takes it; headers and timestamp are not part of any machine's durable state yet.
    #[must_use]
    pub fn as_ref(&self, timestamp: i64) -> RecordRef<'_> {
        RecordRef { key: &self.key, value: self.value.as_deref(), timestamp, headers: &[], transaction: None }
    }
}

/// What a command or a tick leads to.
#[derive(Debug, PartialEq, Eq)]
pub struct Effects<R> {
    /// Records to append, in this order and in one batch.
    pub records: Vec<Record>,
    /// Replies to send when everything that was replayed is down.
    pub replies: Vec<(ReplyTo, R)>,
}

impl<R> Default for Effects<R> {
    fn default() -> Self {
        Self { records: Vec::new(), replies: Vec::new() }
    }
}

impl<R> Effects<R> {
    /// Adds a reply.
    pub fn reply(&mut self, to: ReplyTo, reply: impl Into<R>) {
        self.replies.push((to, reply.into()));
    }
}

/// Why a record could not be replayed. A record of an unknown kind is no error: it is passed over and counted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReplayError {
    /// The key is not what its type says.
    #[error("the record's key is malformed: {0}")]
    Key(#[source] DecodeError),
    /// The value is not what its version says.
    #[error("the record's value is malformed: {0}")]
    Value(#[source] DecodeError),
    /// The record cannot follow the ones before it.
    #[error("the record contradicts the ones before it: {0}")]
    Contradiction(&'static str),
}

/// A state machine over one partition of a log; see the [module](self) for how it is driven.
pub trait Machine {
    /// What callers ask.
    type Command;
    /// What they are told.
    type Reply;
    /// What one `replay` overwrote.
    type Undo;

    /// Decides on a command. Changes no durable state; soft state changes at once. The reply to `reply_to` is in
    /// `effects` now, or in those of a later call when the caller is parked.
    fn handle(
        &mut self,
        env: &mut Env<'_>,
        caller: &Caller,
        reply_to: ReplyTo,
        command: Self::Command,
        effects: &mut Effects<Self::Reply>,
    );

    /// Applies one record to the durable state, in the order of the log. The only function that changes it, but
    /// for [`Machine::undo`] and [`Machine::end_transaction`].
    ///
    /// # Errors
    /// [`ReplayError`] when the bytes are malformed; nothing has changed then.
    fn replay(&mut self, offset: Offset, record: &RecordRef<'_>) -> Result<Self::Undo, ReplayError>;

    /// Takes back the newest replayed record that has not been taken back yet.
    fn undo(&mut self, undo: Self::Undo);

    /// Applies the end of a producer's transaction: what its records said counts now, or never. Called for markers that
    /// are in the log, in its order, so that there is nothing to undo. Machines whose logs have no transactions have
    /// nothing to do.
    fn end_transaction(&mut self, _producer: ProducerId, _committed: bool) {}

    /// Called once after all records of a failed append were undone. `cause` is the error of the append, `replies`
    /// are the held replies, which nobody has seen. Gives an error reply for each of them, and replies for parked
    /// callers whose wait is over because of the failure. They may be sent at once.
    fn failed(
        &mut self,
        env: &mut Env<'_>,
        cause: ErrorCode,
        replies: Vec<(ReplyTo, Self::Reply)>,
    ) -> Vec<(ReplyTo, Self::Reply)>;

    /// Does what is due at `env.monotonic`: ends sessions, rebalances and other waits.
    fn tick(&mut self, env: &mut Env<'_>, effects: &mut Effects<Self::Reply>);

    /// The earliest moment at which `tick` may have work. It may be early (a tick without work is harmless) but
    /// never late. Asked again after every call.
    fn deadline(&self) -> Option<Monotonic>;

    /// Called once after the whole log was replayed at start, before the first command: makes the soft state.
    fn loaded(&mut self, env: &mut Env<'_>);

    /// Called when the log is closed or the partition moves away: answers every parked caller
    /// (NOT_COORDINATOR). No other call follows.
    fn unloaded(&mut self) -> Vec<(ReplyTo, Self::Reply)>;
}
