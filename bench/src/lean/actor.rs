//! One thread that serves many connections which never block.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use ottla_tests::problem::{Doing, Problem};
use rustix::buffer::spare_capacity;
use rustix::event::{Timespec, epoll};

use super::alarm::Alarm;

/// How long nothing at all may arrive while something is awaited.
const SILENCE_LIMIT: Duration = Duration::from_secs(60);

/// What an actor is after its turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// It waits for its connection.
    Waits,
    /// It waits for its connection, or until then at most.
    WaitsUntil(Instant),
    /// It has sent and received all that it will.
    Done,
}

/// Who speaks over one connection.
pub trait Actor {
    /// The connection. It must not block.
    fn stream(&self) -> &TcpStream;

    /// Reads and writes until the connection would block. It is called at first, and again whenever there may be more to
    /// read or room to write.
    ///
    /// # Errors
    /// The connection was lost, or an answer is not as it should be.
    fn turn(&mut self) -> Result<Progress, Problem>;
}

/// Lets all actors speak until all are done.
///
/// # Errors
/// That of the first actor who fails; nothing arrived for a long time.
pub fn run<'a>(actors: &mut [Box<dyn Actor + 'a>]) -> Result<(), Problem> {
    let epoll = epoll::create(epoll::CreateFlags::CLOEXEC).doing("make an epoll object")?;
    let mut wake = Alarm::of(&epoll)?;
    let flags = epoll::EventFlags::IN | epoll::EventFlags::OUT | epoll::EventFlags::ET;
    let mut states = Vec::with_capacity(actors.len());
    for (place, actor) in (0..).zip(actors.iter_mut()) {
        epoll::add(&epoll, actor.stream(), epoll::EventData::new_u64(place), flags)
            .doing("watch a connection")?;
        states.push(actor.turn()?);
    }
    let mut events = Vec::with_capacity(actors.len().clamp(1, 1024));
    loop {
        if states.iter().all(|state| *state == Progress::Done) {
            return Ok(());
        }
        let alarm = states.iter().filter_map(|state| match state {
            Progress::WaitsUntil(time) => Some(*time),
            Progress::Waits | Progress::Done => None,
        });
        let alarm = alarm.min();
        let now = Instant::now();
        let mut limit = SILENCE_LIMIT;
        match alarm {
            Some(time) if time <= now => limit = Duration::ZERO,
            Some(time) => wake.set(time, now)?,
            None => {}
        }
        let timeout = Timespec::try_from(limit).doing("express a time limit")?;
        epoll::wait(&epoll, spare_capacity(&mut events), Some(&timeout)).doing("wait for connections")?;
        if events.is_empty() && alarm.is_none() {
            return Err(Problem::new("nothing arrived for a minute, though answers were awaited"));
        }
        let mut act = |place: usize| -> Result<(), Problem> {
            if let (Some(actor), Some(state)) = (actors.get_mut(place), states.get_mut(place))
                && *state != Progress::Done
            {
                *state = actor.turn()?;
            }
            Ok(())
        };
        for event in events.drain(..) {
            act(usize::try_from(event.data.u64()).unwrap_or(usize::MAX))?;
        }
        if alarm.is_some() {
            let now = Instant::now();
            let due = |state: &Progress| matches!(state, Progress::WaitsUntil(time) if *time <= now);
            let places: Vec<usize> =
                (0..).zip(&states).filter(|(_, state)| due(state)).map(|it| it.0).collect();
            for place in places {
                if let (Some(actor), Some(state)) = (actors.get_mut(place), states.get_mut(place)) {
                    *state = actor.turn()?;
                }
            }
        }
    }
}

/// A connection that does not block.
pub(super) fn connect(address: &str) -> Result<TcpStream, Problem> {
    let stream = TcpStream::connect(address).doing(format_args!("connect to {address}"))?;
    stream.set_nodelay(true).doing("set TCP_NODELAY")?;
    stream.set_nonblocking(true).doing("make a connection that does not block")?;
    Ok(stream)
}

/// Writes what goes without blocking, and gives how much that was; 0 when nothing did.
pub(super) fn write_some(mut stream: &TcpStream, bytes: &[u8]) -> Result<usize, Problem> {
    loop {
        match stream.write(bytes) {
            Ok(count) => return Ok(count),
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(0),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error).doing("send a request"),
        }
    }
}

/// Reads what is there into the buffer; `None` when nothing is.
pub(super) fn read_some(mut stream: &TcpStream, into: &mut [u8]) -> Result<Option<usize>, Problem> {
    loop {
        match stream.read(into) {
            Ok(0) => return Err(Problem::new("the broker closed the connection")),
            Ok(count) => return Ok(Some(count)),
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(None),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error).doing("read an answer"),
        }
    }
}
