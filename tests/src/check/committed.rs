//! Rule 16: what a group has committed for a partition is a register. A read gives the last acknowledged commit or a
//! later one, exactly as it was committed, and never nothing once there was something.

use std::collections::{BTreeMap, HashMap};

use super::report::Report;
use super::rule::Rule;
use super::view::Cut;
use crate::history::{Answer, Call, Commit, Dump, History, Operation, Outcome, Partition};

type Register<'a> = (&'a str, Partition);

/// The commits and reads of one register.
#[derive(Default)]
struct Facts<'a> {
    /// In the order in which they were made.
    commits: Vec<(&'a Operation, &'a Commit)>,
    reads: Vec<Read<'a>>,
    /// What was read when all was over.
    last: Option<Read<'a>>,
}

struct Read<'a> {
    invoked: u64,
    completed: u64,
    commit: Option<&'a Commit>,
}

pub(super) fn check(history: &History, dump: &Dump, cut: Option<Cut>, report: &mut Report) {
    let mut registers: BTreeMap<Register<'_>, Facts<'_>> = BTreeMap::new();
    for operation in &history.operations {
        match (&operation.call, operation.answer()) {
            (Call::Commit { group, partition, commit, .. }, _) => {
                registers.entry((group, *partition)).or_default().commits.push((operation, commit));
            }
            (Call::Committed { group, partition }, Some(Answer::Committed(commit))) => {
                let (invoked, completed) = (operation.invoked, operation.completed);
                let read = Read { invoked, completed, commit: commit.as_ref() };
                // After a cut of the power only the dump counts.
                if cut.is_none_or(|cut| completed <= cut.at) {
                    registers.entry((group, *partition)).or_default().reads.push(read);
                }
            }
            _ => {}
        }
    }
    for (group, partition, commit) in &dump.committed {
        // Of what was committed just before the power was cut, the last part may be gone.
        let invoked = cut.map_or(u64::MAX, |cut| cut.sure_until);
        let read = Read { invoked, completed: u64::MAX, commit: commit.as_ref() };
        registers.entry((group, *partition)).or_default().last = Some(read);
    }
    for (register, mut facts) in registers {
        facts.reads.sort_by_key(|read| read.invoked);
        check_register(register, &facts, report);
    }
}

fn check_register((group, partition): Register<'_>, facts: &Facts<'_>, report: &mut Report) {
    report.checked(Rule::CommittedOffsets, facts.reads.len() + usize::from(facts.last.is_some()));
    let places: HashMap<&str, usize> = facts
        .commits
        .iter()
        .enumerate()
        .map(|(place, (_, commit))| (commit.metadata.as_str(), place))
        .collect();
    // The last read has a floor of its own: it may have to know less than reads before it.
    let mut floors = [Floor::new(facts, &places), Floor::new(facts, &places)];
    let [floor, last_floor] = &mut floors;
    let reads = facts.reads.iter().map(|read| (read, floor.before(read.invoked)));
    let last = facts.last.iter().map(|read| (read, last_floor.before(read.invoked)));
    for (read, least) in reads.chain(last) {
        if let Some(fact) = wrong(read, least, facts, &places) {
            report.violated(Rule::CommittedOffsets, || {
                let known = least.and_then(|place| facts.commits.get(place)).map(|(_, commit)| commit);
                format!(
                    "group {group} on {partition}: {fact}; read {:?}, known before {:?}",
                    short(read.commit),
                    short(known.copied())
                )
            });
        }
    }
}

/// What is wrong with a read when at least the commit at `least` was known before it.
fn wrong(
    read: &Read<'_>,
    least: Option<usize>,
    facts: &Facts<'_>,
    places: &HashMap<&str, usize>,
) -> Option<&'static str> {
    let Some(commit) = read.commit else {
        return least.map(|_| "a committed offset is gone");
    };
    let place = places.get(commit.metadata.as_str()).copied();
    let Some((place, (operation, made))) = place.and_then(|place| Some((place, facts.commits.get(place)?)))
    else {
        return Some("nobody committed what is read");
    };
    if *made != commit {
        return Some("what is read was committed with another offset or epoch");
    }
    if matches!(operation.outcome, Outcome::Fail(_)) {
        return Some("a commit that was refused is read");
    }
    if operation.invoked > read.completed {
        return Some("a commit is read before it was made");
    }
    least.filter(|least| place < *least).map(|_| "an older commit is read than was known before")
}

/// The newest commit that was known, by acknowledgement or by a read, as time goes on.
struct Floor {
    known: std::iter::Peekable<std::vec::IntoIter<(u64, usize)>>,
    newest: Option<usize>,
}

impl Floor {
    fn new(facts: &Facts<'_>, places: &HashMap<&str, usize>) -> Self {
        let acknowledged = facts.commits.iter().enumerate().filter_map(|(place, (operation, _))| {
            matches!(operation.outcome, Outcome::Ok(_)).then_some((operation.completed, place))
        });
        let read = facts.reads.iter().filter_map(|read| {
            let place = places.get(read.commit?.metadata.as_str())?;
            Some((read.completed, *place))
        });
        let mut known: Vec<_> = acknowledged.chain(read).collect();
        known.sort_unstable();
        Self { known: known.into_iter().peekable(), newest: None }
    }

    /// What was known before this time; the times that are asked for rise.
    fn before(&mut self, at: u64) -> Option<usize> {
        while let Some((_, place)) = self.known.next_if(|(completed, _)| *completed < at) {
            self.newest = self.newest.max(Some(place));
        }
        self.newest
    }
}

/// A commit without the rest of its metadata.
fn short(commit: Option<&Commit>) -> Option<(i64, i32, String)> {
    commit.map(|commit| (commit.offset, commit.leader_epoch, commit.metadata.chars().take(24).collect()))
}
