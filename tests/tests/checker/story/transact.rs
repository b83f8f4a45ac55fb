//! Two transactional producers, the offsets that they commit, and a reader of committed data.

use ottla_tests::history::{Answer, Call, Commit, Partition, SentBatch, Sequence, Step, Transaction};

use super::tell::{CONSUMER, Fate, REQUEST_TIMED_OUT, Story};

/// The two producers, which are clients 8 and 9.
pub(crate) const TRANSACTIONAL: [u32; 2] = [8, 9];
/// The group whose offsets are committed within transactions.
pub(crate) const TRANSACTIONS_GROUP: &str = "group-transactions";
const PRODUCER_FENCED: i16 = 90;

/// A transactional producer of the story. Every transaction has an epoch of its own.
#[derive(Clone, Copy, Default)]
pub(super) struct Producer {
    id: i64,
    epoch: i16,
    sequences: [i32; 2],
    begun: u64,
    commits: u64,
}

/// How a transaction ends, and whether the client learns it.
#[derive(Clone, Copy, PartialEq, Eq)]
struct End {
    committed: bool,
    told: bool,
}

impl Story {
    fn paid(&self, index: usize) -> Partition {
        Partition { topic: self.paid.unwrap(), index: i32::try_from(index).unwrap() }
    }

    /// Both producers become new ones, and write and end by turns, with readers in between.
    pub(super) fn transact(&mut self) {
        for who in 0..2 {
            self.become_producer(who);
        }
        for round in 0..6 {
            let ends = [round, round + 2].map(|place| match place % 5 {
                0 | 1 => End { committed: true, told: true },
                2 => End { committed: false, told: true },
                3 => End { committed: true, told: false },
                _ => End { committed: false, told: false },
            });
            let ended: Vec<Transaction> = (0..2).map(|who| self.begin(who)).collect();
            for index in 0..2 {
                for (who, transaction) in ended.iter().enumerate() {
                    self.write(who, *transaction, index);
                }
                self.read_paid(index);
            }
            self.commit_within(0, ended[0], ends[0]);
            for who in 0..2 {
                self.end(who, ended[who], ends[who]);
                (0..2).for_each(|index| self.read_paid(index));
            }
        }
        let before = self.producers[0];
        let last = Transaction(1 << 32 | before.begun);
        self.become_producer(0);
        let (id, epoch) = (before.id, before.epoch - 1);
        let call = Call::End { transaction: last, id, epoch, committed: true };
        self.ask(TRANSACTIONAL[0], call, |operation| Step::Fail { operation, error: PRODUCER_FENCED });
    }

    fn become_producer(&mut self, who: usize) {
        let producer = &mut self.producers[who];
        producer.id = 1000 + i64::try_from(who).unwrap();
        producer.epoch += 1;
        producer.sequences = [0; 2];
        let (id, epoch) = (producer.id, producer.epoch);
        let call = Call::Producer { transactional: format!("producer-{who}") };
        let answer = Answer::Producer { id, epoch };
        self.ask(TRANSACTIONAL[who], call, |operation| Step::Ok { operation, answer });
    }

    fn begin(&mut self, who: usize) -> Transaction {
        self.producers[who].begun += 1;
        Transaction((who as u64 + 1) << 32 | self.producers[who].begun)
    }

    fn write(&mut self, who: usize, transaction: Transaction, index: usize) {
        let partition = self.paid(index);
        let batch = self.batch(TRANSACTIONAL[who], partition, -1, None);
        let Producer { id, epoch, .. } = self.producers[who];
        let next = &mut self.producers[who].sequences[index];
        let sequence = Sequence { id, epoch, first: *next };
        *next = sequence.after(batch.count);
        let batch = SentBatch { sequence: Some(sequence), transaction: Some(transaction), ..batch };
        let times = self.times(batch.count);
        let offset = self.broker.append(&batch, times);
        self.answer(TRANSACTIONAL[who], &batch, Fate::Done, offset);
    }

    fn commit_within(&mut self, who: usize, transaction: Transaction, end: End) {
        let partition = self.paid(0);
        let number = self.number();
        self.producers[who].commits += 1;
        let offset = i64::try_from(self.producers[who].commits).unwrap();
        let commit = Commit { offset, leader_epoch: 0, metadata: format!("{number}:metadata") };
        let group = TRANSACTIONS_GROUP.to_owned();
        let call = Call::Commit {
            group,
            partition,
            commit: commit.clone(),
            generation: -1,
            transaction: Some(transaction),
        };
        self.ask(TRANSACTIONAL[who], call, |operation| Step::Ok { operation, answer: Answer::Done });
        self.read_offset();
        if end.committed {
            self.pending = Some(commit);
        }
    }

    fn end(&mut self, who: usize, transaction: Transaction, end: End) {
        let Producer { id, epoch, .. } = self.producers[who];
        let committed = end.committed;
        for index in 0..2 {
            let partition = self.paid(index);
            let time = self.times(1);
            self.broker.mark(partition, (id, epoch), committed, time);
        }
        if let Some(commit) = self.pending.take_if(|_| who == 0) {
            self.broker.commit(TRANSACTIONS_GROUP, self.paid(0), &commit);
        }
        let next = (id, epoch + 1);
        let call = Call::End { transaction, id, epoch, committed };
        self.ask(TRANSACTIONAL[who], call, |operation| match end.told {
            true => Step::Ok { operation, answer: Answer::Ended { id: next.0, epoch: next.1 } },
            false => Step::Info { operation, error: Some(REQUEST_TIMED_OUT) },
        });
        (self.producers[who].epoch, self.producers[who].sequences) = (next.1, [0; 2]);
        if who == 0 {
            self.read_offset();
        }
    }

    fn read_offset(&mut self) {
        let partition = self.paid(0);
        let committed = self.broker.committed(TRANSACTIONS_GROUP, partition);
        let call = Call::Committed { group: TRANSACTIONS_GROUP.to_owned(), partition };
        let answer = Answer::Committed(committed);
        self.ask(TRANSACTIONAL[0], call, |operation| Step::Ok { operation, answer });
    }

    /// Reads what is committed, from somewhere near the end.
    fn read_paid(&mut self, index: usize) {
        let partition = self.paid(index);
        let end = self.broker.end(partition);
        let back = i64::try_from(self.random.below(30)).unwrap();
        let offset = end.saturating_sub(back).max(0);
        let bounds = self.broker.bounds(partition);
        let mut batches = self.broker.read(partition, offset, 20).unwrap();
        batches.retain(|batch| batch.last < bounds.last_stable);
        let aborted = self.broker.aborted(partition, offset, batches.last().map(|batch| batch.last));
        let call = Call::Poll { partition, offset, committed: true };
        let answer = Answer::Polled { bounds, batches, aborted };
        self.ask(CONSUMER, call, |operation| Step::Ok { operation, answer });
    }
}
