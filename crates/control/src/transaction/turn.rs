//! What every decision has at hand.

use ottla_model::Env;

use super::{Reply, TransactionConfig};
use crate::machine::{Effects, ReplyTo};

/// One call of the machine: the world as it is now, the limits, and where to put the outcome.
pub(super) struct Turn<'a, 'e> {
    pub(super) env: &'a mut Env<'e>,
    pub(super) config: &'a TransactionConfig,
    pub(super) effects: &'a mut Effects<Reply>,
}

impl Turn<'_, '_> {
    /// The wall clock, which records are stamped with, in milliseconds since the Unix epoch.
    pub(super) fn wall(&self) -> i64 {
        self.env.wall.0
    }

    /// Answers a caller.
    pub(super) fn reply(&mut self, to: ReplyTo, reply: Reply) {
        self.effects.reply(to, reply);
    }
}
