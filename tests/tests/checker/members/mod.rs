//! The rules of groups whose members come and go: a good history passes, and one with one fact changed breaks the rule
//! that the change is for.

mod changes;
mod story;

use ottla_tests::check::{Report, Rule, check_members};
use ottla_tests::churn::{Event, Fact};
use ottla_tests::load::Random;

use changes::CHANGES;

/// How many histories each test looks at.
const SEEDS: u64 = 12;

/// A change that breaks one rule. It gives false when the history has no place for it.
type Change = fn(&mut Vec<Event>, &mut Random) -> bool;

fn judge(events: &[Event]) -> Report {
    check_members(events)
}

#[test]
fn good_histories_of_members_pass_and_every_rule_has_something_to_look_at() {
    for seed in 0..SEEDS * 4 {
        let report = judge(&story::tell(seed));
        assert_eq!(report.violation_count(), 0, "seed {seed}\n{report}");
        for rule in Rule::OF_MEMBERS {
            assert!(report.facts(rule) > 0, "seed {seed}: {rule} looked at nothing");
        }
    }
}

#[test]
fn every_rule_of_members_has_three_changes_or_more() {
    for rule in Rule::OF_MEMBERS {
        let count = CHANGES.iter().filter(|(broken, ..)| *broken == rule).count();
        assert!(count >= 3, "{rule} has {count} changes");
    }
}

#[test]
fn each_change_of_members_is_found_by_its_rule_and_no_other() {
    let mut wrong = Vec::new();
    for (rule, name, change) in CHANGES {
        let mut applied = 0;
        for seed in 0..SEEDS {
            let mut events = story::tell(seed);
            if !change(&mut events, &mut Random::part(seed, 1)) {
                continue;
            }
            applied += 1;
            let report = judge(&events);
            if !report.broken().into_iter().eq([*rule]) {
                let found: Vec<String> = report.violations().iter().map(ToString::to_string).collect();
                wrong.push(format!(
                    "{name} with seed {seed} breaks {rule}, found was\n    {}",
                    found.join("\n    ")
                ));
            }
        }
        if applied <= SEEDS / 2 {
            wrong.push(format!("{name} could be made in {applied} of {SEEDS} histories"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_paused_member_may_think_that_it_owns_what_is_anothers() {
    let zombies = (0..SEEDS).filter(|seed| story::tell(*seed).iter().any(story::is_refusal)).count();
    assert!(zombies > 6, "{zombies} of {SEEDS} histories have one");
}

#[test]
fn what_a_client_commits_as_a_new_member_is_its_own_doing() {
    for seed in 0..SEEDS {
        let mut events = story::tell(seed);
        if !changes::zombie_commits(&mut events, &mut Random::part(seed, 1)) {
            continue;
        }
        for event in &mut events {
            if let Fact::Committed { epoch, .. } = &mut event.fact {
                *epoch = i32::MAX;
            }
        }
        let report = judge(&events);
        assert_eq!(report.violation_count(), 0, "seed {seed}\n{report}");
    }
}

/// Whoever owned something in the first life of a group may own it in the same epoch of the next one.
#[test]
fn epochs_of_two_lives_of_a_group_do_not_compare() {
    let mut events = story::tell(1);
    let again = story::tell(2);
    let later = events.last().unwrap().at;
    let shift = |event: Event| Event { at: event.at + later, fact: renumbered(event.fact) };
    events.retain(|event| !matches!(event.fact, Fact::Calm));
    let first_lives = events.len();
    events.extend(again.into_iter().map(shift));
    let owned_in_two_lives = |events: &[Event]| judge(events).broken().contains(&Rule::OneOwner);
    // The same protocol goes on, so it is one life.
    assert!(owned_in_two_lives(&events));
    for (place, event) in events.iter_mut().enumerate() {
        if let Fact::Epoch { modern, .. } = &mut event.fact {
            *modern ^= place >= first_lives;
        }
    }
    assert!(!owned_in_two_lives(&events));
}

/// The members of another story.
fn renumbered(mut fact: Fact) -> Fact {
    const BEYOND: u32 = 1_000;
    match &mut fact {
        Fact::Assigned(membership) | Fact::State(membership) => membership.member += BEYOND,
        Fact::Joins { member, .. }
        | Fact::Gone { member, .. }
        | Fact::Processed { member, .. }
        | Fact::Leaves { member }
        | Fact::Left { member }
        | Fact::Killed { member } => *member += BEYOND,
        _ => {}
    }
    fact
}
