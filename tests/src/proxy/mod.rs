//! A proxy between clients and a broker that understands frames, and holds requests back to deliver them late.
//!
//! A request that is held stops its connection, as a stalled network does: what the client sends behind it waits too. The
//! client runs into its timeout, closes the connection and goes on over another one. The broker's side of the old one
//! stays open, and the held request is written to it when it is released.
//!
//! The broker must advertise the proxy's address (`advertised.listeners`), or clients would go around it.

mod frame;
mod relay;

use std::collections::VecDeque;
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::problem::{Doing, Problem};

pub use frame::Head;
use relay::Answers;

/// How long the answer to a released request may take.
const ANSWER_LIMIT: Duration = Duration::from_secs(10);

/// Decides which requests are held. It sees the requests of all connections in the order in which they come.
pub type Holds = Box<dyn FnMut(&Head) -> bool + Send>;

/// A request that was held back, with the broker's side of its connection.
struct Held {
    head: Head,
    bytes: Vec<u8>,
    broker: TcpStream,
    answers: Arc<Answers>,
}

/// A held request that was delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delivered {
    /// What it was.
    pub head: Head,
    /// Whether the broker answered it; otherwise it closed the connection.
    pub answered: bool,
}

struct Shared {
    broker: String,
    holds: Mutex<Holds>,
    held: Mutex<VecDeque<Held>>,
    ended: AtomicBool,
}

/// A running proxy. Dropping it ends it.
pub struct Proxy {
    port: u16,
    shared: Arc<Shared>,
    acceptor: Option<JoinHandle<()>>,
}

fn locked<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Proxy {
    /// Listens on a port of 127.0.0.1 for clients of the broker at `HOST:PORT`.
    ///
    /// # Errors
    /// The port is taken.
    pub fn start(port: u16, broker: String, holds: Holds) -> Result<Self, Problem> {
        let listener = TcpListener::bind(("127.0.0.1", port)).doing("listen as a proxy")?;
        let (held, ended) = (Mutex::default(), AtomicBool::new(false));
        let shared = Arc::new(Shared { broker, holds: Mutex::new(holds), held, ended });
        let accepting = Arc::clone(&shared);
        let acceptor = std::thread::spawn(move || {
            for client in listener.incoming() {
                if accepting.ended.load(Ordering::Acquire) {
                    return;
                }
                let Ok(client) = client else { continue };
                // A broker that is down refuses the proxy, and so the client.
                let Ok(broker) = TcpStream::connect(&accepting.broker) else { continue };
                let shared = Arc::clone(&accepting);
                std::thread::spawn(move || relay::run(&shared, client, broker));
            }
        });
        Ok(Self { port, shared, acceptor: Some(acceptor) })
    }

    /// What clients are given, `127.0.0.1:PORT`.
    #[must_use]
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// How many requests are held.
    #[must_use]
    pub fn held(&self) -> usize {
        locked(&self.shared.held).len()
    }

    /// Delivers the oldest request that is held. None when there is none.
    pub fn release(&self) -> Option<Delivered> {
        let held = locked(&self.shared.held).pop_front()?;
        let (head, answered) = (held.head, relay::deliver(held, ANSWER_LIMIT));
        Some(Delivered { head, answered })
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.ended.store(true, Ordering::Release);
        // Wakes the acceptor.
        drop(TcpStream::connect(("127.0.0.1", self.port)));
        if let Some(acceptor) = self.acceptor.take() {
            let _ = acceptor.join();
        }
    }
}
