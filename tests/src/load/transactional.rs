//! A transactional producer: commits, aborts, leaves transactions open until they time out or are fenced, and is its own
//! zombie. It goes by either version of transactions. What it has no answer to it sends again, as stock clients do.

use std::collections::{BTreeSet, HashMap};

use super::client::Client;
use super::committer::{committed, find_coordinator as find_group_coordinator, group_name};
use super::connection::{Connection, Lost};
use super::produce::{Maker, Prepared, choose_partitions, give_up, post_as, settle};
use super::topics::Topic;
use super::transaction_calls::{
    Flavor, Named, OFFSET_APIS, TRANSACTION_TIMEOUT_MS, add_partitions, become_producer, commit_offsets, end,
    find_coordinator, not_added,
};
use crate::history::{Partition, Sequence, Transaction};

/// A version of Produce that names topics by id, of the second version of transactions.
const PRODUCE_BY_ID: i16 = 13;

/// Most requests with records in a transaction.
const WRITES_MAX: u64 = 4;
/// Of so many transactions one is aborted, and one is left open; the others are committed.
const ENDS: u64 = 8;
/// Once in so many writes offsets are committed too.
const OFFSETS_ONCE_IN: u64 = 3;
const READ_ONCE_IN: u64 = 12;
/// Once in so many times a producer that was followed goes on as if it were not.
const ZOMBIE_ONCE_IN: u64 = 2;
/// Once in so many times one that left a transaction open waits until it has timed out.
const TIMES_OUT_ONCE_IN: u64 = 6;
/// Rests between requests, in milliseconds.
const REST_MS: u64 = 8;

/// How many groups each of these producers commits offsets for.
pub(super) const GROUPS: u64 = 1;

/// Kafka's errors that go away by themselves.
const RETRIABLE: [i16; 13] = [2, 3, 5, 6, 7, 14, 15, 16, 19, 20, CONCURRENT_TRANSACTIONS, 56, 100];
const CONCURRENT_TRANSACTIONS: i16 = 51;

pub(super) fn run(mut client: Client) {
    let mut producer = Producer {
        transactional: format!("transactional-{}", client.id),
        maker: Maker::new(client.id),
        named: None,
        before: None,
        sequences: HashMap::new(),
        open: None,
        begun: 0,
        next_commit: 1,
    };
    client.keep_connected(|client, connection| {
        find_coordinator(connection, &producer.transactional)?;
        find_group_coordinator(client, connection, GROUPS)?;
        while !client.is_stopped() {
            producer.turn(client, connection)?;
            client.rest(REST_MS);
        }
        Ok(())
    });
}

/// How a transaction is to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Plan {
    Commit,
    Abort,
    Leave,
}

/// A transaction that has begun.
struct Open {
    transaction: Transaction,
    plan: Plan,
    /// Requests with records that it is still to have.
    writes: u64,
    /// Partitions that were added (version 1).
    added: BTreeSet<(u128, i32)>,
    /// Batches without an answer.
    again: Vec<Prepared>,
}

struct Producer {
    transactional: String,
    maker: Maker,
    named: Option<Named>,
    /// Whom it has followed, and that one's last transaction.
    before: Option<(Named, Transaction)>,
    /// The next sequence number of each partition in this epoch.
    sequences: HashMap<Partition, i32>,
    open: Option<Open>,
    /// Transactions so far.
    begun: u64,
    next_commit: u64,
}

impl Producer {
    /// Does the next thing.
    fn turn(&mut self, client: &mut Client, connection: &mut Connection) -> Result<(), Lost> {
        let Some(named) = self.named.clone() else { return self.become_new(client, connection) };
        let Some(mut open) = self.open.take() else {
            self.begin(client);
            return Ok(());
        };
        // Whatever interrupts the turn, the transaction goes on in the next.
        let outcome = self.go_on(client, connection, &named, &mut open);
        match outcome {
            Ok(Turn::Over) => {}
            Ok(Turn::GivenUp) => {
                self.before = Some((named, open.transaction));
                self.named = None;
            }
            Ok(Turn::GoesOn) | Err(Lost) => self.open = Some(open),
        }
        outcome.map(drop)
    }

    fn become_new(&mut self, client: &mut Client, connection: &mut Connection) -> Result<(), Lost> {
        let Some(identity) = become_producer(client, connection, &self.transactional)? else {
            return Ok(());
        };
        let flavor = if client.random.once_in(2) { Flavor::One } else { Flavor::Two };
        let transactional = self.transactional.clone();
        self.named = Some(Named { transactional, flavor, identity });
        if let Some((zombie, transaction)) = self.before.take()
            && client.random.once_in(ZOMBIE_ONCE_IN)
        {
            self.go_on_as_zombie(client, connection, &zombie, transaction)?;
        }
        self.sequences.clear();
        Ok(())
    }

    /// What comes from a producer that was followed must be refused. It is never sent again.
    fn go_on_as_zombie(
        &mut self,
        client: &mut Client,
        connection: &mut Connection,
        zombie: &Named,
        transaction: Transaction,
    ) -> Result<(), Lost> {
        if client.random.once_in(2) {
            let committed = client.random.once_in(2);
            return end(client, connection, zombie, transaction, committed).map(drop);
        }
        self.maker.transaction = Some(transaction);
        let chosen = choose_partitions(&mut client.random, &client.world.stable);
        let batches = self.make(client, zombie, chosen.get(..1).unwrap_or_default());
        let version = zombie.flavor.produce_version();
        let id = Some(self.transactional.as_str());
        let (flight, sent) = post_as(client, connection, version, id, batches);
        if sent.is_err() {
            give_up(client, &flight);
            return sent;
        }
        settle(client, connection, flight).map(drop).map_err(|_| Lost)
    }

    fn begin(&mut self, client: &mut Client) {
        self.begun += 1;
        let transaction = Transaction(u64::from(client.id) << 32 | self.begun);
        self.maker.transaction = Some(transaction);
        let plan = match client.random.below(ENDS) {
            0 => Plan::Abort,
            1 => Plan::Leave,
            _ => Plan::Commit,
        };
        let writes = 1 + client.random.below(WRITES_MAX);
        self.open = Some(Open { transaction, plan, writes, added: BTreeSet::new(), again: Vec::new() });
    }

    fn go_on(
        &mut self,
        client: &mut Client,
        connection: &mut Connection,
        named: &Named,
        open: &mut Open,
    ) -> Result<Turn, Lost> {
        if !open.again.is_empty() {
            return self.write(client, connection, named, open);
        }
        if open.writes > 0 {
            open.writes -= 1;
            let chosen = choose_partitions(&mut client.random, &client.world.stable);
            open.again = self.make(client, named, &chosen);
            let written = self.write(client, connection, named, open)?;
            let offsets = connection.serves(&OFFSET_APIS) && client.random.once_in(OFFSETS_ONCE_IN);
            if written == Turn::GoesOn && offsets {
                return self.commit_offsets(client, connection, named, open.transaction, &chosen);
            }
            return Ok(written);
        }
        if open.plan == Plan::Leave {
            if client.random.once_in(TIMES_OUT_ONCE_IN) {
                client.rest(TRANSACTION_TIMEOUT_MS * 2);
            }
            return Ok(Turn::GivenUp);
        }
        let committed = open.plan == Plan::Commit;
        Ok(match end(client, connection, named, open.transaction, committed)? {
            Ok(next) => {
                if next != named.identity {
                    self.sequences.clear();
                }
                self.named = Some(Named { identity: next, ..named.clone() });
                Turn::Over
            }
            Err(error) if RETRIABLE.contains(&error) => Turn::GoesOn,
            Err(_) => Turn::GivenUp,
        })
    }

    fn make(&mut self, client: &mut Client, named: &Named, chosen: &[(Topic, i32)]) -> Vec<Prepared> {
        let (id, epoch) = named.identity;
        let mut batches = Vec::new();
        for (topic, index) in chosen {
            let next = self.sequences.entry(topic.partition(*index)).or_insert(0);
            let sequence = |count: u32| {
                let sequence = Sequence { id, epoch, first: *next };
                *next = sequence.after(count);
                Some(sequence)
            };
            batches.extend(self.maker.make(&mut client.random, (topic, *index), -1, sequence));
        }
        batches
    }

    /// Sends the batches that wait.
    fn write(
        &mut self,
        client: &mut Client,
        connection: &mut Connection,
        named: &Named,
        open: &mut Open,
    ) -> Result<Turn, Lost> {
        if named.flavor == Flavor::One {
            let wanted: Vec<(Topic, i32)> =
                open.again.iter().map(|one| (one.topic.clone(), one.batch.partition.index)).collect();
            let missing = not_added(&open.added, &wanted);
            if !missing.is_empty() {
                match add_partitions(connection, named, &missing)? {
                    Ok(()) => open.added.extend(missing.iter().map(|(topic, index)| (topic.id.0, *index))),
                    Err(error) => return Ok(after(error)),
                }
            }
        }
        let by_id = named.flavor == Flavor::Two && client.random.once_in(2);
        let version = if by_id { PRODUCE_BY_ID } else { named.flavor.produce_version() };
        let id = Some(self.transactional.as_str());
        let (flight, sent) = post_as(client, connection, version, id, open.again.clone());
        if sent.is_err() {
            give_up(client, &flight);
            return sent.map(|()| Turn::GoesOn);
        }
        let settled = settle(client, connection, flight).map_err(|_| Lost)?;
        open.again.clear();
        for (prepared, result) in settled {
            match result {
                Ok(()) => {}
                Err(error) if RETRIABLE.contains(&error) => open.again.push(prepared),
                Err(_) => return Ok(Turn::GivenUp),
            }
        }
        Ok(Turn::GoesOn)
    }

    fn commit_offsets(
        &mut self,
        client: &mut Client,
        connection: &mut Connection,
        named: &Named,
        transaction: Transaction,
        partitions: &[(Topic, i32)],
    ) -> Result<Turn, Lost> {
        let group = group_name(client.id, client.random.below(GROUPS));
        let of = (group.as_str(), transaction);
        let done = commit_offsets(client, connection, named, of, partitions, &mut self.next_commit)?;
        if client.random.once_in(READ_ONCE_IN) {
            committed(client, connection, &group)?;
        }
        Ok(done.map_or_else(after, |()| Turn::GoesOn))
    }
}

/// What comes of a turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Turn {
    GoesOn,
    Over,
    /// The transaction stays as it is, and the producer is followed by a new one.
    GivenUp,
}

fn after(error: i16) -> Turn {
    if RETRIABLE.contains(&error) { Turn::GoesOn } else { Turn::GivenUp }
}
