//! Changes that break the rules on records: 1 to 4, 8, 9, 10 and 22.

use ottla_tests::check::Rule;
use ottla_tests::history::{Answer, Batch, BrokerStep, Call, Partition, Run, SentBatch, Step, UNREADABLE};
use ottla_tests::load::Random;

use crate::Change;
use crate::edit::{Place, any, is_ok};
use crate::story::{Case, LOSER, PLAIN, REFUSED};

pub(crate) const CHANGES: &[(Rule, &str, Change)] = &[
    (Rule::AckedDurability, "the acknowledged end of a log is gone", lost_tail),
    (Rule::AckedDurability, "an acknowledged batch holds other values", replaced_tail),
    (Rule::AckedDurability, "a batch has another CRC", other_crc),
    (Rule::AckedDurability, "compaction took the last record of a key", lost_key),
    (Rule::OneValue, "a poll reads another value than the polls around it", another_poll),
    (Rule::OneValue, "the final log holds another value than was polled just before", other_than_polled),
    (Rule::OneValue, "two batches are acknowledged at one offset", two_acknowledged),
    (Rule::Dense, "a batch is left out of the log", left_out),
    (Rule::Dense, "a batch ends later than the next one begins", overlapping),
    (Rule::Dense, "a batch has no record at its last offset", cut_batch),
    (Rule::Dense, "the high watermark is above the last batch", high_watermark_ahead),
    (Rule::NoReuse, "after a kill the log holds another value than was polled", reused_in_log),
    (Rule::NoReuse, "after a kill polls and log hold another value", reused_everywhere),
    (Rule::NoReuse, "before a kill a value was polled that was never there again", gone_after_kill),
    (Rule::NoAborted, "a refused send is read", refused_is_read),
    (Rule::NoAborted, "bytes are read that nobody sent", unreadable),
    (Rule::NoAborted, "a batch that was sent once is there twice", plain_twice),
    (Rule::BatchComplete, "a fetch begins after its offset", begins_late),
    (Rule::BatchComplete, "a fetch leaves a batch out", leaves_out),
    (Rule::BatchComplete, "a fetch below the high watermark gets nothing", gets_nothing),
    (Rule::BatchComplete, "an offset that was there is out of range", out_of_range),
    (Rule::Bounds, "the high watermark falls", high_watermark_falls),
    (Rule::Bounds, "the last stable offset is above the high watermark", unordered),
    (Rule::Bounds, "a batch is read at the high watermark", read_too_far),
    (Rule::Bounds, "the log start goes back", log_start_falls),
    (Rule::Bounds, "a batch is acknowledged below the log start", below_log_start),
    (Rule::TimeLookup, "a time is found one record late", found_late),
    (Rule::TimeLookup, "a time is not found", not_found),
    (Rule::TimeLookup, "a time was found where there is an earlier record", found_late_before),
    (Rule::TimeLookup, "a time whose record was acknowledged was not found", not_found_before),
];

/// The batches at the ends of the stable logs, which only their acknowledgement promises.
fn tail(case: &Case, random: &mut Random) -> Option<Partition> {
    let with_tail = |partition: &Partition| {
        let run = case.dump.logs[partition].batches.last().and_then(|batch| batch.runs.first());
        run.is_some_and(|run| run.producer == PLAIN) && partition.topic == case.dump.topics[0].id
    };
    any(random, case.dump.logs.keys().copied().filter(with_tail).collect())
}

pub(crate) fn lost_tail(case: &mut Case, random: &mut Random) -> bool {
    let Some(partition) = tail(case, random) else { return false };
    case.forget_times();
    let log = case.dump.logs.get_mut(&partition).unwrap();
    let batch = log.batches.pop().unwrap();
    (log.bounds.last_stable, log.bounds.high_watermark) = (batch.base, batch.base);
    true
}

fn replaced_tail(case: &mut Case, random: &mut Random) -> bool {
    let Some(partition) = tail(case, random) else { return false };
    let batch = case.dump.logs[&partition].batches.last().unwrap().clone();
    let Some(run) = case.foreign(LOSER, partition, &batch) else { return false };
    case.dump.logs.get_mut(&partition).unwrap().batches.last_mut().unwrap().runs = vec![run];
    true
}

fn other_crc(case: &mut Case, random: &mut Random) -> bool {
    let Some(partition) = tail(case, random) else { return false };
    case.dump.logs.get_mut(&partition).unwrap().batches.last_mut().unwrap().crc ^= 1;
    true
}

fn lost_key(case: &mut Case, random: &mut Random) -> bool {
    case.forget_times();
    let table = case.dump.topics[1].id;
    let log = case.dump.logs.get_mut(&Partition { topic: table, index: 0 }).unwrap();
    let place = random.index(log.batches.len());
    log.batches.remove(place);
    true
}

/// A batch that only reads promise, such that `wanted` of the places of the polls that read it and of the last kill.
fn unpromised(
    case: &Case,
    random: &mut Random,
    wanted: impl Fn(&[usize], usize) -> bool,
) -> Option<(Partition, Batch)> {
    let last_kill = *case.broker_steps(BrokerStep::Killed).last().unwrap();
    let fits = |(partition, batch): &(Partition, Batch)| {
        case.foreign(LOSER, *partition, batch).is_some()
            && wanted(&case.polls_of(*partition, batch.base), last_kill)
    };
    any(random, case.unpromised().into_iter().filter(fits).collect())
}

/// Puts a run in place of a batch, in all reads with such ends.
fn put(case: &mut Case, partition: Partition, run: Run, ends: impl Fn(usize) -> bool) {
    for batch in case.reads(partition, ends).into_iter().filter(|batch| batch.base == run.offset) {
        batch.runs = vec![run];
    }
}

fn another_poll(case: &mut Case, random: &mut Random) -> bool {
    let all_late = |polls: &[usize], kill: usize| !polls.is_empty() && polls[0] > kill;
    let Some((partition, batch)) = unpromised(case, random, all_late) else { return false };
    let run = case.foreign(LOSER, partition, &batch).unwrap();
    let polls = case.polls_of(partition, batch.base);
    let poll = any(random, polls).unwrap();
    put(case, partition, run, |end| end == poll);
    true
}

fn other_than_polled(case: &mut Case, random: &mut Random) -> bool {
    let some_late = |polls: &[usize], kill: usize| polls.last().is_some_and(|poll| *poll > kill);
    let Some((partition, batch)) = unpromised(case, random, some_late) else { return false };
    let run = case.foreign(LOSER, partition, &batch).unwrap();
    put(case, partition, run, |end| end == usize::MAX);
    true
}

fn two_acknowledged(case: &mut Case, random: &mut Random) -> bool {
    let exists = case.dump.topics.iter().map(|topic| topic.id).collect::<Vec<_>>();
    let of_deleted = |batch: &SentBatch| !exists.contains(&batch.partition.topic);
    let sends =
        case.operations(|call, step| matches!(call, Call::Send(batch) if of_deleted(batch)) && is_ok(step));
    let [first, .., last] = sends.as_slice() else { return false };
    let _ = random;
    let earlier = case.answer(*first).clone();
    *case.answer(*last) = earlier;
    true
}

fn left_out(case: &mut Case, random: &mut Random) -> bool {
    let in_middle = |polls: &[usize], _| polls.is_empty();
    let Some((partition, batch)) = unpromised(case, random, in_middle) else { return false };
    case.forget_times();
    case.dump.logs.get_mut(&partition).unwrap().batches.retain(|other| other.base != batch.base);
    true
}

fn overlapping(case: &mut Case, random: &mut Random) -> bool {
    let Some((partition, batch)) = unpromised(case, random, |_, _| true) else { return false };
    let log = case.dump.logs.get_mut(&partition).unwrap();
    log.batches.iter_mut().find(|other| other.base == batch.base).unwrap().last += 1;
    true
}

fn cut_batch(case: &mut Case, random: &mut Random) -> bool {
    let Some((partition, batch)) = unpromised(case, random, |_, _| true) else { return false };
    case.forget_times();
    let log = case.dump.logs.get_mut(&partition).unwrap();
    let batch = log.batches.iter_mut().find(|other| other.base == batch.base).unwrap();
    batch.runs[0].count -= 1;
    true
}

fn high_watermark_ahead(case: &mut Case, random: &mut Random) -> bool {
    let Some(partition) = tail(case, random) else { return false };
    let bounds = &mut case.dump.logs.get_mut(&partition).unwrap().bounds;
    bounds.high_watermark += 1;
    bounds.last_stable += 1;
    true
}

fn reused_in_log(case: &mut Case, random: &mut Random) -> bool {
    let only_before = |polls: &[usize], kill: usize| polls.last().is_some_and(|poll| *poll < kill);
    let Some((partition, batch)) = unpromised(case, random, only_before) else { return false };
    let run = case.foreign(LOSER, partition, &batch).unwrap();
    put(case, partition, run, |end| end == usize::MAX);
    true
}

fn reused_everywhere(case: &mut Case, random: &mut Random) -> bool {
    let both = |polls: &[usize], kill: usize| polls.iter().any(|poll| *poll < kill);
    let Some((partition, batch)) = unpromised(case, random, both) else { return false };
    let run = case.foreign(LOSER, partition, &batch).unwrap();
    let last_kill = *case.broker_steps(BrokerStep::Killed).last().unwrap();
    put(case, partition, run, |end| end > last_kill);
    true
}

fn gone_after_kill(case: &mut Case, random: &mut Random) -> bool {
    let both = |polls: &[usize], kill: usize| polls.iter().any(|poll| *poll < kill);
    let Some((partition, batch)) = unpromised(case, random, both) else { return false };
    let run = case.foreign(LOSER, partition, &batch).unwrap();
    let last_kill = *case.broker_steps(BrokerStep::Killed).last().unwrap();
    put(case, partition, run, |end| end < last_kill);
    true
}

fn refused_is_read(case: &mut Case, random: &mut Random) -> bool {
    let Some((partition, batch)) = unpromised(case, random, |_, _| true) else { return false };
    let Some(run) = case.foreign(REFUSED, partition, &batch) else { return false };
    put(case, partition, run, |_| true);
    true
}

fn unreadable(case: &mut Case, random: &mut Random) -> bool {
    let Some((partition, batch)) = unpromised(case, random, |_, _| true) else { return false };
    let (producer, first) = (UNREADABLE.producer, UNREADABLE.number);
    put(case, partition, Run { offset: batch.base, producer, first, count: batch.runs[0].count }, |_| true);
    true
}

fn plain_twice(case: &mut Case, random: &mut Random) -> bool {
    let Some((partition, batch)) = unpromised(case, random, |_, _| true) else { return false };
    append_again(case, partition, batch);
    true
}

/// Appends a batch of a log to it once more.
pub(crate) fn append_again(case: &mut Case, partition: Partition, mut batch: Batch) {
    let log = case.dump.logs.get_mut(&partition).unwrap();
    let base = log.bounds.high_watermark;
    batch.last = base + (batch.last - batch.base);
    (batch.base, batch.runs[0].offset) = (base, base);
    (log.bounds.last_stable, log.bounds.high_watermark) = (batch.last + 1, batch.last + 1);
    log.batches.push(batch);
}

/// Polls of stable topics that gave at least so many batches.
fn polls(case: &mut Case, batches_min: usize) -> Vec<Place> {
    let stable = case.dump.topics[0].id;
    case.operations(|call, step| {
        let of_stable = matches!(call, Call::Poll { partition, .. } if partition.topic == stable);
        of_stable
            && matches!(step, Step::Ok { answer: Answer::Polled { batches, .. }, .. } if batches.len() >= batches_min)
    })
}

fn with_poll(
    case: &mut Case,
    random: &mut Random,
    batches_min: usize,
    change: impl FnOnce(&mut Answer),
) -> bool {
    let polls = polls(case, batches_min);
    let Some(place) = any(random, polls) else { return false };
    change(case.answer(place));
    true
}

fn begins_late(case: &mut Case, random: &mut Random) -> bool {
    with_poll(case, random, 2, |answer| {
        let Answer::Polled { batches, .. } = answer else { return };
        batches.remove(0);
    })
}

fn leaves_out(case: &mut Case, random: &mut Random) -> bool {
    with_poll(case, random, 3, |answer| {
        let Answer::Polled { batches, .. } = answer else { return };
        batches.remove(1);
    })
}

fn gets_nothing(case: &mut Case, random: &mut Random) -> bool {
    with_poll(case, random, 1, |answer| {
        let Answer::Polled { batches, .. } = answer else { return };
        batches.clear();
    })
}

fn out_of_range(case: &mut Case, random: &mut Random) -> bool {
    // The first polls have nothing before them that tells how far the log went.
    let late = polls(case, 1).split_off(polls(case, 1).len() / 2);
    let Some(place) = any(random, late) else { return false };
    let Call::Poll { partition, offset, .. } = *case.call(place.invoke) else { return false };
    let told = case.operations(|call, step| {
        let above = matches!(step, Step::Ok { answer: Answer::Polled { bounds, .. }, .. } if bounds.high_watermark >= offset);
        matches!(call, Call::Poll { partition: other, .. } if *other == partition) && above
    });
    if told.first().is_none_or(|first| first.end >= place.invoke) {
        return false;
    }
    case.fail_with(place, 1);
    true
}

fn high_watermark_falls(case: &mut Case, random: &mut Random) -> bool {
    // A poll that gave less than there was, after another that told how much there was.
    let told = |case: &Case, place: Place| match &case.events[place.end].step {
        Step::Ok { answer: Answer::Polled { bounds, batches, .. }, .. } => {
            (bounds.high_watermark, batches.last().unwrap().last + 1)
        }
        step => panic!("{step:?} is no poll"),
    };
    let polls = polls(case, 1);
    let falls = |place: &Place| {
        let (_, end) = told(case, *place);
        let Call::Poll { partition: wanted, .. } = case.call(place.invoke) else { return false };
        polls.iter().any(|other| {
            let same = matches!(case.call(other.invoke), Call::Poll { partition, .. } if partition == wanted);
            same && other.end < place.invoke && told(case, *other).0 > end
        })
    };
    let Some(place) = any(random, polls.iter().copied().filter(falls).collect()) else { return false };
    let (_, lower) = told(case, place);
    let Answer::Polled { bounds, .. } = case.answer(place) else { return false };
    (bounds.last_stable, bounds.high_watermark) = (lower, lower);
    true
}

fn unordered(case: &mut Case, random: &mut Random) -> bool {
    with_poll(case, random, 1, |answer| {
        let Answer::Polled { bounds, .. } = answer else { return };
        bounds.last_stable = bounds.high_watermark + 1;
    })
}

fn read_too_far(case: &mut Case, random: &mut Random) -> bool {
    with_poll(case, random, 1, |answer| {
        let Answer::Polled { bounds, batches, .. } = answer else { return };
        let last = batches.last().unwrap().last;
        (bounds.last_stable, bounds.high_watermark) = (last, last);
    })
}

fn log_start_falls(case: &mut Case, random: &mut Random) -> bool {
    let _ = random;
    let Some(place) = polls(case, 1).first().copied() else { return false };
    let Answer::Polled { bounds, .. } = case.answer(place) else { return false };
    bounds.log_start = 1.min(bounds.last_stable);
    true
}

fn below_log_start(case: &mut Case, random: &mut Random) -> bool {
    let is_plain = |call: &Call| matches!(call, Call::Send(send) if send.sequence.is_none());
    let sends = case.operations(|call, step| is_plain(call) && is_ok(step));
    let Some(place) = any(random, sends) else { return false };
    let Answer::Sent { offset, log_start } = case.answer(place) else { return false };
    *log_start = *offset + 1;
    true
}

/// What was found at last in a log that is not compacted.
fn found_at_last(case: &Case, random: &mut Random) -> Option<usize> {
    let stable = case.dump.topics[0].id;
    let is_found = |place: &usize| {
        let (partition, _, found) = &case.dump.found[*place];
        partition.topic == stable && found.is_some()
    };
    any(random, (0..case.dump.found.len()).filter(is_found).collect())
}

fn found_late(case: &mut Case, random: &mut Random) -> bool {
    let Some(place) = found_at_last(case, random) else { return false };
    case.dump.found[place].2.as_mut().unwrap().offset += 1;
    true
}

fn not_found(case: &mut Case, random: &mut Random) -> bool {
    let Some(place) = found_at_last(case, random) else { return false };
    case.dump.found[place].2 = None;
    true
}

fn not_found_before(case: &mut Case, random: &mut Random) -> bool {
    let finds = case.operations(|call, step| {
        matches!(call, Call::Find { .. }) && matches!(step, Step::Ok { answer: Answer::Found(Some(_)), .. })
    });
    let mut changes = Vec::new();
    for place in finds {
        let Call::Find { partition, .. } = *case.call(place.invoke) else { continue };
        let Answer::Found(Some(found)) = case.answer(place).clone() else { continue };
        let holds = |batch: &SentBatch, step: &Step| match step {
            Step::Ok { answer: Answer::Sent { offset, .. }, .. } => {
                let records = *offset..*offset + i64::from(batch.count);
                batch.partition == partition && batch.acks == -1 && records.contains(&found.offset)
            }
            _ => false,
        };
        let promised = case.operations(|call, step| matches!(call, Call::Send(batch) if holds(batch, step)));
        if promised.first().is_some_and(|promise| promise.end < place.invoke) {
            changes.push(place);
        }
    }
    let Some(place) = any(random, changes) else { return false };
    *case.answer(place) = Answer::Found(None);
    true
}

fn found_late_before(case: &mut Case, random: &mut Random) -> bool {
    let finds = case.operations(|call, step| {
        matches!(call, Call::Find { .. }) && matches!(step, Step::Ok { answer: Answer::Found(Some(_)), .. })
    });
    let Some(place) = any(random, finds) else { return false };
    let Answer::Found(Some(found)) = case.answer(place) else { return false };
    found.offset += 1;
    true
}
