//! Changes that break the rules about faults and cuts of the power: 1, 10, 16, 26 and 27.

use ottla_tests::check::Rule;
use ottla_tests::history::{BrokerStep, Event, Step};
use ottla_tests::load::Random;

use crate::Change;
use crate::records::lost_tail;
use crate::registers::gone_at_last;
use crate::requests::{lost, nobody_sends};
use crate::story::Case;

pub(crate) const CHANGES: &[(Rule, &str, Change)] = &[
    (Rule::AckedDurability, "a cut of the power takes what was acknowledged before its window", cut_too_much),
    (Rule::CommittedOffsets, "a cut of the power takes a commit from before its window", cut_commit),
    (Rule::Liveness, "a fault has ended and nobody can send", not_mended),
    (Rule::OneResponse, "a fault costs a connection that waits for its responses", lost_in_fault),
];

/// Puts a cut of the power at the end of the history.
pub(crate) fn cut(case: &mut Case, window_ms: u64) {
    let place = case.broker_steps(BrokerStep::Quiesced)[0];
    let at = case.events[place].at;
    let steps = [BrokerStep::PowerCut { window_ms }, BrokerStep::Killing, BrokerStep::Killed];
    let events = steps.map(|step| Event { at, client: 0, step: Step::Broker(step) });
    case.events.splice(place..place, events);
}

/// Puts a fault between the last start and all that follows.
fn fault(case: &mut Case, steps: &[BrokerStep]) {
    let place = *case.broker_steps(BrokerStep::Ready).last().unwrap();
    let at = case.events[place].at;
    let events = steps.iter().map(|step| Event { at, client: 0, step: Step::Broker(*step) });
    case.events.splice(place + 1..=place, events);
}

fn cut_too_much(case: &mut Case, random: &mut Random) -> bool {
    cut(case, 0);
    lost_tail(case, random)
}

fn cut_commit(case: &mut Case, random: &mut Random) -> bool {
    cut(case, 0);
    gone_at_last(case, random)
}

fn not_mended(case: &mut Case, random: &mut Random) -> bool {
    nobody_sends(case, random) && {
        fault(case, &[BrokerStep::Faulted, BrokerStep::Mended]);
        true
    }
}

fn lost_in_fault(case: &mut Case, random: &mut Random) -> bool {
    lost(case, random) && {
        fault(case, &[BrokerStep::Faulted]);
        true
    }
}
