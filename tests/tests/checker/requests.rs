//! Changes that break the rules on requests: 26 and 27.

use ottla_tests::check::Rule;
use ottla_tests::history::{BrokerStep, Call, Event, Step};
use ottla_tests::load::Random;

use crate::Change;
use crate::edit::{Place, any, is_ok};
use crate::story::{COMMITTER, CONSUMER, Case, IDEMPOTENT};

pub(crate) const CHANGES: &[(Rule, &str, Change)] = &[
    (Rule::Liveness, "the broker takes 6 seconds to serve", slow_start),
    (Rule::Liveness, "a consumer is not served", consumer_waits),
    (Rule::Liveness, "a committer is not served", committer_waits),
    (Rule::Liveness, "nobody can send", nobody_sends),
    (Rule::OneResponse, "two responses come the other way round", swapped),
    (Rule::OneResponse, "a response is missing", missing),
    (Rule::OneResponse, "a response comes twice", twice),
    (Rule::OneResponse, "the last request is not answered", never_answered),
    (Rule::OneResponse, "a connection is lost without a kill", lost),
    (Rule::OneResponse, "a request is answered with an unknown error", unknown_error),
];

const NANOSECONDS: u64 = 1_000_000_000;

fn last_start(case: &Case) -> usize {
    *case.broker_steps(BrokerStep::Started).last().unwrap()
}

fn slow_start(case: &mut Case, random: &mut Random) -> bool {
    let _ = random;
    let start = last_start(case);
    for event in &mut case.events[start + 1..] {
        event.at += 6 * NANOSECONDS;
    }
    true
}

/// Makes the outcome of what succeeded within 5 seconds of the last start unknown.
fn withhold(case: &mut Case, wanted: impl Fn(&Event, &Call) -> bool) {
    let start = last_start(case);
    let until = case.events[start].at + 5 * NANOSECONDS;
    for place in case.operations(|_, step| is_ok(step)) {
        let event = &case.events[place.end];
        let in_time = place.end > start && event.at <= until;
        if in_time && wanted(event, case.call(place.invoke)) {
            case.end_with(place, |operation| Step::Info { operation, error: None });
        }
    }
}

fn consumer_waits(case: &mut Case, random: &mut Random) -> bool {
    let _ = random;
    withhold(case, |event, _| event.client == CONSUMER);
    true
}

fn committer_waits(case: &mut Case, random: &mut Random) -> bool {
    let _ = random;
    withhold(case, |event, _| event.client == COMMITTER);
    true
}

pub(crate) fn nobody_sends(case: &mut Case, random: &mut Random) -> bool {
    let _ = random;
    withhold(case, |_, call| matches!(call, Call::Send(_)));
    true
}

/// The responses of a client's connection, of which there are several.
fn responses(case: &Case, client: u32) -> Vec<usize> {
    let is_it = |event: &Event| event.client == client && matches!(event.step, Step::Response { .. });
    let all = case.events.iter().enumerate().filter(|(_, event)| is_it(event)).map(|(place, _)| place);
    // Those after the last start are of one connection, with no kill after it.
    all.filter(|place| *place > last_start(case)).collect()
}

fn swapped(case: &mut Case, random: &mut Random) -> bool {
    let responses = responses(case, IDEMPOTENT);
    let place = random.index(responses.len() - 1);
    let (one, other) = (responses[place], responses[place + 1]);
    let first = case.events[one].step.clone();
    case.events[one].step = case.events[other].step.clone();
    case.events[other].step = first;
    true
}

fn missing(case: &mut Case, random: &mut Random) -> bool {
    let mut responses = responses(case, IDEMPOTENT);
    responses.pop();
    case.events.remove(any(random, responses).unwrap());
    true
}

fn twice(case: &mut Case, random: &mut Random) -> bool {
    let place = any(random, responses(case, CONSUMER)).unwrap();
    case.events.insert(place, case.events[place].clone());
    true
}

fn never_answered(case: &mut Case, random: &mut Random) -> bool {
    let _ = random;
    let place = responses(case, COMMITTER).pop().unwrap();
    case.events.remove(place);
    true
}

pub(crate) fn lost(case: &mut Case, random: &mut Random) -> bool {
    let place = any(random, responses(case, CONSUMER)).unwrap();
    let Event { at, client, step } = case.events[place].clone();
    let Step::Response { connection, .. } = step else { return false };
    case.events[place] = Event { at, client, step: Step::Lost { connection, why: "closed".to_owned() } };
    true
}

fn unknown_error(case: &mut Case, random: &mut Random) -> bool {
    let unknown =
        case.operations(|call, step| matches!(call, Call::Send(_)) && matches!(step, Step::Info { .. }));
    let Some(place) = any::<Place>(random, unknown) else { return false };
    case.end_with(place, |operation| Step::Info { operation, error: Some(-1) });
    true
}
