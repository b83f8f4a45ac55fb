//! Judges what members of groups saw while they came and went, were killed and paused, and the broker was killed: the
//! rules that both group protocols promise.
//!
//! Who owns a partition is judged by generation or member epoch, never by the clock: a member that was paused thinks
//! that it owns what is another's by now, and may. What it may not is commit.

mod fenced;
mod forward;
mod lives;
mod owners;
mod processed;
mod rest;
mod tenure;

use super::report::Report;
use super::rule::Rule;
use crate::churn::Event;

pub use rest::{SETTLES_WITHIN, settled};

/// Applies every rule of [`Rule::OF_MEMBERS`].
#[must_use]
pub fn check_members(events: &[Event]) -> Report {
    let mut events: Vec<&Event> = events.iter().collect();
    // What one process says is in order; the order over all of them is that of their common clock.
    events.sort_by_key(|event| event.at);
    let mut report = Report::of(&Rule::OF_MEMBERS);
    let lives = lives::Lives::of(&events, &mut report);
    let tenures = tenure::tenures(&events, &lives);
    owners::check(&events, &tenures, &mut report);
    let mixed = fenced::check(&events, &tenures, &mut report);
    forward::check(&events, &mixed, &mut report);
    processed::check(&events, &mut report);
    rest::check(&events, &mut report);
    report
}
