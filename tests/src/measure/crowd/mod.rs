//! Many members of one group: lean clients, each with a thread and a connection of its own, of either protocol.

mod board;
mod classic;
mod consumer;

use std::sync::{Arc, Barrier};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::connection::Connection;
use crate::load::Gate;
use crate::problem::{Doing, Problem};

use board::Board;

/// How often a member of a classic group sends a heartbeat. Stock clients do so every three seconds; then their rest
/// would be all that is measured. Members of consumer groups do as the broker says.
const HEARTBEAT_INTERVAL: Duration = Duration::from_millis(100);

/// How long a member may be silent, in classic groups, in milliseconds; the least that both brokers take by default.
const SESSION_TIMEOUT_MS: i32 = 6000;
const REBALANCE_TIMEOUT_MS: i32 = 60_000;

/// How long a group may take to become stable.
const STABLE_LIMIT: Duration = Duration::from_secs(120);

const COORDINATOR_LOAD_IN_PROGRESS: i16 = 14;
const COORDINATOR_NOT_AVAILABLE: i16 = 15;
const NOT_COORDINATOR: i16 = 16;

/// By which protocol members join.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GroupProtocol {
    /// JoinGroup, SyncGroup and Heartbeat; the leader assigns.
    Classic,
    /// ConsumerGroupHeartbeat (KIP-848); the broker assigns.
    Consumer,
}

impl GroupProtocol {
    /// Its name, as `group.protocol` has it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Classic => "classic",
            Self::Consumer => "consumer",
        }
    }
}

/// What all members have in common.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CrowdShape {
    /// How they join.
    pub protocol: GroupProtocol,
    /// The group.
    pub group: String,
    /// What they subscribe to.
    pub topic: String,
    /// Its partitions, all of which they share.
    pub partitions: i32,
    /// How many they are.
    pub members: usize,
}

/// A member, as its thread sees it.
struct Member {
    shape: Arc<CrowdShape>,
    place: usize,
    gate: Arc<Gate>,
    board: Arc<Board>,
}

/// A group whose members live.
pub struct Crowd {
    shape: Arc<CrowdShape>,
    board: Arc<Board>,
    gates: Vec<Arc<Gate>>,
    threads: Vec<JoinHandle<Result<(), Problem>>>,
}

impl Crowd {
    /// Has all members join at the same time, on connections that exist already. Gives the time from there until each
    /// has its part of all partitions, in one generation or epoch.
    ///
    /// # Errors
    /// A member is refused or loses its connection, or the group does not become stable in time.
    pub fn form(address: &str, shape: CrowdShape) -> Result<(Self, Duration), Problem> {
        let shape = Arc::new(shape);
        let board = Arc::new(Board::new(shape.members, shape.partitions));
        let start = Arc::new(Barrier::new(shape.members.saturating_add(1)));
        let connect = |_| Connection::open(address);
        let connections = (0..shape.members).map(connect).collect::<Result<Vec<_>, Problem>>()?;
        let mut crowd = Self { shape, board, gates: Vec::new(), threads: Vec::new() };
        for (place, mut connection) in connections.into_iter().enumerate() {
            let gate = Arc::new(Gate::default());
            crowd.gates.push(Arc::clone(&gate));
            let (shape, board) = (Arc::clone(&crowd.shape), Arc::clone(&crowd.board));
            let member = Member { shape, place, gate, board };
            let start = Arc::clone(&start);
            crowd.threads.push(std::thread::spawn(move || {
                start.wait();
                let lived = member.live(&mut connection);
                if let Err(problem) = &lived {
                    member.board.fail(problem);
                }
                lived
            }));
        }
        let began = Instant::now();
        start.wait();
        let stable = crowd.board.wait_until_stable(STABLE_LIMIT)?;
        Ok((crowd, stable.saturating_duration_since(began)))
    }

    /// Cuts a member's connection, and gives the time from there until the others have its partitions.
    ///
    /// # Errors
    /// As with [`Self::form`].
    pub fn lose_one(&mut self) -> Result<Duration, Problem> {
        // Not the first, who may lead.
        let place = self.gates.len().saturating_sub(1);
        let began = Instant::now();
        self.board.forget(place);
        if let Some(gate) = self.gates.pop() {
            gate.close();
        }
        let stable = self.board.wait_until_stable(STABLE_LIMIT)?;
        Ok(stable.saturating_duration_since(began))
    }

    /// Has all members leave.
    ///
    /// # Errors
    /// A member had a problem before.
    pub fn end(self) -> Result<(), Problem> {
        self.gates.iter().for_each(|gate| gate.close());
        for thread in self.threads {
            thread.join().map_err(|_| Problem::new("a member ended by itself"))??;
        }
        Ok(())
    }
}

impl Member {
    /// Lives until its gate closes, and leaves then, unless it is to be lost.
    fn live(&self, connection: &mut Connection) -> Result<(), Problem> {
        let lived = match self.shape.protocol {
            GroupProtocol::Classic => classic::live(self, connection),
            GroupProtocol::Consumer => consumer::live(self, connection),
        };
        lived.doing(format_args!("be member {}", self.place))
    }

    /// True when the coordinator has to be asked again.
    fn is_not_ready(&self, error_code: i16) -> bool {
        let not_ready = [COORDINATOR_LOAD_IN_PROGRESS, COORDINATOR_NOT_AVAILABLE, NOT_COORDINATOR];
        if not_ready.contains(&error_code) {
            self.gate.pause(HEARTBEAT_INTERVAL);
            return true;
        }
        false
    }
}
