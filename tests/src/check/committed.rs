//! Rule 16: what a group has committed for a partition is a register. A read gives the last acknowledged commit or a
//! later one, exactly as it was committed, and never nothing once there was something.
//!
//! A commit inside a transaction is made when that is committed: it is not read before (rule 17), and is there from then
//! on (rule 13).

use std::collections::{BTreeMap, HashMap};

use super::report::Report;
use super::rule::Rule;
use super::transactions::{Fate, Transactions};
use super::view::View;
use crate::history::{Answer, Call, Commit, Dump, History, Operation, Outcome, Partition};

type Register<'a> = (&'a str, Partition);

/// The commits and reads of one register.
#[derive(Default)]
struct Facts<'a> {
    /// In the order in which they were made.
    commits: Vec<Made<'a>>,
    reads: Vec<Read<'a>>,
    /// What was read when all was over.
    last: Option<Read<'a>>,
}

struct Made<'a> {
    operation: &'a Operation,
    commit: &'a Commit,
    /// The transaction that it is part of.
    fate: Option<&'a Fate>,
}

impl Made<'_> {
    /// When it was known to be made, if it was: also by the marker that a log has in the end.
    fn known(&self) -> Option<u64> {
        let done = matches!(self.operation.outcome, Outcome::Ok(_)).then_some(self.operation.completed)?;
        let Some(fate) = self.fate else { return Some(done) };
        match fate.told {
            Some((committed, told)) => committed.then_some(told.max(done)),
            None => fate.committed()?.then_some(u64::MAX - 1),
        }
    }
}

struct Read<'a> {
    invoked: u64,
    completed: u64,
    commit: Option<&'a Commit>,
}

pub(super) fn check<'a>(history: &'a History, dump: &'a Dump, view: &'a View<'a>, report: &mut Report) {
    let cut = view.cut;
    let transactions: &Transactions<'_> = &view.transactions;
    let mut registers: BTreeMap<Register<'_>, Facts<'_>> = BTreeMap::new();
    for operation in &history.operations {
        match (&operation.call, operation.answer()) {
            (Call::Commit { group, partition, commit, transaction, .. }, _) => {
                let fate = transaction.and_then(|transaction| transactions.fates.get(&transaction));
                let made = Made { operation, commit, fate };
                registers.entry((group, *partition)).or_default().commits.push(made);
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
    let reads = facts.reads.len() + usize::from(facts.last.is_some());
    report.checked(Rule::CommittedOffsets, reads);
    if facts.commits.iter().any(|made| made.fate.is_some()) {
        report.checked(Rule::PendingOffsets, reads);
    }
    let places: HashMap<&str, usize> = facts
        .commits
        .iter()
        .enumerate()
        .map(|(place, made)| (made.commit.metadata.as_str(), place))
        .collect();
    // The last read has a floor of its own: it may have to know less than reads before it.
    let mut floors = [Floor::new(facts, &places), Floor::new(facts, &places)];
    let [floor, last_floor] = &mut floors;
    let reads = facts.reads.iter().map(|read| (read, floor.before(read.invoked)));
    let last = facts.last.iter().map(|read| (read, last_floor.before(read.invoked)));
    for (read, least) in reads.chain(last) {
        if let Some((rule, fact)) = wrong(read, least, facts, &places) {
            report.violated(rule, || {
                let known = least.and_then(|place| facts.commits.get(place)).map(|made| made.commit);
                format!(
                    "group {group} on {partition}: {fact}; read {:?}, known before {:?}",
                    short(read.commit),
                    short(known)
                )
            });
        }
    }
}

/// What is wrong with a read when at least the commit at `least` was known before it, and by which rule.
fn wrong(
    read: &Read<'_>,
    least: Option<usize>,
    facts: &Facts<'_>,
    places: &HashMap<&str, usize>,
) -> Option<(Rule, &'static str)> {
    let least_made = least.and_then(|place| facts.commits.get(place));
    let too_old = least_made.map(|made| match made.fate {
        Some(_) => (Rule::Atomicity, "an offset that a transaction has committed is gone"),
        None => (Rule::CommittedOffsets, "a committed offset is gone"),
    });
    let Some(commit) = read.commit else { return too_old };
    let place = places.get(commit.metadata.as_str()).copied();
    let Some((place, made)) = place.and_then(|place| Some((place, facts.commits.get(place)?))) else {
        return Some((Rule::CommittedOffsets, "nobody committed what is read"));
    };
    if made.commit != commit {
        return Some((Rule::CommittedOffsets, "what is read was committed with another offset or epoch"));
    }
    if matches!(made.operation.outcome, Outcome::Fail(_)) {
        return Some((Rule::CommittedOffsets, "a commit that was refused is read"));
    }
    if made.operation.invoked > read.completed {
        return Some((Rule::CommittedOffsets, "a commit is read before it was made"));
    }
    if let Some(fate) = made.fate {
        if fate.committed() == Some(false) {
            return Some((Rule::PendingOffsets, "an offset of an aborted transaction is read"));
        }
        if fate.commit_asked.is_none_or(|asked| asked > read.completed) {
            return Some((Rule::PendingOffsets, "an offset of an undecided transaction is read"));
        }
    }
    too_old.filter(|_| least.is_some_and(|least| place < least))
}

/// The newest commit that was known, by acknowledgement or by a read, as time goes on.
struct Floor {
    known: std::iter::Peekable<std::vec::IntoIter<(u64, usize)>>,
    newest: Option<usize>,
}

impl Floor {
    fn new(facts: &Facts<'_>, places: &HashMap<&str, usize>) -> Self {
        let acknowledged =
            facts.commits.iter().enumerate().filter_map(|(place, made)| Some((made.known()?, place)));
        let read = facts.reads.iter().filter_map(|read| {
            let place = *places.get(read.commit?.metadata.as_str())?;
            // What should not have been read makes no promise.
            let fate = facts.commits.get(place).and_then(|made| made.fate);
            let aborted = fate.is_some_and(|fate| fate.committed() == Some(false));
            (!aborted).then_some((read.completed, place))
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
