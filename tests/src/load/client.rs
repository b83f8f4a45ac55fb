//! What every kind of client does: connect, note what happens, rest.

use std::sync::Arc;
use std::time::Duration;

use super::connection::{Connection, Lost};
use super::random::Random;
use super::world::World;
use crate::history::{Answer, Call, OperationId};

/// How long a client rests before it tries to connect again, in milliseconds.
const RECONNECT_MS: u64 = 20;

/// Kafka's error codes after which nobody knows whether what was asked for was done.
const INDEFINITE: [i16; 4] =
    [UNKNOWN_SERVER_ERROR, REQUEST_TIMED_OUT, NOT_ENOUGH_REPLICAS_AFTER_APPEND, KAFKA_STORAGE_ERROR];
const UNKNOWN_SERVER_ERROR: i16 = -1;
const REQUEST_TIMED_OUT: i16 = 7;
const NOT_ENOUGH_REPLICAS_AFTER_APPEND: i16 = 20;
const KAFKA_STORAGE_ERROR: i16 = 56;

/// One client.
pub(super) struct Client {
    pub(super) world: Arc<World>,
    pub(super) id: u32,
    pub(super) random: Random,
}

impl Client {
    pub(super) fn new(world: Arc<World>, id: u32) -> Self {
        let random = Random::part(world.seed, u64::from(id));
        Self { world, id, random }
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.world.gate.is_closed()
    }

    /// Connects and does `work` until it is done, over as many connections as it takes. `work` returns [`Lost`] when its
    /// connection is lost, and otherwise when the client is to stop.
    pub(super) fn keep_connected(
        &mut self,
        mut work: impl FnMut(&mut Self, &mut Connection) -> Result<(), Lost>,
    ) {
        while !self.is_stopped() {
            let connected = Connection::open(Arc::clone(&self.world), self.id);
            let worked = connected.and_then(|mut connection| work(self, &mut connection));
            if worked.is_err() {
                self.rest(RECONNECT_MS);
            }
        }
    }

    /// Rests for a random time of at most so many milliseconds.
    pub(super) fn rest(&mut self, milliseconds_max: u64) {
        let microseconds = self.random.below(milliseconds_max.saturating_mul(1000));
        self.world.gate.pause(Duration::from_micros(microseconds));
    }

    pub(super) fn invoke(&self, call: Call) -> OperationId {
        self.world.recorder.invoke(self.id, call)
    }

    pub(super) fn ok(&self, operation: OperationId, answer: Answer) {
        self.world.recorder.ok(self.id, operation, answer);
        self.world.count_served(self.id);
    }

    /// Notes an error code as what it means: not done, or nobody knows.
    pub(super) fn refused(&self, operation: OperationId, error: i16) {
        if INDEFINITE.contains(&error) {
            self.world.recorder.info(self.id, operation, Some(error));
        } else {
            self.world.recorder.fail(self.id, operation, error);
        }
    }

    /// As [`Client::refused`], for what is answered with this error also when it may have been done.
    pub(super) fn unsure(&self, operation: OperationId, error: i16) {
        self.world.recorder.info(self.id, operation, Some(error));
    }

    /// The connection was lost before the answer.
    pub(super) fn unknown(&self, operation: OperationId) {
        self.world.recorder.info(self.id, operation, None);
    }

    /// Notes that the outcome is unknown when the connection was lost.
    pub(super) fn or_unknown<T>(&self, operation: OperationId, received: Result<T, Lost>) -> Result<T, Lost> {
        received.inspect_err(|_| self.unknown(operation))
    }
}
