//! What every decision has at hand.

use std::sync::Arc;

use ottla_model::{Env, Monotonic};

use super::events::{GroupEvent, Happening};
use super::{GroupConfig, Reply};
use crate::machine::{Effects, Record, ReplyTo};

/// One call of the machine: the world as it is now, the limits, and where to put the outcome.
pub(super) struct Turn<'a, 'e> {
    pub(super) env: &'a mut Env<'e>,
    pub(super) config: &'a GroupConfig,
    pub(super) effects: &'a mut Effects<Reply>,
    /// What happened in this call; the machine keeps it afterwards.
    pub(super) events: Vec<(Arc<str>, GroupEvent)>,
}

impl<'a, 'e> Turn<'a, 'e> {
    pub(super) fn new(
        env: &'a mut Env<'e>,
        config: &'a GroupConfig,
        effects: &'a mut Effects<Reply>,
    ) -> Self {
        Self { env, config, effects, events: Vec::new() }
    }

    /// Remembers what happened in a group.
    pub(super) fn note(&mut self, group_id: &Arc<str>, what: Happening) {
        self.events.push((Arc::clone(group_id), GroupEvent { wall: self.env.wall, what }));
    }

    /// The moment of this call.
    pub(super) fn now(&self) -> Monotonic {
        self.env.monotonic
    }

    /// The moment `millis` from now, at least one millisecond away, so that a timeout of zero (or below) that a
    /// client asked for cannot make the machine run in circles.
    pub(super) fn after(&self, millis: i32) -> Monotonic {
        self.env.monotonic.plus_millis(i64::from(millis.max(1)))
    }

    /// Answers a caller.
    pub(super) fn reply(&mut self, to: ReplyTo, reply: impl Into<Reply>) {
        self.effects.reply(to, reply);
    }

    /// Asks for a record.
    pub(super) fn record(&mut self, record: Record) {
        self.effects.records.push(record);
    }
}
