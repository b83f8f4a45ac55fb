//! Changes that break the rules on producers: 5, 6 and 7.

use ottla_tests::check::Rule;
use ottla_tests::history::{Answer, Batch, Call, LogDump, Partition, Run, SentBatch, Step, Value};
use ottla_tests::load::Random;

use crate::Change;
use crate::edit::{Place, any, is_ok};
use crate::records::append_again;
use crate::story::{Case, IDEMPOTENT, PLAIN};

pub(crate) const CHANGES: &[(Rule, &str, Change)] = &[
    (
        Rule::ProducerOrder,
        "two acknowledged batches of a producer lie the other way round",
        swapped_acknowledged,
    ),
    (Rule::ProducerOrder, "two batches without acknowledgement lie the other way round", swapped_unknown),
    (Rule::ProducerOrder, "two records of a batch lie the other way round", swapped_records),
    (Rule::NoDuplicates, "a batch of an idempotent producer is there twice", twice),
    (
        Rule::NoDuplicates,
        "a batch that is sent again is acknowledged at another offset",
        acknowledged_elsewhere,
    ),
    (Rule::NoDuplicates, "a batch that is sent again is refused as a duplicate", refused_as_duplicate),
    (Rule::NoDuplicates, "a producer id is given out twice", id_given_twice),
    (Rule::Sequences, "sequence numbers are left out", gap),
    (Rule::Sequences, "a batch of an earlier epoch comes after one of a later", stale_epoch),
    (Rule::Sequences, "an epoch does not begin at 0", epoch_begins_late),
    (Rule::Sequences, "a batch in order is refused as out of order", refused_in_order),
    (Rule::Sequences, "the newest epoch is refused as stale", refused_as_stale),
];

/// Exchanges the values of two batches wherever they are read.
fn exchange(case: &mut Case, partition: Partition, one: Value, other: Value) {
    for batch in case.reads(partition, |_| true) {
        let run = &mut batch.runs[0];
        let value = Value { producer: run.producer, number: run.first };
        if value == one {
            run.first = other.number;
        } else if value == other {
            run.first = one.number;
        }
    }
    let log = case.dump.logs.get_mut(&partition).unwrap();
    let place = |log: &LogDump, value: Value| {
        log.batches
            .iter()
            .position(|batch| batch.runs[0].first == value.number && batch.runs[0].producer == value.producer)
    };
    if let (Some(first), Some(second)) = (place(log, one), place(log, other)) {
        let crc = log.batches[first].crc;
        log.batches[first].crc = log.batches[second].crc;
        log.batches[second].crc = crc;
    }
}

/// Two of these batches that went to one partition and have as many records.
fn pair<T: Clone>(sends: &[(SentBatch, T)], random: &mut Random) -> Option<[(SentBatch, T); 2]> {
    let mut pairs = Vec::new();
    for (place, (one, _)) in sends.iter().enumerate() {
        let alike =
            |(other, _): &&(SentBatch, T)| other.partition == one.partition && other.count == one.count;
        if let Some(other) = sends[place + 1..].iter().find(alike) {
            pairs.push([sends[place].clone(), other.clone()]);
        }
    }
    any(random, pairs)
}

fn value(batch: &SentBatch) -> Value {
    Value { producer: batch.producer, number: batch.first }
}

fn swapped_acknowledged(case: &mut Case, random: &mut Random) -> bool {
    let stable = case.dump.topics[0].id;
    // An acknowledgement of acks=all promises a high watermark, too.
    let sends = case.operations(|call, step| {
        matches!(call, Call::Send(batch) if batch.producer == PLAIN && batch.acks == 1 && batch.partition.topic == stable)
            && is_ok(step)
    });
    let sends: Vec<(SentBatch, Place)> =
        sends.into_iter().map(|place| (case.sent(place).clone(), place)).collect();
    let Some([(one, first), (other, second)]) = pair(&sends, random) else { return false };
    exchange(case, one.partition, value(&one), value(&other));
    let answer = case.answer(first).clone();
    *case.answer(first) = case.answer(second).clone();
    *case.answer(second) = answer;
    true
}

fn swapped_unknown(case: &mut Case, random: &mut Random) -> bool {
    let stable = case.dump.topics[0].id;
    let sends = case.operations(|call, step| {
        matches!(call, Call::Send(batch) if batch.producer == PLAIN && batch.partition.topic == stable)
            && matches!(step, Step::Info { .. })
    });
    let sends: Vec<(SentBatch, ())> = sends.into_iter().map(|place| (case.sent(place).clone(), ())).collect();
    let Some([(one, ()), (other, ())]) = pair(&sends, random) else { return false };
    exchange(case, one.partition, value(&one), value(&other));
    true
}

fn swapped_records(case: &mut Case, random: &mut Random) -> bool {
    let batches = case.unpromised().into_iter().filter(|(_, batch)| batch.runs[0].count >= 2).collect();
    let Some((partition, batch)) = any(random, batches) else { return false };
    let run = batch.runs[0];
    let runs = [
        Run { first: run.first + 1, count: 1, ..run },
        Run { offset: run.offset + 1, count: 1, ..run },
        Run { offset: run.offset + 2, first: run.first + 2, count: run.count - 2, ..run },
    ];
    for read in case.reads(partition, |_| true).into_iter().filter(|read| read.base == batch.base) {
        read.runs = runs.iter().copied().filter(|run| run.count > 0).collect();
    }
    true
}

/// The batches with sequences, each with its log.
fn sequenced(case: &Case) -> Vec<(Partition, Batch)> {
    let logs = case.dump.logs.iter();
    let all = logs.flat_map(|(partition, log)| log.batches.iter().map(|batch| (*partition, batch.clone())));
    all.filter(|(_, batch)| batch.sequence.is_some() && !batch.transactional).collect()
}

fn twice(case: &mut Case, random: &mut Random) -> bool {
    let Some((partition, batch)) = any(random, sequenced(case)) else { return false };
    append_again(case, partition, batch);
    true
}

/// Acknowledged attempts after the first acknowledged one of the same batch.
fn resends(case: &Case) -> Vec<Place> {
    let sends = case.operations(|call, step| {
        matches!(call, Call::Send(batch) if batch.producer == IDEMPOTENT) && is_ok(step)
    });
    let is_again = |place: &Place| {
        sends
            .iter()
            .any(|other| other.end < place.invoke && case.sent(*other).first == case.sent(*place).first)
    };
    sends.iter().copied().filter(is_again).collect()
}

fn acknowledged_elsewhere(case: &mut Case, random: &mut Random) -> bool {
    let Some(place) = any(random, resends(case)) else { return false };
    let Answer::Sent { offset, .. } = case.answer(place) else { return false };
    *offset += 3;
    true
}

fn refused_as_duplicate(case: &mut Case, random: &mut Random) -> bool {
    let Some(place) = any(random, resends(case)) else { return false };
    case.fail_with(place, 46);
    true
}

fn id_given_twice(case: &mut Case, random: &mut Random) -> bool {
    let mut given = case.operations(|call, _| *call == Call::ProducerId);
    if given.len() < 2 {
        return false;
    }
    let first = case.answer(given.remove(0)).clone();
    *case.answer(any(random, given).unwrap()) = first;
    true
}

/// Changes a sequence in a log that has one before it of the same epoch, or none.
fn change_sequence(
    case: &mut Case,
    random: &mut Random,
    begins: bool,
    change: impl FnOnce(&mut Batch),
) -> bool {
    let wanted = |(_, batch): &(Partition, Batch)| {
        let sequence = batch.sequence.unwrap();
        (sequence.first == 0) == begins && sequence.epoch > 0
    };
    let Some((partition, batch)) = any(random, sequenced(case).into_iter().filter(wanted).collect()) else {
        return false;
    };
    let log = case.dump.logs.get_mut(&partition).unwrap();
    change(log.batches.iter_mut().find(|other| other.base == batch.base).unwrap());
    true
}

/// More sequence numbers than any producer of the story uses.
const FAR: i32 = 100_000;

fn gap(case: &mut Case, random: &mut Random) -> bool {
    change_sequence(case, random, false, |batch| batch.sequence.as_mut().unwrap().first += FAR)
}

fn stale_epoch(case: &mut Case, random: &mut Random) -> bool {
    change_sequence(case, random, false, |batch| {
        let sequence = batch.sequence.as_mut().unwrap();
        sequence.epoch -= 1;
        sequence.first += FAR;
    })
}

fn epoch_begins_late(case: &mut Case, random: &mut Random) -> bool {
    change_sequence(case, random, true, |batch| batch.sequence.as_mut().unwrap().first += FAR)
}

fn refused_in_order(case: &mut Case, random: &mut Random) -> bool {
    let Some(place) = any(random, resends(case)) else { return false };
    case.fail_with(place, 45);
    true
}

fn refused_as_stale(case: &mut Case, random: &mut Random) -> bool {
    let Some(place) = any(random, resends(case)) else { return false };
    case.fail_with(place, 47);
    true
}
