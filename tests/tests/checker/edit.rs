//! Finds facts in a history and changes them.

use std::collections::HashMap;

use ottla_tests::history::{
    Answer, Batch, BrokerStep, Call, Event, LogDump, Partition, Run, SentBatch, Step,
};
use ottla_tests::load::Random;

use crate::story::Case;

/// An operation by the places of its two events.
#[derive(Clone, Copy)]
pub(crate) struct Place {
    pub(crate) invoke: usize,
    pub(crate) end: usize,
}

impl Case {
    /// Every operation that this finds, at the places of its events.
    pub(crate) fn operations(&self, wanted: impl Fn(&Call, &Step) -> bool) -> Vec<Place> {
        let mut invoked: HashMap<u64, usize> = HashMap::new();
        let mut found = Vec::new();
        for (place, event) in self.events.iter().enumerate() {
            match &event.step {
                Step::Invoke { operation, .. } => {
                    invoked.insert(*operation, place);
                }
                Step::Ok { operation, .. } | Step::Fail { operation, .. } | Step::Info { operation, .. } => {
                    let invoke = invoked[operation];
                    if wanted(self.call(invoke), &event.step) {
                        found.push(Place { invoke, end: place });
                    }
                }
                _ => {}
            }
        }
        found
    }

    pub(crate) fn call(&self, invoke: usize) -> &Call {
        match &self.events[invoke].step {
            Step::Invoke { call, .. } => call,
            step => panic!("{step:?} is no invocation"),
        }
    }

    pub(crate) fn sent(&self, place: Place) -> &SentBatch {
        match self.call(place.invoke) {
            Call::Send(batch) => batch,
            call => panic!("{call:?} is no send"),
        }
    }

    pub(crate) fn answer(&mut self, place: Place) -> &mut Answer {
        match &mut self.events[place.end].step {
            Step::Ok { answer, .. } => answer,
            step => panic!("{step:?} is no success"),
        }
    }

    /// Replaces a success.
    pub(crate) fn end_with(&mut self, place: Place, end: impl FnOnce(u64) -> Step) {
        let step = &mut self.events[place.end].step;
        if let Step::Ok { operation, .. } | Step::Info { operation, .. } | Step::Fail { operation, .. } = step
        {
            let operation = *operation;
            *step = end(operation);
        }
    }

    pub(crate) fn fail_with(&mut self, place: Place, error: i16) {
        self.end_with(place, |operation| Step::Fail { operation, error });
    }

    /// Where the broker's steps of this kind are.
    pub(crate) fn broker_steps(&self, wanted: BrokerStep) -> Vec<usize> {
        let is_wanted = |event: &Event| event.step == Step::Broker(wanted);
        self.events.iter().enumerate().filter(|(_, event)| is_wanted(event)).map(|(place, _)| place).collect()
    }

    /// The batches of a partition as they were read: in the polls whose ends these are, and at last.
    pub(crate) fn reads(&mut self, partition: Partition, ends: impl Fn(usize) -> bool) -> Vec<&mut Batch> {
        let polls = self.operations(|call, step| is_poll_of(call, partition) && is_ok(step));
        let polls: Vec<usize> = polls.iter().map(|place| place.end).filter(|end| ends(*end)).collect();
        let mut reads = Vec::new();
        for (place, event) in self.events.iter_mut().enumerate() {
            if !polls.contains(&place) {
                continue;
            }
            if let Step::Ok { answer: Answer::Polled { batches, .. }, .. } = &mut event.step {
                reads.extend(batches.iter_mut());
            }
        }
        let last = self.dump.logs.get_mut(&partition).filter(|_| ends(usize::MAX));
        reads.extend(last.into_iter().flat_map(|log| &mut log.batches));
        reads
    }

    /// Whether a poll gave the batch at this offset.
    pub(crate) fn polls_of(&self, partition: Partition, base: i64) -> Vec<usize> {
        let gives = |step: &Step| match step {
            Step::Ok { answer: Answer::Polled { batches, .. }, .. } => {
                batches.iter().any(|batch| batch.base == base)
            }
            _ => false,
        };
        let polls = self.operations(|call, step| is_poll_of(call, partition) && gives(step));
        polls.into_iter().map(|place| place.end).collect()
    }

    /// Takes all lookups of times out, so that a change of records is not noticed by them.
    pub(crate) fn forget_times(&mut self) {
        self.dump.found.clear();
        for place in self.operations(|call, step| matches!(call, Call::Find { .. }) && is_ok(step)) {
            self.end_with(place, |operation| Step::Info { operation, error: Some(7) });
        }
    }

    /// Batches of a stable log whose send has an unknown outcome, without idempotence: nothing but reads promises them.
    pub(crate) fn unpromised(&self) -> Vec<(Partition, Batch)> {
        let unknown = self.operations(|call, step| {
            matches!(call, Call::Send(batch) if batch.sequence.is_none()) && matches!(step, Step::Info { .. })
        });
        let sent: Vec<&SentBatch> = unknown.into_iter().map(|place| self.sent(place)).collect();
        let mut found = Vec::new();
        for (partition, LogDump { batches, .. }) in &self.dump.logs {
            for batch in batches {
                let Some(run) = batch.runs.first() else { continue };
                let is_it = |sent: &&&SentBatch| (sent.producer, sent.first) == (run.producer, run.first);
                if sent.iter().any(|sent| is_it(&sent)) {
                    found.push((*partition, batch.clone()));
                }
            }
        }
        found
    }

    /// Values that were sent to this partition by a producer whose records are in no log, as a run from this offset on.
    pub(crate) fn foreign(&self, producer: u32, partition: Partition, place: &Batch) -> Option<Run> {
        let sends = self.operations(|call, _| {
            matches!(call, Call::Send(batch) if batch.producer == producer && batch.partition == partition)
        });
        let batch = self.sent(*sends.first()?);
        let count = u32::try_from(place.last - place.base + 1).unwrap();
        (count <= batch.count).then_some(Run { offset: place.base, producer, first: batch.first, count })
    }
}

pub(crate) fn is_ok(step: &Step) -> bool {
    matches!(step, Step::Ok { .. })
}

pub(crate) fn is_poll_of(call: &Call, wanted: Partition) -> bool {
    matches!(call, Call::Poll { partition, .. } if *partition == wanted)
}

/// Takes any of these.
pub(crate) fn any<T>(random: &mut Random, mut among: Vec<T>) -> Option<T> {
    let place = random.index(among.len());
    (place < among.len()).then(|| among.swap_remove(place))
}
