//! One connection: reads frames, starts requests in order, sends answers in order.
//!
//! Everything about a connection happens in its one task. A request starts as soon as it has arrived, so that a
//! pipelining producer need not wait; an answer that has to wait (Fetch, JoinGroup, acks=all) holds back only the
//! answers behind it. Nothing needs the task to make a waiting answer ready: other tasks do that and wake it.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use ottla_wire::FrameReader;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tracing::{debug, info};

use super::listener::Advertised;
use super::outgoing::Outgoing;
use crate::api::{self, Client, Started};
use crate::shard::Shard;

/// Requests of one connection that may be unanswered; the next is not read before one of them is.
const REQUESTS_IN_FLIGHT_MAX: usize = 100;

/// Answers of one connection that may wait to be written; no request is started beyond. One answer may be larger.
const OUTGOING_BYTES_MAX: usize = 1 << 20;

/// A request up to this size is read without asking for a share of `queued.max.request.bytes`.
const REQUEST_BYTES_FREE: usize = 64 * 1024;

/// Shares of `queued.max.request.bytes` are counted in this unit, so that they fit a semaphore.
const SHARE_BYTES: usize = 1024;

/// Room for large requests that are arriving, over all connections of a broker.
#[derive(Debug, Clone)]
pub(crate) struct RequestMemory {
    shares: Arc<Semaphore>,
    /// The most that one request takes: a request larger than all the room waits until it is alone.
    shares_max: u32,
}

impl RequestMemory {
    /// Room for as many bytes; a number below 1 means no limit, as in Kafka.
    pub(crate) fn new(queued_max_request_bytes: i64) -> Self {
        let bytes = usize::try_from(queued_max_request_bytes).unwrap_or(0);
        let shares = if bytes == 0 { Semaphore::MAX_PERMITS } else { bytes.div_ceil(SHARE_BYTES) };
        let shares = shares.min(Semaphore::MAX_PERMITS);
        let shares_max = u32::try_from(shares).unwrap_or(u32::MAX);
        Self { shares: Arc::new(Semaphore::new(shares)), shares_max }
    }

    async fn admit(&self, bytes: usize) -> Option<OwnedSemaphorePermit> {
        let shares = u32::try_from(bytes.div_ceil(SHARE_BYTES)).unwrap_or(u32::MAX).min(self.shares_max);
        Arc::clone(&self.shares).acquire_many_owned(shares).await.ok()
    }
}

/// A connection and what belongs to it.
pub(crate) struct Connection {
    stream: TcpStream,
    shard: Arc<Shard>,
    client: Arc<Client>,
    frames: FrameReader,
    /// Unanswered requests, oldest first.
    pending: VecDeque<Started>,
    outgoing: Outgoing,
    /// A first whole frame may be here already that was not started yet because of a limit.
    stalled: bool,
    memory: RequestMemory,
    /// Held while a large request arrives.
    admission: Option<OwnedSemaphorePermit>,
}

/// What woke the task.
enum Event {
    /// The oldest request has its answer.
    Answered(Result<Vec<Bytes>, api::Closed>),
    /// Some bytes were read; 0 is the end.
    Read(usize),
    /// Some bytes were written.
    Written,
    /// There is room for the large request that has begun to arrive.
    Admitted(Option<OwnedSemaphorePermit>),
    /// Nothing happened for as long as a connection may be silent.
    Idle,
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
            outgoing: Outgoing::default(),
            stalled: false,
            memory,
            admission: None,
        })
    }

    /// Serves until the client goes, breaks the protocol, or the broker stops.
    pub(crate) async fn serve(mut self, mut stop: watch::Receiver<bool>) {
        let peer = self.client.peer;
        match self.run(&mut stop).await {
            Ok(()) => debug!(%peer, "connection closed"),
            Err(End::Io(error)) => debug!(%peer, %error, "connection lost"),
            Err(End::Protocol(reason)) => {
                info!(%peer, reason, "connection closed: the client broke the protocol");
            }
        }
    }

    async fn run(&mut self, stop: &mut watch::Receiver<bool>) -> Result<(), End> {
        loop {
            self.start_requests()?;
            match self.next_event(stop).await? {
                Event::Answered(answer) => self.answered(answer)?,
                Event::Read(0) if self.frames.is_empty() => return Ok(()),
                Event::Read(0) => return Err(End::Protocol("the stream ended inside a frame".to_owned())),
                Event::Read(_) | Event::Written => {}
                Event::Admitted(admission) => self.admission = admission,
                Event::Idle | Event::Stopped => return Ok(()),
            }
        }
    }

    /// Starts every request that has wholly arrived, as far as the limits allow.
    fn start_requests(&mut self) -> Result<(), End> {
        while self.may_start() {
            let frame = match self.frames.next() {
                Ok(Some(frame)) => frame,
                Ok(None) => {
                    self.stalled = false;
                    return Ok(());
                }
                Err(error) => return Err(End::Protocol(error.to_string())),
            };
            self.admission = None;
            match api::start(&self.shard, &self.client, frame) {
                Ok(started) => self.pending.push_back(started),
                Err(closed) => return Err(End::Protocol(closed.reason)),
            }
            self.take_ready()?;
        }
        self.stalled = true;
        Ok(())
    }

    fn may_start(&self) -> bool {
        self.pending.len() < REQUESTS_IN_FLIGHT_MAX && self.outgoing.bytes() < OUTGOING_BYTES_MAX
    }

    /// Moves the answers that are ready, from the oldest on, to the outgoing bytes.
    fn take_ready(&mut self) -> Result<(), End> {
        while let Some(Started::Ready(_) | Started::Nothing) = self.pending.front() {
            if let Some(Started::Ready(parts)) = self.pending.pop_front() {
                self.answered(Ok(parts))?;
            }
        }
        Ok(())
    }

    fn answered(&mut self, answer: Result<Vec<Bytes>, api::Closed>) -> Result<(), End> {
        let parts = answer.map_err(|closed| End::Protocol(closed.reason))?;
        parts.into_iter().for_each(|part| self.outgoing.push(part));
        Ok(())
    }

    async fn next_event(&mut self, stop: &mut watch::Receiver<bool>) -> Result<Event, End> {
        self.take_ready()?;
        let waiting = matches!(self.pending.front(), Some(Started::Waiting(_)));
        let awaited = self.frames.awaited_bytes();
        let admitted = awaited <= REQUEST_BYTES_FREE || self.admission.is_some();
        let may_read = !self.stalled;
        let idle = self.idle_after();
        let Self { stream, frames, pending, outgoing, memory, .. } = self;
        if !outgoing.is_empty() {
            // Nothing else is done while the client does not read: that is what bounds the memory of answers.
            return tokio::select! {
                written = tokio::time::timeout(idle, outgoing.write_some(stream)) => match written {
                    Ok(result) => result.map(|()| Event::Written).map_err(End::Io),
                    Err(_) => Ok(Event::Idle),
                },
                _ = stop.changed() => Ok(Event::Stopped),
            };
        }
        tokio::select! {
            answer = front_answer(pending), if waiting => {
                pending.pop_front();
                Ok(Event::Answered(answer))
            }
            read = stream.read_buf(frames.buffer_mut()), if may_read && admitted => {
                read.map(Event::Read).map_err(End::Io)
            }
            admission = memory.admit(awaited), if may_read && !admitted => Ok(Event::Admitted(admission)),
            () = tokio::time::sleep(idle), if !waiting => Ok(Event::Idle),
            _ = stop.changed() => Ok(Event::Stopped),
        }
    }

    fn idle_after(&self) -> Duration {
        match u64::try_from(self.shard.settings().connections_max_idle_ms) {
            Ok(millis) => Duration::from_millis(millis),
            // A negative time means never; a year is as good.
            Err(_) => Duration::from_secs(365 * 24 * 3600),
        }
    }
}

/// Waits for the answer at the front, which stays there until it is ready, so that this may be dropped and called again.
async fn front_answer(pending: &mut VecDeque<Started>) -> Result<Vec<Bytes>, api::Closed> {
    poll_fn(|context| match pending.front_mut() {
        Some(Started::Waiting(answer)) => answer.as_mut().poll(context),
        _ => Poll::Pending,
    })
    .await
}

/// Why a connection ended other than by the client closing it.
enum End {
    Io(io::Error),
    Protocol(String),
}
