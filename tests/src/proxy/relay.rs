//! One connection through the proxy.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use super::{Held, Shared, frame, locked};

const CHUNK_BYTES: usize = 64 << 10;

/// What came back from a broker over one connection.
#[derive(Debug, Default)]
pub(super) struct Answers {
    state: Mutex<Arrived>,
    changed: Condvar,
}

#[derive(Debug, Default, Clone, Copy)]
struct Arrived {
    bytes: u64,
    closed: bool,
}

impl Answers {
    fn note(&self, bytes: usize) {
        let mut state = locked(&self.state);
        state.bytes = state.bytes.saturating_add(bytes as u64);
        state.closed |= bytes == 0;
        self.changed.notify_all();
    }
}

/// Passes requests on until a side closes or a request is held; answers go the other way on a thread of their own.
pub(super) fn run(shared: &Arc<Shared>, mut client: TcpStream, mut broker: TcpStream) {
    let _ = client.set_nodelay(true).and(broker.set_nodelay(true));
    let (Ok(from), Ok(to)) = (broker.try_clone(), client.try_clone()) else { return };
    let answers = Arc::new(Answers::default());
    let noted = Arc::clone(&answers);
    std::thread::spawn(move || pass_back(from, to, &noted));
    while let Ok(bytes) = frame::read(&mut client) {
        let Some(head) = frame::head(&bytes) else { break };
        if (locked(&shared.holds))(&head) {
            let held = Held { head, bytes, broker, answers };
            locked(&shared.held).push_back(held);
            // The client waits in vain, until it has had enough.
            let _ = io::copy(&mut client, &mut io::sink());
            return;
        }
        if broker.write_all(&bytes).is_err() {
            break;
        }
    }
    let _ = broker.shutdown(Shutdown::Both);
}

/// Passes answers on. A client that has gone does not end it: a request of its may still be held.
fn pass_back(mut from: TcpStream, mut to: TcpStream, answers: &Answers) {
    let mut chunk = vec![0; CHUNK_BYTES];
    loop {
        let count = from.read(&mut chunk).unwrap_or_default();
        answers.note(count);
        if count == 0 {
            let _ = to.shutdown(Shutdown::Both);
            return;
        }
        let _ = to.write_all(chunk.get(..count).unwrap_or_default());
    }
}

/// Writes a held request to the broker and waits until it is answered, or refused by closing the connection; whether it
/// was answered.
pub(super) fn deliver(mut held: Held, limit: Duration) -> bool {
    let before = locked(&held.answers.state).bytes;
    let written = held.broker.write_all(&held.bytes).is_ok();
    let state = locked(&held.answers.state);
    let waits = |arrived: &mut Arrived| written && arrived.bytes == before && !arrived.closed;
    let waited = held.answers.changed.wait_timeout_while(state, limit, waits);
    let arrived = *waited.unwrap_or_else(PoisonError::into_inner).0;
    let _ = held.broker.shutdown(Shutdown::Both);
    arrived.bytes > before
}
