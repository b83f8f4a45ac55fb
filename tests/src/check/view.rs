//! The facts, sorted by partition, as the rules want them.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::transactions::Transactions;
use crate::history::{
    Aborted, Answer, Batch, Bounds, BrokerStep, Call, Dump, Found, History, LogDump, Operation, Outcome,
    Partition, SentBatch, TopicId, Value,
};

const NANOSECONDS_PER_MS: u64 = 1_000_000;

/// All facts.
pub(super) struct View<'a> {
    pub(super) partitions: BTreeMap<Partition, Facts<'a>>,
    pub(super) kills: Kills,
    pub(super) transactions: Transactions<'a>,
    /// The cut of the power, if there was one.
    pub(super) cut: Option<Cut>,
}

/// What is known about one partition.
#[derive(Default)]
pub(super) struct Facts<'a> {
    /// Every batch that was sent, each time it was, in the order of time.
    pub(super) sends: Vec<Attempt<'a>>,
    /// Every read, in the order of time.
    pub(super) polls: Vec<Poll<'a>>,
    /// Every lookup of a time, in the order of time.
    pub(super) finds: Vec<(&'a Operation, i64)>,
    /// The log as it was at last; none when its topic does not exist any more.
    pub(super) log: Option<&'a LogDump>,
    /// Lookups of times in the log as it was at last.
    pub(super) last_finds: Vec<(i64, Option<Found>)>,
    /// Whether records may go when a later one has their key.
    pub(super) compacted: bool,
    /// Whether the oldest records may go.
    pub(super) expires: bool,
    /// Every deletion of records by their offsets, in the order of time.
    pub(super) trims: Vec<(&'a Operation, i64)>,
    /// The cut of the power, if there was one.
    pub(super) cut: Option<Cut>,
}

/// A cut of the power that may have taken something.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cut {
    /// What was acknowledged before is sure to be there.
    pub(super) sure_until: u64,
    /// When it was.
    pub(super) at: u64,
}

/// A batch that was sent.
#[derive(Clone, Copy)]
pub(super) struct Attempt<'a> {
    pub(super) operation: &'a Operation,
    pub(super) batch: &'a SentBatch,
}

impl Attempt<'_> {
    /// The offset that the broker gave it.
    pub(super) fn offset(&self) -> Option<i64> {
        match self.operation.answer() {
            Some(Answer::Sent { offset, .. }) => Some(*offset),
            _ => None,
        }
    }

    /// What all attempts of one batch have in common.
    pub(super) fn value(&self) -> Value {
        Value { producer: self.batch.producer, number: self.batch.first }
    }
}

/// A read.
#[derive(Clone, Copy)]
pub(super) struct Poll<'a> {
    pub(super) operation: &'a Operation,
    pub(super) offset: i64,
    /// Whether only what is committed was wanted.
    pub(super) committed: bool,
    /// The aborted transactions that the answer lists.
    pub(super) aborted: &'a [Aborted],
    /// What was read; none when the broker refused.
    pub(super) read: Option<(&'a Bounds, &'a [Batch])>,
}

impl<'a> View<'a> {
    pub(super) fn new(history: &'a History, dump: &'a Dump) -> Self {
        let mut partitions: BTreeMap<Partition, Facts<'a>> = BTreeMap::new();
        for operation in &history.operations {
            match &operation.call {
                Call::Send(batch) => {
                    partitions.entry(batch.partition).or_default().sends.push(Attempt { operation, batch });
                }
                Call::Poll { partition, offset, committed } => {
                    let (read, aborted) = match operation.answer() {
                        Some(Answer::Polled { bounds, batches, aborted }) => {
                            (Some((bounds, batches.as_slice())), aborted.as_slice())
                        }
                        _ => (None, [].as_slice()),
                    };
                    let poll = Poll { operation, offset: *offset, committed: *committed, aborted, read };
                    partitions.entry(*partition).or_default().polls.push(poll);
                }
                Call::Find { partition, time } => {
                    partitions.entry(*partition).or_default().finds.push((operation, *time));
                }
                Call::Trim { partition, before } => {
                    partitions.entry(*partition).or_default().trims.push((operation, *before));
                }
                _ => {}
            }
        }
        for (partition, log) in &dump.logs {
            partitions.entry(*partition).or_default().log = Some(log);
        }
        for (partition, time, found) in &dump.found {
            partitions.entry(*partition).or_default().last_finds.push((*time, *found));
        }
        let (compacted, expires) = policies(history);
        let cut = power_cut(history);
        for (partition, facts) in &mut partitions {
            facts.compacted = compacted.contains(&partition.topic);
            facts.expires = expires.contains(&partition.topic);
            facts.cut = cut;
        }
        let transactions = Transactions::new(history, dump);
        Self { partitions, kills: Kills::new(history), transactions, cut }
    }
}

impl<'a> Facts<'a> {
    /// The first acknowledged attempt of each batch: the one that made the promise.
    pub(super) fn promises(&self) -> Vec<(Attempt<'a>, i64)> {
        let mut promises: HashMap<Value, (Attempt<'a>, i64)> = HashMap::new();
        for attempt in &self.sends {
            let Some(offset) = attempt.offset() else { continue };
            let promise = promises.entry(attempt.value()).or_insert((*attempt, offset));
            if attempt.operation.completed < promise.0.operation.completed {
                *promise = (*attempt, offset);
            }
        }
        let mut promises: Vec<_> = promises.into_values().collect();
        promises.sort_by_key(|(attempt, _)| attempt.operation.invoked);
        promises
    }

    /// Below this the records may have been deleted by their offsets, by the time `until`.
    pub(super) fn trimmed(&self, until: u64) -> i64 {
        let asked = self.trims.iter().filter(|(operation, _)| {
            operation.invoked <= until && !matches!(operation.outcome, Outcome::Fail(_))
        });
        asked.map(|(_, before)| *before).max().unwrap_or_default()
    }

    /// Whether the beginning of the log may have gone.
    pub(super) fn begins_later(&self) -> bool {
        self.expires || !self.trims.is_empty()
    }

    /// Whether the log has all that was ever appended to it, but for what a cut of the power took.
    pub(super) fn keeps_all(&self) -> bool {
        !self.compacted && !self.begins_later()
    }

    /// Whether this offset may have gone with the end of the log, when what was there was first known at `known`. Behind
    /// that end only markers are written before the log is read: transactions that the cut left open are aborted.
    pub(super) fn may_be_cut(&self, offset: i64, known: u64) -> bool {
        let end_of_records = |log: &LogDump| {
            let last = log.batches.iter().rev().find(|batch| batch.marker.is_none());
            last.map_or(log.bounds.log_start, |batch| batch.last.saturating_add(1))
        };
        self.cut.is_some_and(|cut| known >= cut.sure_until)
            && self.log.is_some_and(|log| offset >= end_of_records(log))
    }

    /// The records of the log as it was at last, in their order.
    pub(super) fn records(&self) -> impl Iterator<Item = (i64, Value)> + '_ {
        self.log.into_iter().flat_map(|log| &log.batches).flat_map(Batch::records)
    }
}

fn power_cut(history: &History) -> Option<Cut> {
    let (at, window_ms) = history.broker.iter().find_map(|(at, step)| match step {
        BrokerStep::PowerCut { window_ms } => Some((*at, *window_ms)),
        _ => None,
    })?;
    Some(Cut { sure_until: at.saturating_sub(window_ms.saturating_mul(NANOSECONDS_PER_MS)), at })
}

/// The topics that are compacted and those whose records expire, by what they were created with.
fn policies(history: &History) -> (BTreeSet<TopicId>, BTreeSet<TopicId>) {
    let (mut compacted, mut expires) = (BTreeSet::new(), BTreeSet::new());
    for operation in &history.operations {
        let Call::Create { configs, .. } = &operation.call else { continue };
        let Outcome::Ok(Answer::Created { id }) = &operation.outcome else { continue };
        let policy = configs.get("cleanup.policy").map_or("delete", String::as_str);
        let bounded = |name: &str| configs.get(name).is_some_and(|limit| limit != "-1");
        if policy.contains("compact") {
            compacted.insert(*id);
        }
        if policy.contains("delete") && (bounded("retention.ms") || bounded("retention.bytes")) {
            expires.insert(*id);
        }
    }
    (compacted, expires)
}

/// When the broker was killed: from just before the signal until its process was gone. One that was never ready may have
/// ended by itself, as on a full disk, at any time since its start.
#[derive(Debug, Default)]
pub(super) struct Kills(Vec<(u64, u64)>);

impl Kills {
    fn new(history: &History) -> Self {
        let mut kills = Vec::new();
        let (mut began, mut starting) = (None, None);
        for (at, step) in &history.broker {
            match step {
                BrokerStep::Started => starting = Some(*at),
                BrokerStep::Ready => starting = None,
                BrokerStep::Killing => began = starting.take().or(Some(*at)),
                BrokerStep::Killed => kills.push((began.take().unwrap_or(*at), *at)),
                BrokerStep::Quiesced
                | BrokerStep::Faulted
                | BrokerStep::Mended
                | BrokerStep::PowerCut { .. } => {}
            }
        }
        Self(kills)
    }

    /// Whether a kill was going on at some time from `from` to `to`.
    pub(super) fn touch(&self, from: u64, to: u64) -> bool {
        let first_after = self.0.partition_point(|(_, ended)| *ended < from);
        self.0.get(first_after).is_some_and(|(began, _)| *began <= to)
    }
}

#[cfg(test)]
mod tests {
    use crate::history::{Event, Step};

    use super::*;

    #[test]
    fn the_policies_follow_from_the_settings_of_the_creation() {
        type Settings = &'static [(&'static str, &'static str)];
        let cases: [(Settings, bool, bool); 6] = [
            (&[], false, false),
            (&[("retention.ms", "-1")], false, false),
            (&[("retention.ms", "10")], false, true),
            (&[("retention.bytes", "10")], false, true),
            (&[("cleanup.policy", "compact"), ("retention.ms", "10")], true, false),
            (&[("cleanup.policy", "compact,delete"), ("retention.ms", "10")], true, true),
        ];
        for (settings, compacted, expires) in cases {
            let id = TopicId(1);
            let configs = settings.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
            let call = Call::Create { topic: "a".into(), partitions: 1, configs };
            let answer = Answer::Created { id };
            let steps = [Step::Invoke { operation: 1, call }, Step::Ok { operation: 1, answer }];
            let events = steps.map(|step| Event { at: 1, client: 0, step });
            let found = policies(&History::of(events).unwrap());
            assert_eq!((found.0.contains(&id), found.1.contains(&id)), (compacted, expires), "{settings:?}");
        }
    }
}
