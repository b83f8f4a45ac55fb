//! Changes that break the rule on committed offsets: 16.

use std::collections::HashSet;

use ottla_tests::check::Rule;
use ottla_tests::history::{Answer, Call, Commit, Partition, Step};
use ottla_tests::load::Random;

use crate::Change;
use crate::edit::{Place, any, is_ok};
use crate::story::{Case, TRANSACTIONS_GROUP};

pub(crate) const CHANGES: &[(Rule, &str, Change)] = &[
    (Rule::CommittedOffsets, "an older commit is read", stale),
    (Rule::CommittedOffsets, "a committed offset is gone", gone),
    (Rule::CommittedOffsets, "a committed offset is 0", zero),
    (Rule::CommittedOffsets, "a commit is read with other metadata", other_metadata),
    (Rule::CommittedOffsets, "at last nothing is committed", gone_at_last),
    (Rule::CommittedOffsets, "a refused commit is read", refused),
];

/// Reads of something, with what they read.
fn reads(case: &mut Case) -> Vec<(Place, Commit)> {
    let places = case.operations(|call, step| {
        matches!(call, Call::Committed { group, .. } if group != TRANSACTIONS_GROUP)
            && matches!(step, Step::Ok { answer: Answer::Committed(Some(_)), .. })
    });
    let read = |place: Place| match case.answer(place) {
        Answer::Committed(Some(commit)) => Some((place, commit.clone())),
        _ => None,
    };
    places.into_iter().filter_map(read).collect()
}

fn register(call: &Call) -> Option<(&str, Partition)> {
    match call {
        Call::Commit { group, partition, .. } | Call::Committed { group, partition } => {
            Some((group, *partition))
        }
        _ => None,
    }
}

/// Reads before which a commit of the same register was acknowledged.
fn promised(case: &mut Case) -> Vec<(Place, Commit)> {
    let reads = reads(case);
    let commits = case.operations(|call, step| matches!(call, Call::Commit { .. }) && is_ok(step));
    let is_promised = |(place, _): &(Place, Commit)| {
        let wanted = register(case.call(place.invoke));
        commits.iter().any(|commit| commit.end < place.invoke && register(case.call(commit.invoke)) == wanted)
    };
    reads.into_iter().filter(is_promised).collect()
}

fn stale(case: &mut Case, random: &mut Random) -> bool {
    let reads = reads(case);
    let commits = case.operations(|call, step| matches!(call, Call::Commit { .. }) && is_ok(step));
    let mut changes = Vec::new();
    for (place, _) in reads {
        let wanted = register(case.call(place.invoke));
        let of_register =
            |commit: &&Place| commit.end < place.invoke && register(case.call(commit.invoke)) == wanted;
        let before: Vec<&Place> = commits.iter().filter(of_register).collect();
        if let [first, .., _] = before.as_slice() {
            changes.push((place, first.invoke));
        }
    }
    let Some((place, first)) = any(random, changes) else { return false };
    let Call::Commit { commit, .. } = case.call(first).clone() else { return false };
    *case.answer(place) = Answer::Committed(Some(commit));
    true
}

fn gone(case: &mut Case, random: &mut Random) -> bool {
    let reads = promised(case);
    let Some((place, _)) = any(random, reads) else { return false };
    *case.answer(place) = Answer::Committed(None);
    true
}

fn zero(case: &mut Case, random: &mut Random) -> bool {
    let reads = promised(case);
    let Some((place, commit)) = any(random, reads) else { return false };
    *case.answer(place) = Answer::Committed(Some(Commit { offset: 0, metadata: String::new(), ..commit }));
    true
}

fn other_metadata(case: &mut Case, random: &mut Random) -> bool {
    let reads = reads(case);
    let Some((place, mut commit)) = any(random, reads) else { return false };
    commit.metadata.pop();
    *case.answer(place) = Answer::Committed(Some(commit));
    true
}

pub(crate) fn gone_at_last(case: &mut Case, random: &mut Random) -> bool {
    let commits = case.operations(|call, step| matches!(call, Call::Commit { .. }) && is_ok(step));
    let promised: HashSet<(String, Partition)> = commits
        .iter()
        .filter_map(|place| register(case.call(place.invoke)))
        .map(|(group, partition)| (group.to_owned(), partition))
        .collect();
    let committed = &mut case.dump.committed;
    let kept = (0..committed.len()).filter(|place| {
        let (group, partition, _) = &committed[*place];
        promised.contains(&(group.clone(), *partition)) && group != TRANSACTIONS_GROUP
    });
    let Some(place) = any(random, kept.collect()) else { return false };
    committed[place].2 = None;
    true
}

fn refused(case: &mut Case, random: &mut Random) -> bool {
    let refused = case
        .operations(|call, step| matches!(call, Call::Commit { .. }) && matches!(step, Step::Fail { .. }));
    let mut changes = Vec::new();
    for (place, _) in reads(case) {
        let wanted = register(case.call(place.invoke));
        let same = |other: &&Place| other.end < place.invoke && register(case.call(other.invoke)) == wanted;
        // The newest, so that it is not an older one as well.
        changes.extend(refused.iter().rfind(same).map(|other| (place, other.invoke)));
    }
    let Some((place, made)) = any(random, changes) else { return false };
    let Call::Commit { commit, .. } = case.call(made).clone() else { return false };
    *case.answer(place) = Answer::Committed(Some(commit));
    true
}
