//! Judges a history and a dump by the rules that a broker must keep, whatever is done to it.
//!
//! Every value that is sent is unique, so a record that is read tells which send it came from, and its offset tells its
//! place in the order: sorting and one pass over what was sorted are enough, and no search over possible orders is
//! needed. The semantics are those of Jepsen's Kafka tests: a send whose outcome is unknown may be read or not.
//!
//! The rules hold across kill -9 in every mode of flushing. One file holds one rule or a few that look at the same
//! facts; [`view`] sorts the facts by partition first.

mod acked;
mod answers;
mod atomic;
mod bounds;
mod committed;
mod dense;
mod failed;
mod fencing;
mod fetched;
mod generations;
mod isolation;
mod liveness;
mod observed;
mod producers;
mod report;
mod rule;
mod spans;
mod times;
mod topics;
mod transactions;
mod view;

pub use liveness::SERVES_WITHIN;
pub use report::{Report, Violation};
pub use rule::Rule;

use crate::history::{Dump, History};
use view::View;

/// Applies every rule.
#[must_use]
pub fn check(history: &History, dump: &Dump) -> Report {
    let view = View::new(history, dump);
    let mut report = Report::default();
    for (partition, facts) in &view.partitions {
        acked::check(partition, facts, &view.transactions, &mut report);
        observed::check(partition, facts, &view.kills, &mut report);
        dense::check(partition, facts, &mut report);
        producers::check(partition, facts, &mut report);
        failed::check(partition, facts, &mut report);
        fetched::check(partition, facts, &mut report);
        bounds::check(partition, facts, &mut report);
        times::check(partition, facts, &mut report);
        isolation::check(partition, facts, &view.transactions, &mut report);
    }
    producers::check_ids(history, &mut report);
    atomic::check(&view.transactions, &mut report);
    atomic::check_open(dump, &view.transactions, &mut report);
    fencing::check(history, &view.transactions, &mut report);
    committed::check(history, dump, &view, &mut report);
    generations::check(history, &mut report);
    topics::check(history, dump, &mut report);
    liveness::check(history, &mut report);
    answers::check(history, &view.kills, &mut report);
    report
}
