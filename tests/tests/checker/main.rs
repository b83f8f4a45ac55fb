//! The checker itself: it finds nothing in good histories, and in a bad one exactly the rule that it breaks.
//!
//! A good history is told by [`story`] from a seed: what clients see of a broker that keeps every rule, with failures,
//! unknown outcomes, kills, a compacted topic and one that is deleted and made again. A bad one is a good one with one
//! fact changed; the files named after groups of rules hold the changes.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "what a test needs must be there"
)]

mod edit;
mod faults;
mod groups;
mod members;
mod records;
mod registers;
mod requests;
mod sequences;
mod story;
mod topics;
mod transactions;

use ottla_tests::check::{Report, Rule, check};
use ottla_tests::history::{DumpWriter, History, Line, read_dump};
use ottla_tests::load::Random;

use story::Case;

/// How many histories each test looks at.
const SEEDS: u64 = 6;

/// A change that breaks one rule. It gives false when the history has no place for it.
type Change = fn(&mut Case, &mut Random) -> bool;

fn judge(case: &Case) -> Report {
    check(&History::of(case.events.iter().cloned()).unwrap(), &case.dump)
}

#[test]
fn good_histories_pass_and_every_rule_has_something_to_look_at() {
    for seed in 0..SEEDS * 4 {
        let report = judge(&story::tell(seed));
        assert_eq!(report.violation_count(), 0, "seed {seed}\n{report}");
        for rule in Rule::ALL {
            assert!(report.facts(rule) > 0, "seed {seed}: {rule} looked at nothing");
        }
    }
}

#[test]
fn every_rule_has_three_changes_or_more() {
    for rule in Rule::ALL {
        let count = changes().filter(|(broken, ..)| *broken == rule).count();
        assert!(count >= 3, "{rule} has {count} changes");
    }
}

#[test]
fn each_change_is_found_by_its_rule_and_no_other() {
    let stories: Vec<Case> = (0..SEEDS).map(story::tell).collect();
    let mut wrong = Vec::new();
    for (rule, name, change) in changes() {
        let mut applied = 0;
        for (seed, story) in (0..SEEDS).zip(&stories) {
            let mut case = story.clone();
            if !change(&mut case, &mut Random::part(seed, 1)) {
                continue;
            }
            applied += 1;
            let report = judge(&case);
            if !report.broken().into_iter().eq([rule]) {
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
fn a_cut_of_the_power_may_take_what_lies_in_its_window() {
    const ALL_MS: u64 = 1_000_000;
    for seed in 0..SEEDS {
        for take in [records::lost_tail, registers::gone_at_last, transactions::lost_aborted_tail] {
            let mut case = story::tell(seed);
            faults::cut(&mut case, ALL_MS);
            if take(&mut case, &mut Random::part(seed, 1)) {
                let report = judge(&case);
                assert_eq!(report.violation_count(), 0, "seed {seed}\n{report}");
            }
        }
    }
}

fn changes() -> impl Iterator<Item = (Rule, &'static str, Change)> {
    let all = [
        records::CHANGES,
        sequences::CHANGES,
        registers::CHANGES,
        topics::CHANGES,
        requests::CHANGES,
        faults::CHANGES,
        groups::CHANGES,
        transactions::CHANGES,
    ];
    all.into_iter().flatten().copied()
}

#[test]
fn files_hold_what_is_written_to_them() {
    let case = story::tell(1);
    let directory = tempfile::tempdir().unwrap();
    let (history, dump) = (directory.path().join("history"), directory.path().join("dump"));
    let lines: Vec<String> = case.events.iter().map(|event| serde_json::to_string(event).unwrap()).collect();
    std::fs::write(&history, lines.join("\n") + "\n{\"at\":1,\"cli").unwrap();
    assert_eq!(ottla_tests::history::read_events(&history).unwrap(), case.events);
    let mut writer = DumpWriter::create(&dump).unwrap();
    for line in lines_of(&case) {
        writer.write(&line).unwrap();
    }
    writer.finish().unwrap();
    assert_eq!(read_dump(&dump).unwrap(), case.dump);
}

fn lines_of(case: &Case) -> Vec<Line> {
    let mut lines: Vec<Line> = case.dump.topics.iter().cloned().map(Line::Topic).collect();
    for (partition, log) in &case.dump.logs {
        lines.push(Line::Log { partition: *partition, bounds: log.bounds });
        let batches = log.batches.iter().cloned();
        lines.extend(batches.map(|batch| Line::Batch { partition: *partition, batch }));
    }
    let found = case.dump.found.iter().copied();
    lines.extend(found.map(|(partition, time, found)| Line::Found { partition, time, found }));
    let committed = case.dump.committed.iter().cloned();
    lines.extend(committed.map(|(group, partition, commit)| Line::Committed { group, partition, commit }));
    lines.push(Line::AskedForOpen { count: case.dump.asked_for_open });
    lines
}
