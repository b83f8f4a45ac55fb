//! What every decision about a consumer group has at hand.

use std::sync::Arc;

use ottla_model::Monotonic;

use super::timers::{Timer, Timers};
use crate::group::{GroupConfig, TopicsImage};

/// The world as it is now, the limits, and the timers, which change at once.
pub(super) struct Context<'a> {
    pub(super) config: &'a GroupConfig,
    pub(super) topics: &'a TopicsImage,
    pub(super) timers: &'a mut Timers,
    pub(super) now: Monotonic,
    /// In milliseconds since the Unix epoch.
    pub(super) wall_ms: i64,
}

impl Context<'_> {
    /// Gives a member `millis` from now for something, at least one millisecond, so that a timeout of zero (or below)
    /// cannot make the machine run in circles.
    pub(super) fn start(&mut self, group_id: &Arc<str>, member_id: &Arc<str>, timer: Timer, millis: i32) {
        let at = self.now.plus_millis(i64::from(millis.max(1)));
        self.timers.set(group_id, member_id, timer, at);
    }

    /// The same, unless the member's time runs already.
    pub(super) fn start_if_absent(
        &mut self,
        group_id: &Arc<str>,
        member_id: &Arc<str>,
        timer: Timer,
        millis: i32,
    ) {
        let at = self.now.plus_millis(i64::from(millis.max(1)));
        self.timers.set_if_absent(group_id, member_id, timer, at);
    }
}
