//! Drives one state machine over one partition's log.
//!
//! Callers meet at a queue. Whoever finds the machine free takes it, works off the queue (its own command and those
//! of others), and appends everything that came of it as one batch: many commits that arrive together cost one
//! append. There is no task in between, so a lone commit costs no wake-up either. What belongs to a producer's transaction
//! is a batch of its own, in its turn.
//!
//! Nothing escapes before it is down: replies are held until the high watermark has passed everything that the
//! machine had replayed when it made them.
//!
//! Locks: `state` before the partition's log; `queue` is held for a push or a take only.

mod load;
mod round;
mod transaction;

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};

use ottla_control::machine::{Caller, Effects, Machine, RecordRef, ReplyTo};
use ottla_log::{Append, Origin};
use ottla_model::{Env, ErrorCode, Monotonic, Offset, Presence, Unseen};
use tokio::sync::oneshot;
use tracing::{debug, error, warn};

use self::round::Round;
pub(crate) use self::transaction::InTransaction;
use super::partition::{Accepted, Partition};
use crate::clock::{Clock, Moment, Started, SystemRandom};
use crate::error_codes;

/// Commands that may wait for one machine; a caller beyond is told to come back.
const QUEUED_COMMANDS_MAX: usize = 100_000;

/// Batches that one caller works off before it hands the rest to a task: it has a connection to serve.
const BATCHES_PER_TURN_MAX: usize = 4;

/// No deadline.
const NEVER: u64 = u64::MAX;

struct Submitted<M: Machine> {
    caller: Caller,
    command: M::Command,
    /// Whose transaction its records are in.
    transaction: Option<InTransaction>,
    reply: oneshot::Sender<M::Reply>,
}

/// Replies and whom they are for.
type Replies<M> = Vec<(ReplyTo, <M as Machine>::Reply)>;

struct State<M: Machine> {
    machine: M,
    random: SystemRandom,
    next_reply: u64,
    waiting: BTreeMap<ReplyTo, oneshot::Sender<M::Reply>>,
    /// Replies that wait for the high watermark to reach an offset, in its order.
    held: VecDeque<(Offset, Replies<M>)>,
}

/// A machine, its log, and who waits for it.
pub(crate) struct Coordinator<M: Machine> {
    queue: Mutex<VecDeque<Submitted<M>>>,
    state: Mutex<State<M>>,
    partition: Arc<Partition>,
    clock: Arc<dyn Clock>,
    /// The clocks when the log was opened. What is in it is as old then as the wall clock says, and from there on
    /// ages no faster than time passes.
    started: Started,
    presence: Arc<dyn Presence + Send + Sync>,
    /// When the machine wants to be ticked, in nanoseconds of the monotonic clock, or [`NEVER`].
    deadline: AtomicU64,
    /// Set when the machine no longer answers.
    unloaded: AtomicBool,
    /// Called when the deadline has come nearer.
    sooner: Box<dyn Fn() + Send + Sync>,
}

impl<M> Coordinator<M>
where
    M: Machine<Command: Send, Reply: Send, Undo: Send> + Send + 'static,
{
    /// A coordinator whose machine has replayed its log.
    pub(crate) fn open(
        mut machine: M,
        partition: Arc<Partition>,
        clock: Arc<dyn Clock>,
        sooner: Box<dyn Fn() + Send + Sync>,
    ) -> Result<Self, String> {
        let mut random = SystemRandom::new();
        load::replay(&mut machine, &partition)?;
        let started = Started::now(&*clock);
        machine.loaded(&mut env(Moment::now(&*clock), started, &Unseen, &mut random));
        let deadline = AtomicU64::new(nanos(machine.deadline()));
        let state = State { machine, random, next_reply: 0, waiting: BTreeMap::new(), held: VecDeque::new() };
        Ok(Self {
            queue: Mutex::new(VecDeque::new()),
            state: Mutex::new(state),
            partition,
            clock,
            started,
            presence: Arc::new(Unseen),
            deadline,
            unloaded: AtomicBool::new(false),
            sooner,
        })
    }

    /// Lets the machine know who was seen lately.
    pub(crate) fn with_presence(self, presence: Arc<dyn Presence + Send + Sync>) -> Self {
        Self { presence, ..self }
    }

    /// Hands a command to the machine. The receiver fails only when the coordinator closed or is overloaded.
    pub(crate) fn submit(
        self: &Arc<Self>,
        caller: Caller,
        command: M::Command,
    ) -> oneshot::Receiver<M::Reply> {
        self.enqueue(caller, command, None)
    }

    fn enqueue(
        self: &Arc<Self>,
        caller: Caller,
        command: M::Command,
        transaction: Option<InTransaction>,
    ) -> oneshot::Receiver<M::Reply> {
        let (reply, receiver) = oneshot::channel();
        {
            let mut queue = self.queue();
            if queue.len() < QUEUED_COMMANDS_MAX && !self.unloaded.load(Ordering::Acquire) {
                queue.push_back(Submitted { caller, command, transaction, reply });
            }
        }
        self.work_off();
        receiver
    }

    /// Ticks the machine if its deadline has come.
    pub(crate) fn tick(self: &Arc<Self>) {
        if self.deadline.load(Ordering::Acquire) > nanos(Some(self.clock.monotonic())) {
            return;
        }
        {
            let mut state = self.lock();
            let mut effects = Effects::default();
            let State { machine, random, .. } = &mut *state;
            let mut round = Round::at(self.now());
            let mut env = self.env(round.now, random);
            machine.tick(&mut env, &mut effects);
            self.absorb(&mut state, effects, &mut round);
            // A failure has been answered; there is nobody here to tell.
            let _ = self.finish(&mut state, round);
            let held = state.held.back().map(|(end, _)| *end);
            drop(state);
            self.release_when_committed(held);
        }
        self.work_off();
    }

    /// Answers everybody who waits, as when the log is closed, and takes no more commands. Also after a panic in the
    /// machine: what it knows may then differ from its log, until a restart replays that.
    pub(crate) fn unload(&self) {
        let mut state = self.lock();
        self.unloaded.store(true, Ordering::Release);
        // Whoever handed in one of these finds the sender gone, which stands for the same answer.
        self.queue().clear();
        state.held.clear();
        let replies = state.machine.unloaded();
        send(&mut state, replies);
        state.waiting.clear();
        self.deadline.store(NEVER, Ordering::Release);
    }

    /// When [`Self::tick`] should be called next.
    pub(crate) fn deadline(&self) -> Option<Monotonic> {
        match self.deadline.load(Ordering::Acquire) {
            NEVER => None,
            nanos => Some(Monotonic(std::time::Duration::from_nanos(nanos))),
        }
    }

    /// True when the machine no longer answers.
    pub(crate) fn is_unloaded(&self) -> bool {
        self.unloaded.load(Ordering::Acquire)
    }

    /// The partition that holds the machine's records.
    pub(crate) fn partition(&self) -> &Arc<Partition> {
        &self.partition
    }

    /// Reads the machine between two commands.
    pub(crate) fn look<R>(self: &Arc<Self>, look: impl FnOnce(&M) -> R) -> R {
        let found = look(&self.lock().machine);
        self.work_off();
        found
    }

    /// Changes what the machine goes by, between two commands; never what its records say.
    pub(crate) fn adjust(self: &Arc<Self>, adjust: impl FnOnce(&mut M)) {
        adjust(&mut self.lock().machine);
        self.work_off();
    }

    /// Works off the queue if nobody else does. Whoever holds the machine calls this after letting go, so a command that
    /// was pushed in between is never left behind.
    fn work_off(self: &Arc<Self>) {
        let mut batches = 0;
        while !self.queue().is_empty() {
            batches += 1;
            if batches > BATCHES_PER_TURN_MAX {
                let coordinator = Arc::clone(self);
                drop(tokio::spawn(async move { coordinator.work_off() }));
                return;
            }
            let mut state = match self.state.try_lock() {
                Ok(state) => state,
                Err(TryLockError::Poisoned(_)) => return self.unload(),
                Err(TryLockError::WouldBlock) => return,
            };
            let mut round = Round::at(self.now());
            while let Some(submitted) = self.next_for(&round) {
                self.handle(&mut state, submitted, &mut round);
            }
            let _ = self.finish(&mut state, round);
            let held = state.held.back().map(|(end, _)| *end);
            drop(state);
            self.release_when_committed(held);
        }
    }

    /// The next command, if the round may take it.
    fn next_for(&self, round: &Round<M>) -> Option<Submitted<M>> {
        let mut queue = self.queue();
        let in_transaction = queue.front()?.transaction.is_some();
        if round.takes(in_transaction) { queue.pop_front() } else { None }
    }

    fn handle(&self, state: &mut State<M>, submitted: Submitted<M>, round: &mut Round<M>) {
        let Submitted { caller, command, transaction, reply } = submitted;
        round.begin(transaction);
        let reply_to = ReplyTo(state.next_reply);
        state.next_reply = state.next_reply.wrapping_add(1);
        state.waiting.insert(reply_to, reply);
        let mut effects = Effects::default();
        let State { machine, random, .. } = state;
        let mut env = self.env(round.now, random);
        machine.handle(&mut env, &caller, reply_to, command, &mut effects);
        self.absorb(state, effects, round);
    }

    /// Replays what a call led to, so that the next command sees it, and keeps it for the append.
    fn absorb(&self, state: &mut State<M>, effects: Effects<M::Reply>, round: &mut Round<M>) {
        let timestamp = round.now.wall.0;
        for record in effects.records {
            let offset = *round.next_offset.get_or_insert_with(|| self.partition.log().end_offset());
            let transaction = round.transaction.map(|transaction| transaction.producer_id);
            let reference = RecordRef { transaction, ..record.as_ref(timestamp) };
            match state.machine.replay(offset, &reference) {
                Ok(undo) => round.undos.push(undo),
                // A machine that cannot read its own record is a bug; the record is not written.
                Err(error) => {
                    error!(%error, "a state machine refused its own record");
                    continue;
                }
            }
            round.add(offset, &record);
        }
        if round.replies.is_empty() {
            // Mostly there is one command, so that nothing is moved.
            round.replies = effects.replies;
        } else {
            round.replies.extend(effects.replies);
        }
    }

    /// Appends the round's records, and sends its replies or holds them until what the machine has seen is committed.
    ///
    /// # Errors
    /// Why the append failed. Everything was taken back and answered then.
    fn finish(&self, state: &mut State<M>, round: Round<M>) -> Result<(), ErrorCode> {
        let Round { now, builder, transaction, undos, replies, .. } = round;
        let appended = if builder.is_empty() {
            Ok(state.held.back().map_or(0, |(end, _)| *end))
        } else {
            let append = Append {
                guard: transaction.and_then(|transaction| transaction.guard),
                ..Append::new(self.partition.leader_epoch(), Origin::Coordinator, now.wall)
            };
            self.partition.append_as(builder.build(), append).map(|accepted| accepted.end())
        };
        let result = match appended {
            Ok(end) if self.partition.high_watermark() >= end => {
                send(state, replies);
                Ok(())
            }
            Ok(end) => {
                state.held.push_back((end, replies));
                Ok(())
            }
            Err(failure) => {
                let partition = self.partition.name();
                match transaction {
                    None => warn!(%partition, %failure, "cannot append to a coordinator's log"),
                    // Mostly the producer's own doing: it was fenced, or the transaction is over.
                    Some(_) => debug!(%partition, %failure, "cannot append to a coordinator's log"),
                }
                undos.into_iter().rev().for_each(|undo| state.machine.undo(undo));
                let cause = error_codes::of_append(&failure);
                self.fail(state, cause, replies);
                Err(cause)
            }
        };
        self.note_deadline(state);
        result
    }

    /// Answers with the errors that the machine makes of replies which must not be sent.
    fn fail(&self, state: &mut State<M>, cause: ErrorCode, replies: Replies<M>) {
        let State { machine, random, .. } = state;
        let mut env = self.env(self.now(), random);
        let errors = machine.failed(&mut env, cause, replies);
        send(state, errors);
    }

    /// Waits for the high watermark, in a task of its own when it is not there yet.
    fn release_when_committed(self: &Arc<Self>, held: Option<Offset>) {
        let Some(end) = held else { return };
        if self.partition.appender_syncs() {
            self.partition.sync_here();
        }
        if self.partition.high_watermark() >= end {
            return self.release();
        }
        let coordinator = Arc::clone(self);
        tokio::spawn(async move {
            let committed = coordinator.partition.committed(end).await;
            if committed.is_err() {
                // What the machine knows is more than what is on disk, and nobody may see it any more.
                return coordinator.unload();
            }
            coordinator.release();
            coordinator.work_off();
        });
    }

    /// Sends the replies that are held and committed.
    fn release(&self) {
        let mut state = self.lock();
        let committed = self.partition.high_watermark();
        while state.held.front().is_some_and(|(end, _)| *end <= committed) {
            if let Some((_, replies)) = state.held.pop_front() {
                send(&mut state, replies);
            }
        }
    }

    fn note_deadline(&self, state: &State<M>) {
        let deadline = nanos(state.machine.deadline());
        if deadline < self.deadline.swap(deadline, Ordering::AcqRel) {
            (self.sooner)();
        }
    }

    fn now(&self) -> Moment {
        Moment::now(&*self.clock)
    }

    fn env<'a>(&'a self, now: Moment, random: &'a mut SystemRandom) -> Env<'a> {
        env(now, self.started, &*self.presence, random)
    }

    fn lock(&self) -> MutexGuard<'_, State<M>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn queue(&self) -> MutexGuard<'_, VecDeque<Submitted<M>>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The world as a machine may know it at a moment.
fn env<'a>(
    Moment { wall, monotonic }: Moment,
    started: Started,
    presence: &'a dyn Presence,
    random: &'a mut SystemRandom,
) -> Env<'a> {
    Env { wall, expiry_wall: started.expiry(wall, monotonic), monotonic, random, presence }
}

fn send<M: Machine>(state: &mut State<M>, replies: Replies<M>) {
    for (to, reply) in replies {
        if let Some(waiting) = state.waiting.remove(&to) {
            // A caller whose connection is gone is not told.
            let _ = waiting.send(reply);
        }
    }
}

fn nanos(moment: Option<Monotonic>) -> u64 {
    moment.map_or(NEVER, |moment| u64::try_from(moment.0.as_nanos()).unwrap_or(NEVER))
}
