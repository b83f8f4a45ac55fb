//! One request being answered.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use kafka_protocol::protocol::{Decodable, Encodable};
use ottla_control::machine::Caller;
use ottla_wire::{Malformed, RequestHeader, Unencodable};
use tokio::task::JoinHandle;

use crate::server::host_text;
use crate::shard::{SeenConnection, Shard};

/// Longest client id that is kept of a request, in bytes; groups and logs show it.
const CLIENT_ID_BYTES_MAX: usize = 256;

/// Who is at the other end of a connection.
#[derive(Debug)]
pub(crate) struct Client {
    /// Where it connects from.
    pub(crate) peer: SocketAddr,
    /// The same as Kafka prints it, with a slash in front.
    pub(crate) host: Arc<str>,
    /// What it is told to connect to.
    pub(crate) advertised: (Arc<str>, u16),
    /// How long its connection is to be muted, in milliseconds, by a request that was just answered.
    throttle_ms: AtomicU32,
    /// Its software and the version of it, since it has told them (KIP-511).
    software: OnceLock<(String, String)>,
    /// Where its requests are noted, since its first one; nothing when there is no room for that.
    seen: OnceLock<Option<SeenConnection>>,
}

impl Client {
    /// The client at `peer`, which is told to connect to `advertised`.
    pub(crate) fn new(peer: SocketAddr, advertised: (Arc<str>, u16)) -> Self {
        let (host, seen) = (host_text(peer.ip()), OnceLock::new());
        let software = OnceLock::new();
        Self { peer, host, advertised, throttle_ms: AtomicU32::new(0), software, seen }
    }

    /// Takes note of its software, the first time.
    pub(crate) fn note_software(&self, name: &str, version: &str) {
        self.software.get_or_init(|| (shortened(name).to_owned(), shortened(version).to_owned()));
    }

    /// Its software and the version of it; `unknown` when it has not told (`ClientInformation.EMPTY`).
    pub(crate) fn software(&self) -> (&str, &str) {
        self.software.get().map_or(("unknown", "unknown"), |(name, version)| (name, version))
    }

    /// Has the connection muted when the answer that is being made goes out.
    pub(crate) fn note_throttle(&self, throttle: Duration) {
        let throttle_ms = u32::try_from(throttle.as_millis()).unwrap_or(u32::MAX);
        self.throttle_ms.fetch_max(throttle_ms, Ordering::Relaxed);
    }

    /// How long the connection is to be muted, once.
    pub(crate) fn take_throttle(&self) -> Duration {
        Duration::from_millis(u64::from(self.throttle_ms.swap(0, Ordering::Relaxed)))
    }

    /// Takes note of a request. A client that changes its id on the way is known by the first one.
    pub(crate) fn note_request(&self, shard: &Shard, header: &RequestHeader) {
        let seen = self.seen.get_or_init(|| {
            let client_id = header.client_id.as_ref().map_or("", |id| shortened(id));
            shard.clients().connected(client_id, &self.host)
        });
        if let Some(seen) = seen {
            seen.note(header.api_key);
        }
    }
}

/// Why a connection has to be closed; one line for the log.
#[derive(Debug)]
pub(crate) struct Closed {
    pub(crate) reason: String,
}

impl Closed {
    pub(crate) fn new(reason: String) -> Self {
        Self { reason }
    }
}

impl From<Malformed> for Closed {
    fn from(malformed: Malformed) -> Self {
        Self::new(malformed.to_string())
    }
}

impl From<Unencodable> for Closed {
    fn from(error: Unencodable) -> Self {
        Self::new(format!("a bug: the answer cannot be written: {error}"))
    }
}

/// The pieces of an answer's frame.
pub(crate) type Parts = Vec<Bytes>;

/// A request that was started.
pub(crate) enum Started {
    /// Its answer.
    Ready(Parts),
    /// Its answer comes later.
    Waiting(Pin<Box<dyn Future<Output = Result<Parts, Closed>> + Send>>),
    /// It changes what later requests of the same connection may rely on, so they start when it is answered.
    Changing(JoinHandle<Result<Parts, Closed>>),
    /// It gets no answer (Produce with acks=0).
    Nothing,
}

impl Started {
    /// A request whose answer `future` makes.
    pub(crate) fn later(future: impl Future<Output = Result<Parts, Closed>> + Send + 'static) -> Self {
        Self::Waiting(Box::pin(future))
    }

    /// A request that changes topics or the like. What it cannot do at once runs to its end in a task of its own, whatever
    /// becomes of the connection: half a change must not be left behind.
    pub(crate) fn changing(future: impl Future<Output = Result<Parts, Closed>> + Send + 'static) -> Self {
        let mut future = Box::pin(future);
        // Nobody is woken by this turn: a future that is not ready is polled again by its task, which is what it wakes then.
        match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(Ok(parts)) => Self::Ready(parts),
            Poll::Ready(Err(closed)) => Self::Waiting(Box::pin(std::future::ready(Err(closed)))),
            Poll::Pending => Self::Changing(tokio::spawn(future)),
        }
    }

    /// The answer, if it is there.
    pub(crate) fn poll(&mut self, context: &mut Context<'_>) -> Poll<Result<Parts, Closed>> {
        match self {
            Self::Ready(parts) => Poll::Ready(Ok(std::mem::take(parts))),
            Self::Nothing => Poll::Ready(Ok(Parts::new())),
            Self::Waiting(answer) => answer.as_mut().poll(context),
            Self::Changing(task) => Pin::new(task).poll(context).map(|ended| {
                ended.unwrap_or_else(|_| {
                    Err(Closed::new("a bug: the change ended without an answer".to_owned()))
                })
            }),
        }
    }
}

/// One request: who asks, under which header, of which shard.
pub(crate) struct Call {
    /// Where everything is.
    pub(crate) shard: Arc<Shard>,
    /// Who asks.
    pub(crate) client: Arc<Client>,
    header: RequestHeader,
}

impl Call {
    pub(crate) fn new(shard: Arc<Shard>, client: Arc<Client>, header: RequestHeader) -> Self {
        Self { shard, client, header }
    }

    pub(crate) fn api_key(&self) -> i16 {
        self.header.api_key
    }

    pub(crate) fn version(&self) -> i16 {
        self.header.version
    }

    pub(crate) fn correlation_id(&self) -> i32 {
        self.header.correlation_id
    }

    /// The id that the client gives itself, or nothing.
    pub(crate) fn client_id(&self) -> &str {
        self.header.client_id.as_deref().unwrap_or_default()
    }

    /// The same, no longer than what is kept of it.
    pub(crate) fn short_client_id(&self) -> &str {
        shortened(self.client_id())
    }

    /// The caller as the state machines remember it; copied out of the frame.
    pub(crate) fn caller(&self) -> Caller {
        let client_id = self.header.client_id.as_ref().map(|id| shortened(id).into());
        Caller { client_id, client_host: Arc::clone(&self.client.host) }
    }

    /// Decodes the body with the types of `kafka-protocol`.
    pub(crate) fn decode<T: Decodable>(&self, mut body: Bytes) -> Result<T, Closed> {
        Ok(ottla_wire::decode(self.version(), &mut body)?)
    }

    /// The frame of an answer.
    pub(crate) fn answer<T: Encodable>(&self, response: &T) -> Result<Parts, Closed> {
        let frame = ottla_wire::encode_response_frame(
            self.api_key(),
            self.version(),
            self.correlation_id(),
            response,
        )?;
        Ok(vec![frame])
    }

    /// An answer that is ready at once.
    pub(crate) fn ready<T: Encodable>(&self, response: &T) -> Result<Started, Closed> {
        self.answer(response).map(Started::Ready)
    }
}

fn shortened(text: &str) -> &str {
    let mut end = text.len().min(CLIENT_ID_BYTES_MAX);
    while !text.is_char_boundary(end) {
        end = end.saturating_sub(1);
    }
    text.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn client_ids_are_cut_between_characters() {
        assert_eq!(shortened("abc"), "abc");
        let long = format!("{}é{}", "x".repeat(255), "y".repeat(10));
        assert_eq!(shortened(&long), "x".repeat(255));
    }
}
