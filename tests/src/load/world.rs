//! What all clients share.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::CLIENTS;
use super::gate::Gate;
use super::topics::Topic;
use crate::history::Recorder;

/// The client id of the one who makes the topics before and reads everything afterwards.
pub const OPERATOR: u32 = 0;

/// The broker's address, the topics, and what was seen.
#[derive(Debug)]
pub struct World {
    /// `HOST:PORT` of the broker.
    pub address: String,
    /// What every client's randomness follows from.
    pub seed: u64,
    /// Takes all that happens.
    pub recorder: Recorder,
    /// Closed when the clients are to stop.
    pub gate: Gate,
    /// The topics that stay.
    pub(super) stable: Vec<Topic>,
    /// The topics that come and go, as they are known to be now.
    passing: Mutex<Vec<Topic>>,
    /// How often each client was served.
    served: Vec<AtomicU64>,
}

impl World {
    /// A world without topics, which [`super::make_topics`] adds.
    #[must_use]
    pub fn new(address: String, seed: u64, recorder: Recorder) -> Self {
        let served = (0..CLIENTS).map(|_| AtomicU64::new(0)).collect();
        let (gate, stable, passing) = (Gate::default(), Vec::new(), Mutex::new(Vec::new()));
        Self { address, seed, recorder, gate, stable, passing, served }
    }

    /// How often each client but the operator was served. All of them have risen: the broker serves everybody.
    #[must_use]
    pub fn served(&self) -> Vec<u64> {
        let counters = self.served.iter().skip(OPERATOR as usize + 1);
        counters.map(|counter| counter.load(Ordering::Relaxed)).collect()
    }

    pub(super) fn count_served(&self, client: u32) {
        if let Some(counter) = self.served.get(client as usize) {
            counter.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(super) fn passing(&self) -> MutexGuard<'_, Vec<Topic>> {
        self.passing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
