//! One connection: reads frames, starts requests in order, sends answers in order.
//!
//! Everything about a connection happens in its one task. A request starts as soon as it has arrived, so that a
//! pipelining producer need not wait; an answer that has to wait (Fetch, JoinGroup, acks=all) holds back only the
//! answers behind it. A waiting answer becomes ready by what other tasks do; what this one would have to drive itself
//! (changes of topics) runs in a task of its own, and later requests of the connection start after it.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

use bytes::Bytes;
use ottla_wire::FrameReader;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tracing::{debug, info};

use super::charge::Charge;
use super::idle::IdleTimer;
use super::listener::Advertised;
use super::outgoing::Outgoing;
use crate::api::{self, Client, Measure, Started};
use crate::metrics::count;
use crate::shard::Shard;

/// Requests of one connection that may be unanswered; the next is not read before one of them is.
const REQUESTS_IN_FLIGHT_MAX: usize = 100;

/// Bytes of unwritten answers, and of requests that wait for theirs, that a connection may hold; no further request is
/// started beyond. One answer and one request may be larger.
const HELD_BYTES_MAX: usize = 8 << 20;

/// A request up to this size is read without asking for a share of `queued.max.request.bytes`.
const REQUEST_BYTES_FREE: usize = 64 * 1024;

/// Shares of `queued.max.request.bytes` are counted in this unit, so that they fit a semaphore.
const SHARE_BYTES: usize = 1024;

/// How long a large request waits for room while it arrives; its connection is closed then, so that requests which hold
/// a part of what they need cannot wait for each other for ever.
const ADMISSION_PATIENCE: Duration = Duration::from_secs(10);

/// Longest time that a connection is muted at once. A larger one would come of a tiny quota; what is left of it is counted
/// with the next request.
const MUTE_MAX: Duration = Duration::from_secs(3600);

/// Room for large requests that are arriving, over all connections of a broker.
#[derive(Debug, Clone)]
pub(crate) struct RequestMemory {
    shares: Arc<Semaphore>,
}

impl RequestMemory {
    /// Room for as many bytes; a number below 1 means no limit, as in Kafka.
    pub(crate) fn new(queued_max_request_bytes: i64) -> Self {
        let bytes = usize::try_from(queued_max_request_bytes).unwrap_or(0);
        let shares = if bytes == 0 { Semaphore::MAX_PERMITS } else { bytes.div_ceil(SHARE_BYTES) };
        Self { shares: Arc::new(Semaphore::new(shares.min(Semaphore::MAX_PERMITS))) }
    }

    async fn admit(&self, bytes: usize) -> Option<OwnedSemaphorePermit> {
        let shares = u32::try_from(bytes.div_ceil(SHARE_BYTES)).unwrap_or(u32::MAX);
        let admission = Arc::clone(&self.shares).acquire_many_owned(shares);
        tokio::time::timeout(ADMISSION_PATIENCE, admission).await.ok()?.ok()
    }
}

/// The room that one connection has taken for the request that is arriving.
#[derive(Debug, Default)]
struct Admission {
    permit: Option<OwnedSemaphorePermit>,
    bytes: usize,
}

impl Admission {
    /// The bytes that must be asked for before more is read. Room is taken as bytes arrive, at most twice as much, and
    /// not as they are announced: an announcement costs its sender nothing.
    fn missing(&self, frames: &FrameReader) -> usize {
        let announced = frames.awaited_bytes();
        if announced <= REQUEST_BYTES_FREE {
            return 0;
        }
        let next = frames.buffered_bytes().max(REQUEST_BYTES_FREE).saturating_mul(2).min(announced);
        if frames.buffered_bytes() < self.bytes { 0 } else { next.saturating_sub(self.bytes) }
    }

    fn add(&mut self, bytes: usize, more: OwnedSemaphorePermit) {
        self.bytes = self.bytes.saturating_add(bytes);
        match &mut self.permit {
            Some(permit) => permit.merge(more),
            None => self.permit = Some(more),
        }
    }
}

/// A request that is not answered yet, and the bytes that it holds.
struct Pending {
    started: Started,
    bytes: usize,
    /// Nothing once it is measured.
    measure: Option<Measure>,
    /// Nothing without quotas.
    charge: Option<Charge>,
}

/// A connection and what belongs to it.
pub(crate) struct Connection {
    stream: TcpStream,
    shard: Arc<Shard>,
    client: Arc<Client>,
    frames: FrameReader,
    /// Unanswered requests, oldest first.
    pending: VecDeque<Pending>,
    /// The bytes that they hold together.
    pending_bytes: usize,
    outgoing: Outgoing,
    /// A first whole frame may be here already that was not started yet because of a limit.
    stalled: bool,
    memory: RequestMemory,
    admission: Admission,
    /// Why the connection ends once everything before is answered. Nothing more is read or started then.
    closing: Option<String>,
    /// Until when nothing is read and no request started, since the client has gone beyond a quota.
    muted_until: Option<Instant>,
}

/// What woke the task.
enum Event {
    /// The oldest request has its answer, and may be charged.
    Answered(Result<Vec<Bytes>, api::Closed>, Option<Charge>),
    /// Some bytes were read; 0 is the end.
    Read(usize),
    /// Some bytes were written. What they answer was an event too, so that only a write that had to wait counts as a sign
    /// of life of its own.
    Written,
    /// There is room for so many more bytes of the large request that is arriving, or there was none in time.
    Admitted(usize, Option<OwnedSemaphorePermit>),
    /// Nothing happened for as long as a connection may be silent.
    Idle,
    /// The connection is no longer muted.
    Unmuted,
    /// The broker stops.
    Stopped,
}

impl Connection {
    /// A connection that was just accepted.
    pub(crate) fn new(
        stream: TcpStream,
        peer: SocketAddr,
        advertised: &Advertised,
        shard: Arc<Shard>,
        memory: RequestMemory,
    ) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        let local = stream.local_addr()?;
        let frame_bytes_max = usize::try_from(shard.settings().socket_request_max_bytes).unwrap_or(0);
        let client = Arc::new(Client::new(peer, advertised.for_local(local)));
        Ok(Self {
            stream,
            shard,
            client,
            frames: FrameReader::new(frame_bytes_max),
            pending: VecDeque::new(),
            pending_bytes: 0,
            outgoing: Outgoing::default(),
            stalled: false,
            memory,
            admission: Admission::default(),
            closing: None,
            muted_until: None,
        })
    }

    /// Serves until the client goes, breaks the protocol, or the broker stops.
    pub(crate) async fn serve(mut self, stop: watch::Receiver<bool>) {
        let peer = self.client.peer;
        match self.run(stop).await {
            Ok(()) => debug!(%peer, "connection closed"),
            Err(End::Io(error)) => debug!(%peer, %error, "connection lost"),
            Err(End::Protocol(reason)) => {
                info!(%peer, reason, "connection closed: the client broke the protocol");
            }
        }
    }

    async fn run(&mut self, mut stop: watch::Receiver<bool>) -> Result<(), End> {
        // Both live as long as the connection: to make them anew for every event costs more than a small request.
        let mut stopped = pin!(async move { drop(stop.changed().await) });
        let mut idle = IdleTimer::new(self.idle_after());
        loop {
            self.start_requests();
            if self.pending.is_empty()
                && self.outgoing.is_empty()
                && let Some(reason) = self.closing.take()
            {
                return Err(End::Protocol(reason));
            }
            let event = self.next_event(stopped.as_mut(), &mut idle).await?;
            if !matches!(event, Event::Written) {
                idle.touch();
            }
            match event {
                Event::Answered(answer, charge) => self.answered(answer, charge),
                Event::Unmuted => self.muted_until = None,
                Event::Read(0) if self.frames.is_empty() => return Ok(()),
                Event::Read(0) => return Err(End::Protocol("the stream ended inside a frame".to_owned())),
                Event::Read(_) | Event::Written => {}
                Event::Admitted(bytes, Some(more)) => self.admission.add(bytes, more),
                Event::Admitted(_, None) => {
                    return Err(End::Protocol("there is no room for another large request".to_owned()));
                }
                Event::Idle | Event::Stopped => return Ok(()),
            }
        }
    }

    /// Starts every request that has wholly arrived, as far as the limits allow.
    fn start_requests(&mut self) {
        while self.may_start() {
            let frame = match self.frames.next() {
                Ok(Some(frame)) => frame,
                Ok(None) => {
                    self.stalled = false;
                    return;
                }
                Err(error) => return self.close(error.to_string()),
            };
            self.admission = Admission::default();
            let frame_bytes = frame.len();
            let measure = Measure::begin(&frame);
            let mut charge = Charge::begin(&self.shard, &frame);
            let started = Charge::spend(&mut charge, || api::start(&self.shard, &self.client, frame));
            let started = match started {
                Ok(started) => started,
                Err(closed) => {
                    measure.closed(self.shard.counters());
                    return self.close(closed.reason);
                }
            };
            let bytes = match &started {
                Started::Ready(parts) => parts.iter().map(Bytes::len).sum(),
                Started::Nothing => 0,
                Started::Waiting(_) | Started::Changing(_) => frame_bytes,
            };
            self.pending_bytes = self.pending_bytes.saturating_add(bytes);
            let measure = match &started {
                Started::Ready(parts) => {
                    measure.answered(self.shard.counters(), parts);
                    None
                }
                Started::Nothing => {
                    measure.answered(self.shard.counters(), &[]);
                    None
                }
                Started::Waiting(_) | Started::Changing(_) => Some(measure),
            };
            self.pending.push_back(Pending { started, bytes, measure, charge });
            self.take_ready();
        }
        self.stalled = true;
    }

    /// Ends the connection, as Kafka does with what it cannot parse, once the requests before are answered.
    fn close(&mut self, reason: String) {
        self.closing.get_or_insert(reason);
        self.stalled = true;
    }

    fn may_start(&self) -> bool {
        let held = self.outgoing.bytes().saturating_add(self.pending_bytes);
        let changing = self.pending.back().is_some_and(|last| matches!(last.started, Started::Changing(_)));
        self.closing.is_none()
            && self.muted_until.is_none()
            && self.pending.len() < REQUESTS_IN_FLIGHT_MAX
            && held < HELD_BYTES_MAX
            && !changing
    }

    /// Moves the answers that are ready, from the oldest on, to the outgoing bytes.
    fn take_ready(&mut self) {
        while let Some(Pending { started: Started::Ready(_) | Started::Nothing, .. }) = self.pending.front() {
            match self.pop() {
                Some(Pending { started: Started::Ready(parts), charge, .. }) => {
                    self.answered(Ok(parts), charge);
                }
                Some(Pending { charge, .. }) => self.answered(Ok(Vec::new()), charge),
                None => {}
            }
        }
    }

    fn pop(&mut self) -> Option<Pending> {
        let pending = self.pending.pop_front()?;
        self.pending_bytes = self.pending_bytes.saturating_sub(pending.bytes);
        Some(pending)
    }

    fn answered(&mut self, answer: Result<Vec<Bytes>, api::Closed>, charge: Option<Charge>) {
        match answer {
            Ok(mut parts) => {
                if let Some(charge) = charge {
                    self.mute_for(charge.settle(&self.shard, &self.client, &mut parts));
                }
                parts.into_iter().for_each(|part| self.outgoing.push(part));
            }
            Err(closed) => {
                // Answers behind this one would come out of order.
                self.pending.clear();
                self.pending_bytes = 0;
                self.close(closed.reason);
            }
        }
    }

    /// The answer goes out at once, and what the client sends after it waits: a client that does not keep to what it is
    /// told gains nothing.
    fn mute_for(&mut self, throttle: Duration) {
        if throttle.is_zero() {
            return;
        }
        let until = Instant::now().checked_add(throttle.min(MUTE_MAX));
        self.muted_until = self.muted_until.max(until);
        self.stalled = true;
    }

    async fn next_event(
        &mut self,
        mut stopped: Pin<&mut impl Future<Output = ()>>,
        idle: &mut IdleTimer,
    ) -> Result<Event, End> {
        self.take_ready();
        let waiting = !self.pending.is_empty();
        let missing = self.admission.missing(&self.frames);
        let may_read = !self.stalled;
        let muted_until = self.muted_until;
        let Self { stream, frames, pending, outgoing, memory, shard, .. } = self;
        if !outgoing.is_empty() {
            // A client that reads as fast as it is written to is no reason to forget the others.
            tokio::task::coop::consume_budget().await;
            // Nearly every answer fits into the socket at once.
            if let Some(bytes) = outgoing.try_write(stream).map_err(End::Io)? {
                return Ok(written_bytes(shard, bytes));
            }
            // Nothing else is done while the client does not read: that is what bounds the memory of answers.
            return tokio::select! {
                biased;
                () = stopped.as_mut() => Ok(Event::Stopped),
                written = outgoing.write_some(stream) => {
                    idle.touch();
                    written.map(|bytes| written_bytes(shard, bytes)).map_err(End::Io)
                }
                () = idle.passed() => Ok(Event::Idle),
            };
        }
        // The stop comes first, so that a busy client does not keep it from being seen.
        let event = tokio::select! {
            biased;
            () = stopped.as_mut() => Event::Stopped,
            answer = front_answer(pending), if waiting => Event::Answered(answer, None),
            () = unmuted(muted_until), if muted_until.is_some() => Event::Unmuted,
            read = stream.read_buf(frames.buffer_mut()), if may_read && missing == 0 => {
                let read = read.map_err(End::Io)?;
                count(&shard.counters().received_bytes, read as u64);
                Event::Read(read)
            }
            more = memory.admit(missing), if may_read && missing > 0 => Event::Admitted(missing, more),
            () = idle.passed(), if !waiting && muted_until.is_none() => Event::Idle,
        };
        let Event::Answered(answer, _) = event else { return Ok(event) };
        if let Some(measure) = self.pending.front().and_then(|front| front.measure.as_ref()) {
            match &answer {
                Ok(parts) => measure.answered(self.shard.counters(), parts),
                Err(_) => measure.closed(self.shard.counters()),
            }
        }
        let charge = self.pop().and_then(|pending| pending.charge);
        Ok(Event::Answered(answer, charge))
    }

    fn idle_after(&self) -> Duration {
        match u64::try_from(self.shard.settings().connections_max_idle_ms) {
            Ok(millis) => Duration::from_millis(millis),
            // A negative time means never.
            Err(_) => Duration::MAX,
        }
    }
}

/// Waits for the answer at the front, which stays there until it is ready, so that this may be dropped and called again.
async fn front_answer(pending: &mut VecDeque<Pending>) -> Result<Vec<Bytes>, api::Closed> {
    poll_fn(|context| match pending.front_mut() {
        Some(Pending { started, charge, .. }) => Charge::spend(charge, || started.poll(context)),
        None => Poll::Pending,
    })
    .await
}

async fn unmuted(until: Option<Instant>) {
    match until {
        Some(until) => tokio::time::sleep_until(until.into()).await,
        None => std::future::pending().await,
    }
}

fn written_bytes(shard: &Shard, bytes: usize) -> Event {
    count(&shard.counters().sent_bytes, bytes as u64);
    Event::Written
}

/// Why a connection ended other than by the client closing it.
enum End {
    Io(io::Error),
    Protocol(String),
}
