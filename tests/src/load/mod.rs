//! Load that behaves like stock clients and writes down what it sees: producers with and without idempotence and with
//! transactions, consumers that assign their partitions, committers of offsets with and without membership, an
//! administrator who makes and deletes topics, one who deletes records. All of them go
//! on when the broker is killed: they connect again and send again what they have no answer to, as a stock client does.
//!
//! The messages are those of `kafka-protocol`, the batches are made and read here: nothing of the broker's own code
//! judges the broker.

mod admin;
mod batch;
mod client;
mod codec;
mod committer;
mod connection;
mod consumer;
mod flood;
mod gate;
mod idempotent;
mod member;
mod open_transactions;
mod payload;
mod plain;
mod prober;
mod produce;
mod random;
mod scan;
mod topics;
mod transaction_calls;
mod transactional;
mod trimmer;
mod varint;
mod world;

use std::sync::Arc;
use std::thread::JoinHandle;

pub use connection::{Connection, Lost};
pub use flood::{Flood, KEYS, Known};
pub use gate::Gate;
pub use random::Random;
pub use scan::scan;
pub use topics::make_topics;
pub use world::{OPERATOR, World};

use client::Client;

/// How many clients of each kind there are. They share two cores with the broker.
const IDEMPOTENT_PRODUCERS: u32 = 3;
const PLAIN_PRODUCERS: u32 = 2;
const CONSUMERS: u32 = 2;
const PROBERS: u32 = 1;
const COMMITTERS: u32 = 2;
const MEMBERS: u32 = 1;
const ADMINISTRATORS: u32 = 1;
const TRIMMERS: u32 = 1;
const TRANSACTIONAL_PRODUCERS: u32 = 2;

/// How many clients there are, with the operator.
pub const CLIENTS: u32 = 1
    + IDEMPOTENT_PRODUCERS
    + PLAIN_PRODUCERS
    + CONSUMERS
    + PROBERS
    + COMMITTERS
    + MEMBERS
    + ADMINISTRATORS
    + TRIMMERS
    + TRANSACTIONAL_PRODUCERS;

/// The clients that commit offsets, without being members, as members, and within transactions.
const FIRST_COMMITTER: u32 = 1 + IDEMPOTENT_PRODUCERS + PLAIN_PRODUCERS + CONSUMERS + PROBERS;
const FIRST_MEMBER: u32 = FIRST_COMMITTER + COMMITTERS;
const FIRST_TRANSACTIONAL: u32 = FIRST_MEMBER + MEMBERS + ADMINISTRATORS + TRIMMERS;

/// Running clients, each on a thread of its own.
#[derive(Debug)]
pub struct Load {
    world: Arc<World>,
    threads: Vec<JoinHandle<()>>,
}

impl Load {
    /// Starts all clients. The stable topics must be there ([`make_topics`]).
    #[must_use]
    pub fn start(world: &Arc<World>) -> Self {
        let kinds: [(u32, fn(Client)); 9] = [
            (IDEMPOTENT_PRODUCERS, idempotent::run),
            (PLAIN_PRODUCERS, plain::run),
            (CONSUMERS, consumer::run),
            (PROBERS, prober::run),
            (COMMITTERS, committer::run),
            (MEMBERS, member::run),
            (ADMINISTRATORS, admin::run),
            (TRIMMERS, trimmer::run),
            (TRANSACTIONAL_PRODUCERS, transactional::run),
        ];
        let mut ids = OPERATOR + 1..;
        let mut threads = Vec::new();
        for (count, run) in kinds {
            for id in ids.by_ref().take(count as usize) {
                let client = Client::new(Arc::clone(world), id);
                threads.push(std::thread::spawn(move || run(client)));
            }
        }
        Self { world: Arc::clone(world), threads }
    }

    /// Tells all clients to stop and waits until they have the answers they still wait for.
    ///
    /// # Panics
    /// A client panicked.
    pub fn stop(self) {
        self.world.gate.close();
        for thread in self.threads {
            if let Err(panic) = thread.join() {
                std::panic::resume_unwind(panic);
            }
        }
    }
}
