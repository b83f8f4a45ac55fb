//! Changes that break the rules on transactions: 11 to 15 and 17.

use std::collections::BTreeSet;

use ottla_tests::check::Rule;
use ottla_tests::history::{Answer, Batch, Call, Commit, Marker, Partition, Step, Transaction};
use ottla_tests::load::Random;

use crate::Change;
use crate::edit::{Place, any, is_ok};
use crate::story::{Case, TRANSACTIONAL, TRANSACTIONS_GROUP};

pub(crate) const CHANGES: &[(Rule, &str, Change)] = &[
    (Rule::StableOffset, "the last stable offset is above an open transaction", stable_too_high),
    (Rule::StableOffset, "the last stable offset stays behind what has ended", stable_too_low),
    (
        Rule::StableOffset,
        "a reader of committed data gets an open transaction's first batch",
        read_past_stable,
    ),
    (Rule::StableOffset, "at last the last stable offset is not the end", stable_behind_at_last),
    (Rule::ReadCommitted, "an aborted transaction is not listed", not_listed),
    (Rule::ReadCommitted, "a committed transaction is listed as aborted", committed_is_listed),
    (Rule::ReadCommitted, "an aborted transaction is listed with another offset", listed_elsewhere),
    (Rule::Atomicity, "a transaction is committed in one partition and aborted in the other", split),
    (Rule::Atomicity, "a transaction that was told to be committed is aborted", told_otherwise),
    (Rule::Atomicity, "a transaction whose end was refused is committed", refused_is_committed),
    (Rule::Atomicity, "an offset that a transaction has committed is gone", offset_gone),
    (Rule::Atomicity, "at last an offset is older than the last transaction's", offset_gone_at_last),
    (Rule::Fencing, "a batch of a producer that was followed is acknowledged", zombie_sends),
    (Rule::Fencing, "the end of a producer that was followed is acknowledged", zombie_ends),
    (Rule::Fencing, "a batch of one transaction lies in the next one", late_batch),
    (Rule::Fencing, "an epoch is given out twice", epoch_again),
    (Rule::Fencing, "a producer id is given to two", id_of_two),
    (Rule::NoneOpen, "a coordinator has an open transaction", open_at_coordinator),
    (Rule::NoneOpen, "a transaction has no marker in a partition", no_marker),
    (Rule::NoneOpen, "a transaction has no marker anywhere", no_markers),
    (Rule::PendingOffsets, "an offset is read before its transaction ends", offset_too_early),
    (Rule::PendingOffsets, "an offset of an aborted transaction is read", aborted_offset),
    (Rule::PendingOffsets, "at last an offset of an aborted transaction is read", aborted_offset_at_last),
];

fn paid(case: &Case, index: i32) -> Partition {
    let topic = case.dump.topics.iter().find(|topic| topic.name == "paid").unwrap();
    Partition { topic: topic.id, index }
}

/// Polls of committed data that fit.
fn polls(case: &Case, fits: impl Fn(&Call, &Answer) -> bool) -> Vec<Place> {
    case.operations(|call, step| match step {
        Step::Ok { answer, .. } => matches!(call, Call::Poll { committed: true, .. }) && fits(call, answer),
        _ => false,
    })
}

fn stable_too_high(case: &mut Case, random: &mut Random) -> bool {
    let open = |_: &Call, answer: &Answer| matches!(answer, Answer::Polled { bounds, .. } if bounds.last_stable < bounds.high_watermark);
    let Some(place) = polls(case, open).pop() else { return false };
    let _ = random;
    // The last poll of an open partition, so that nothing goes back afterwards.
    let Answer::Polled { bounds, batches, .. } = case.answer(place) else { return false };
    bounds.last_stable = bounds.high_watermark;
    // It reads nothing, at the end.
    batches.clear();
    let end = bounds.high_watermark;
    let Step::Invoke { call: Call::Poll { offset, .. }, .. } = &mut case.events[place.invoke].step else {
        return false;
    };
    *offset = end;
    true
}

fn stable_too_low(case: &mut Case, random: &mut Random) -> bool {
    let first = |call: &Call, answer: &Answer| {
        matches!(call, Call::Poll { offset, .. } if *offset > 0)
            && matches!(answer, Answer::Polled { bounds, .. } if bounds.last_stable == bounds.high_watermark)
    };
    let _ = random;
    let Some(place) = polls(case, first).first().copied() else { return false };
    let Call::Poll { partition, offset, .. } = *case.call(place.invoke) else { return false };
    // What was told to be stable before must stay so.
    let before =
        polls(case, |call, _| matches!(call, Call::Poll { partition: other, .. } if *other == partition));
    let told = before.into_iter().take_while(|other| other.end < place.invoke).collect::<Vec<_>>();
    let known = told.into_iter().filter_map(|other| match case.answer(other) {
        Answer::Polled { bounds, .. } => Some(bounds.last_stable),
        _ => None,
    });
    let low = known.max().unwrap_or_default();
    let Answer::Polled { bounds, batches, aborted } = case.answer(place) else { return false };
    bounds.last_stable = low;
    batches.retain(|batch| batch.last < low);
    if batches.is_empty() {
        aborted.clear();
    }
    offset > low || !batches.is_empty()
}

fn read_past_stable(case: &mut Case, random: &mut Random) -> bool {
    let mut places = Vec::new();
    for place in polls(case, |_, _| true) {
        let Call::Poll { partition, .. } = *case.call(place.invoke) else { continue };
        let Answer::Polled { bounds, batches, .. } = case.answer(place).clone() else { continue };
        let Some(last) = batches.last().filter(|_| bounds.last_stable < bounds.high_watermark) else {
            continue;
        };
        let log = &case.dump.logs[&partition].batches;
        let next = log.iter().find(|batch| batch.base == last.last + 1).cloned();
        places.extend(next.filter(|next| next.base == bounds.last_stable).map(|next| (place, next)));
    }
    // One whose transaction commits, and is asked to only later: that it is undecided is rule 12's to say as well.
    let Some((place, next)) = any(random, places) else { return false };
    let Answer::Polled { batches, .. } = case.answer(place) else { return false };
    // A marker has no values, so that only its place is wrong.
    batches.push(Batch {
        marker: Some(Marker { id: 1, epoch: 0, committed: true }),
        sequence: None,
        runs: Vec::new(),
        keys: Vec::new(),
        times: Vec::new(),
        ..next
    });
    true
}

fn stable_behind_at_last(case: &mut Case, random: &mut Random) -> bool {
    let partition = paid(case, i32::from(random.once_in(2)));
    let told =
        polls(case, |call, _| matches!(call, Call::Poll { partition: other, .. } if *other == partition));
    let told = told.into_iter().filter_map(|place| match case.answer(place) {
        Answer::Polled { bounds, .. } => Some(bounds.last_stable),
        _ => None,
    });
    let known = told.max().unwrap_or_default();
    let log = case.dump.logs.get_mut(&partition).unwrap();
    // The log gets one batch more, which nobody has polled.
    let end = log.bounds.high_watermark;
    log.bounds.last_stable = known.min(end - 1);
    known < end
}

fn with_aborted(case: &Case) -> Vec<Place> {
    polls(case, |_, answer| match answer {
        Answer::Polled { batches, aborted, .. } => aborted.iter().any(|one| {
            let of = |batch: &&Batch| batch.sequence.is_some_and(|sequence| sequence.id == one.id);
            batches.iter().filter(of).any(|batch| batch.base == one.first)
        }),
        _ => false,
    })
}

fn not_listed(case: &mut Case, random: &mut Random) -> bool {
    let places = with_aborted(case);
    let Some(place) = any(random, places) else { return false };
    let Answer::Polled { aborted, .. } = case.answer(place) else { return false };
    aborted.clear();
    true
}

fn committed_is_listed(case: &mut Case, random: &mut Random) -> bool {
    let places = polls(case, |_, answer| match answer {
        Answer::Polled { batches, aborted, .. } => {
            aborted.is_empty() && batches.iter().any(|batch| batch.sequence.is_some())
        }
        _ => false,
    });
    let Some(place) = any(random, places) else { return false };
    let Answer::Polled { batches, aborted, .. } = case.answer(place) else { return false };
    let batch = batches.iter().find(|batch| batch.sequence.is_some()).unwrap();
    aborted.push(ottla_tests::history::Aborted { id: batch.sequence.unwrap().id, first: batch.base });
    true
}

fn listed_elsewhere(case: &mut Case, random: &mut Random) -> bool {
    let places = with_aborted(case);
    let Some(place) = any(random, places) else { return false };
    let Answer::Polled { aborted, .. } = case.answer(place) else { return false };
    aborted[0].first += 1;
    true
}

/// A cut takes the end of a partition, from the beginning of an aborted transaction that readers were told of. No other is
/// open there.
pub(crate) fn lost_aborted_tail(case: &mut Case, random: &mut Random) -> bool {
    let mut tails = Vec::new();
    for place in with_aborted(case) {
        let Call::Poll { partition, .. } = *case.call(place.invoke) else { continue };
        let Answer::Polled { aborted, .. } = case.answer(place) else { continue };
        let firsts: Vec<i64> = aborted.iter().map(|one| one.first).collect();
        let log = &case.dump.logs[&partition].batches;
        tails.extend(
            firsts.into_iter().filter(|first| !is_open_before(log, *first)).map(|first| (partition, first)),
        );
    }
    let Some((partition, first)) = any(random, tails) else { return false };
    case.forget_times();
    let log = case.dump.logs.get_mut(&partition).unwrap();
    log.batches.retain(|batch| batch.base < first);
    (log.bounds.last_stable, log.bounds.high_watermark) = (first, first);
    true
}

/// Whether a transaction begins before an offset and ends behind it.
fn is_open_before(log: &[Batch], offset: i64) -> bool {
    let mut open = BTreeSet::new();
    for batch in log.iter().filter(|batch| batch.base < offset) {
        match (batch.marker, batch.sequence) {
            (Some(marker), _) => drop(open.remove(&marker.id)),
            (None, Some(sequence)) if batch.transactional => drop(open.insert(sequence.id)),
            _ => {}
        }
    }
    !open.is_empty()
}

/// The ends of transactions, by how they were answered.
fn ends(case: &Case, wanted: impl Fn(bool, &Step) -> bool) -> Vec<(Place, Transaction)> {
    let fits =
        |call: &Call, step: &Step| matches!(call, Call::End { committed, .. } if wanted(*committed, step));
    let places = case.operations(fits).into_iter();
    places.map(|place| (place, transaction_of(case.call(place.invoke)))).collect()
}

fn transaction_of(call: &Call) -> Transaction {
    match call {
        Call::End { transaction, .. } => *transaction,
        call => panic!("{call:?} ends nothing"),
    }
}

/// The marker of a transaction in a partition: the first of its producer and epoch.
fn marker(case: &mut Case, transaction: Transaction, partition: Partition) -> usize {
    let sends = case.operations(|call, _| {
        matches!(call, Call::Send(batch) if batch.transaction == Some(transaction) && batch.partition == partition)
    });
    let sequence = case.sent(sends[0]).sequence.unwrap();
    let log = &case.dump.logs[&partition].batches;
    let is_it = |batch: &Batch| {
        batch.marker.is_some_and(|marker| (marker.id, marker.epoch) == (sequence.id, sequence.epoch))
    };
    log.iter().position(is_it).unwrap()
}

fn turn(case: &mut Case, transaction: Transaction, index: i32) {
    let partition = paid(case, index);
    let place = marker(case, transaction, partition);
    let log = case.dump.logs.get_mut(&partition).unwrap();
    let marker = log.batches[place].marker.as_mut().unwrap();
    marker.committed = !marker.committed;
    // What readers were given of it is rule 12's.
    for place in polls(case, |_, _| true) {
        case.fail_with(place, 7);
    }
}

fn split(case: &mut Case, random: &mut Random) -> bool {
    let unknown = ends(case, |_, step| matches!(step, Step::Info { .. }));
    let unknown = unknown.into_iter().filter(|(_, transaction)| transaction.0 >> 32 == 2).collect();
    let Some((_, transaction)) = any(random, unknown) else { return false };
    turn(case, transaction, i32::from(random.once_in(2)));
    true
}

fn told_otherwise(case: &mut Case, random: &mut Random) -> bool {
    let told = ends(case, |_, step| is_ok(step));
    let told = told.into_iter().filter(|(_, transaction)| transaction.0 >> 32 == 2).collect();
    let Some((_, transaction)) = any(random, told) else { return false };
    turn(case, transaction, 0);
    turn(case, transaction, 1);
    true
}

fn refused_is_committed(case: &mut Case, random: &mut Random) -> bool {
    let unknown = ends(case, |committed, step| committed && matches!(step, Step::Info { .. }));
    let unknown = unknown.into_iter().filter(|(_, transaction)| transaction.0 >> 32 == 2).collect();
    let Some((place, _)) = any(random, unknown) else { return false };
    case.fail_with(place, 47);
    for place in polls(case, |_, _| true) {
        case.fail_with(place, 7);
    }
    true
}

/// The offsets that transactions commit: the operation, what it commits, and its transaction.
fn commits(case: &Case) -> Vec<(Place, Commit, Transaction)> {
    let places = case.operations(|call, _| matches!(call, Call::Commit { transaction: Some(_), .. }));
    let all = places.into_iter().map(|place| match case.call(place.invoke) {
        Call::Commit { commit, transaction: Some(transaction), .. } => (place, commit.clone(), *transaction),
        call => panic!("{call:?} commits nothing within a transaction"),
    });
    all.collect()
}

fn offset_reads(case: &Case) -> Vec<Place> {
    case.operations(|call, step| {
        matches!(call, Call::Committed { group, .. } if group == TRANSACTIONS_GROUP) && is_ok(step)
    })
}

fn offset_gone(case: &mut Case, random: &mut Random) -> bool {
    let reads = offset_reads(case);
    let something = reads.into_iter().filter(|place| {
        matches!(&case.events[place.end].step, Step::Ok { answer: Answer::Committed(Some(_)), .. })
    });
    // Of the later ones each has an acknowledged end before it.
    let later = something.skip(4).collect();
    let Some(place) = any(random, later) else { return false };
    *case.answer(place) = Answer::Committed(None);
    true
}

fn last_commit(case: &mut Case) -> &mut Option<Commit> {
    let found = case.dump.committed.iter_mut().find(|(group, ..)| group == TRANSACTIONS_GROUP);
    &mut found.unwrap().2
}

fn offset_gone_at_last(case: &mut Case, random: &mut Random) -> bool {
    let _ = random;
    let first = commits(case).remove(0).1;
    *last_commit(case) = Some(first);
    true
}

/// Makes an acknowledged batch of the second producer one of the epoch before.
fn zombie_sends(case: &mut Case, random: &mut Random) -> bool {
    let sends = case.operations(|call, step| {
        matches!(call, Call::Send(batch) if batch.producer == TRANSACTIONAL[1] && batch.transaction.is_some())
            && is_ok(step)
    });
    let Some(last) = sends.last().copied() else { return false };
    let _ = random;
    let batch = case.sent(last).clone();
    let sequence = batch.sequence.unwrap();
    // Somebody has followed the producer just before.
    let call = Call::Producer { transactional: "producer-1".to_owned() };
    let answer = Answer::Producer { id: sequence.id, epoch: sequence.epoch + 100 };
    insert(case, last.invoke, call, |operation| Step::Ok { operation, answer });
    true
}

/// Puts an operation before an event, between it and the one before.
fn insert(case: &mut Case, place: usize, call: Call, end: impl FnOnce(u64) -> Step) {
    let operation = 1 << 40;
    let (at, client) = (case.events[place].at, case.events[place].client);
    let event = |step| ottla_tests::history::Event { at: at - 1, client, step };
    case.events.insert(place, event(end(operation)));
    case.events.insert(place, event(Step::Invoke { operation, call }));
}

fn zombie_ends(case: &mut Case, random: &mut Random) -> bool {
    let refused = ends(case, |_, step| matches!(step, Step::Fail { .. }));
    let Some((place, _)) = any(random, refused) else { return false };
    let Call::End { id, epoch, .. } = *case.call(place.invoke) else { return false };
    case.end_with(place, |operation| Step::Ok { operation, answer: Answer::Ended { id, epoch } });
    true
}

fn late_batch(case: &mut Case, random: &mut Random) -> bool {
    // The second producer's transactions with the same outcome, one after the other.
    let done = ends(case, |committed, step| committed && is_ok(step));
    let done: Vec<Transaction> =
        done.into_iter().map(|(_, one)| one).filter(|one| one.0 >> 32 == 2).collect();
    let pairs: Vec<_> =
        done.windows(2).filter(|pair| pair[1].0 == pair[0].0 + 1).map(|pair| pair[1]).collect();
    let Some(next) = any(random, pairs) else { return false };
    let partition = paid(case, 0);
    for event in &mut case.events {
        if let Step::Invoke { call: Call::Send(batch), .. } = &mut event.step
            && batch.transaction == Some(next)
            && batch.partition == partition
        {
            batch.transaction = Some(Transaction(next.0 - 1));
        }
    }
    true
}

fn producers(case: &Case) -> Vec<Place> {
    case.operations(|call, step| matches!(call, Call::Producer { .. }) && is_ok(step))
}

fn epoch_again(case: &mut Case, random: &mut Random) -> bool {
    let _ = random;
    let Some(place) = producers(case).pop() else { return false };
    let Answer::Producer { epoch, .. } = case.answer(place) else { return false };
    *epoch = 1;
    true
}

fn id_of_two(case: &mut Case, random: &mut Random) -> bool {
    let _ = random;
    let Some(place) = producers(case).pop() else { return false };
    let Answer::Producer { id, .. } = case.answer(place) else { return false };
    *id = 1001;
    true
}

fn open_at_coordinator(case: &mut Case, random: &mut Random) -> bool {
    let _ = random;
    case.dump.open.push("producer-0 in Ongoing".to_owned());
    true
}

fn without_markers(case: &mut Case, random: &mut Random, partitions: std::ops::Range<i32>) -> bool {
    let _ = random;
    let last = ends(case, |_, _| true).into_iter().rfind(|(_, transaction)| transaction.0 >> 32 == 2);
    let Some((_, transaction)) = last else { return false };
    for index in partitions {
        let partition = paid(case, index);
        let place = marker(case, transaction, partition);
        let log = case.dump.logs.get_mut(&partition).unwrap();
        // Something else is there, so that no offset is missing.
        let removed = &mut log.batches[place];
        removed.marker = Some(Marker { id: -2, ..removed.marker.unwrap() });
    }
    for place in polls(case, |_, _| true) {
        case.fail_with(place, 7);
    }
    true
}

fn no_marker(case: &mut Case, random: &mut Random) -> bool {
    without_markers(case, random, 0..1)
}

fn no_markers(case: &mut Case, random: &mut Random) -> bool {
    without_markers(case, random, 0..2)
}

/// The first read behind a commit within a transaction, which comes before the end.
fn offset_too_early(case: &mut Case, random: &mut Random) -> bool {
    let committed = ends(case, |committed, _| committed);
    let mut changes = Vec::new();
    for (place, commit, transaction) in commits(case) {
        let read = offset_reads(case).into_iter().find(|read| read.invoke > place.end);
        if committed.iter().any(|(_, one)| *one == transaction) {
            changes.extend(read.map(|read| (read, commit)));
        }
    }
    let Some((read, commit)) = any(random, changes) else { return false };
    *case.answer(read) = Answer::Committed(Some(commit));
    true
}

fn aborted_commits(case: &Case) -> Vec<(Place, Commit)> {
    let aborted = ends(case, |committed, _| !committed);
    let all = commits(case).into_iter();
    let of_aborted = all.filter(|(.., transaction)| aborted.iter().any(|(_, one)| one == transaction));
    of_aborted.map(|(place, commit, _)| (place, commit)).collect()
}

fn aborted_offset(case: &mut Case, random: &mut Random) -> bool {
    let Some((place, commit)) = any(random, aborted_commits(case)) else { return false };
    let Some(read) = offset_reads(case).into_iter().find(|read| read.invoke > place.end) else {
        return false;
    };
    *case.answer(read) = Answer::Committed(Some(commit));
    true
}

fn aborted_offset_at_last(case: &mut Case, random: &mut Random) -> bool {
    let _ = random;
    let Some((_, commit)) = aborted_commits(case).pop() else { return false };
    *last_commit(case) = Some(commit);
    true
}
