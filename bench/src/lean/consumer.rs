//! Fetches as fast as the broker gives it, and drops the records unread.

use std::cell::RefCell;
use std::net::TcpStream;
use std::rc::Rc;
use std::time::{Duration, Instant};

use ottla_tests::problem::{Doing, Problem};
use rustix::io::Errno;
use rustix::net::{RecvFlags, recv};

use super::actor::{Actor, Progress, connect, read_some, run, write_some};
use super::budget::{Budget, Until};
use super::fetch_answer::{AnswerReader, Part};
use super::fetch_frame::{FetchLimits, Place, Session, fill_fetch};
use super::threads::spread;

/// Bytes that are read at once where one partition is fetched: hardly more than what stands in front of its records.
const READ_BYTES_ONE: usize = 128;
/// Where there are many, each has little.
const READ_BYTES_MANY: usize = 64 << 10;
/// Bytes that the kernel drops at once.
const DROP_BYTES: usize = 1 << 20;

/// What is fetched, and how. All batches of the topic are of one size, so that lengths tell offsets.
#[derive(Debug, Clone)]
pub struct ConsumeLoad {
    /// The topic.
    pub topic: String,
    /// Its partitions, from 0 on.
    pub partitions: i32,
    /// How many connections.
    pub connections: usize,
    /// Whether each connection fetches all partitions, not only its share.
    pub all_each: bool,
    /// Whether fetch sessions are used.
    pub sessions: bool,
    /// What each request asks for.
    pub limits: FetchLimits,
    /// Bytes of each batch.
    pub batch_bytes: usize,
    /// Records in each batch.
    pub batch_records: u32,
    /// The offset behind which a consumer begins anew at 0; without one it waits there for more.
    pub end: Option<i64>,
    /// Threads that the connections are spread over.
    pub threads: usize,
    /// When it ends, in bytes of whole batches over all connections.
    pub until: Until,
}

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Consumed {
    /// Bytes of whole batches.
    pub bytes: u64,
    /// Answers.
    pub answers: u64,
    /// From the first connection until the last bytes.
    pub took: Duration,
}

/// Fetches.
///
/// # Errors
/// A partition can not be fetched, or a connection is lost.
pub fn consume(address: &str, load: &ConsumeLoad) -> Result<Consumed, Problem> {
    let began = Instant::now();
    let budget = Budget::new(load.until);
    let tallies =
        spread(load.connections, load.threads, |numbers| consume_part(address, load, &budget, numbers))?;
    let mut consumed = Consumed { bytes: 0, answers: 0, took: Duration::ZERO };
    for tally in tallies {
        consumed.bytes = consumed.bytes.saturating_add(tally.bytes);
        consumed.answers = consumed.answers.saturating_add(tally.answers);
        let took = tally.last.map(|last| last.saturating_duration_since(began));
        consumed.took = consumed.took.max(took.unwrap_or_default());
    }
    Ok(consumed)
}

#[derive(Debug, Default)]
struct Tally {
    bytes: u64,
    answers: u64,
    last: Option<Instant>,
}

fn consume_part(
    address: &str,
    load: &ConsumeLoad,
    budget: &Budget,
    numbers: impl Iterator<Item = usize>,
) -> Result<Tally, Problem> {
    let tally = Rc::new(RefCell::new(Tally::default()));
    let mut consumers: Vec<Box<dyn Actor + '_>> = Vec::new();
    for number in numbers {
        consumers.push(Box::new(Consumer::new(address, load, number, budget, Rc::clone(&tally))?));
    }
    run(&mut consumers)?;
    drop(consumers);
    Ok(tally.take())
}

struct Consumer<'a> {
    stream: TcpStream,
    load: &'a ConsumeLoad,
    request: Vec<u8>,
    sent_bytes: usize,
    is_awaited: bool,
    correlation: i32,
    session: Session,
    places: Vec<Place>,
    answer: AnswerReader,
    /// Bytes that were read and not looked at yet.
    received: Vec<u8>,
    from: usize,
    to: usize,
    /// Bytes of records to be dropped before the answer goes on.
    to_drop: usize,
    sink: Vec<u8>,
    budget: &'a Budget,
    tally: Rc<RefCell<Tally>>,
}

impl<'a> Consumer<'a> {
    fn new(
        address: &str,
        load: &'a ConsumeLoad,
        number: usize,
        budget: &'a Budget,
        tally: Rc<RefCell<Tally>>,
    ) -> Result<Self, Problem> {
        let place = |index| Place { index, offset: 0, is_new: true };
        let places: Vec<Place> = share(load, number)?.into_iter().map(place).collect();
        let read_bytes = if places.len() == 1 { READ_BYTES_ONE } else { READ_BYTES_MANY };
        Ok(Self {
            stream: connect(address)?,
            load,
            request: Vec::new(),
            sent_bytes: 0,
            is_awaited: false,
            correlation: 0,
            session: Session::wanted(load.sessions),
            places,
            answer: AnswerReader::default(),
            received: vec![0; read_bytes],
            from: 0,
            to: 0,
            to_drop: 0,
            sink: vec![0; DROP_BYTES],
            budget,
            tally,
        })
    }

    /// Asks for more, unless an answer is awaited; true when there is nothing left to ask for.
    fn ask(&mut self) -> Result<bool, Problem> {
        if !self.is_awaited && self.sent_bytes == self.request.len() {
            if self.budget.is_spent() {
                return Ok(true);
            }
            self.correlation = self.correlation.wrapping_add(1);
            let (load, request) = (self.load, &mut self.request);
            fill_fetch(request, &load.topic, &load.limits, self.session, &mut self.places, self.correlation)?;
            (self.sent_bytes, self.is_awaited) = (0, true);
        }
        while let Some(rest) = self.request.get(self.sent_bytes..).filter(|rest| !rest.is_empty()) {
            match write_some(&self.stream, rest)? {
                0 => break,
                count => self.sent_bytes = self.sent_bytes.saturating_add(count),
            }
        }
        Ok(false)
    }

    /// Reads on in the answer; false when nothing is there.
    fn read_on(&mut self) -> Result<bool, Problem> {
        if self.to_drop > 0 && self.from == self.to {
            return self.drop_records();
        }
        let buffered = self.to.saturating_sub(self.from);
        if self.to_drop > 0 {
            let dropped = self.to_drop.min(buffered);
            self.from = self.from.saturating_add(dropped);
            self.to_drop = self.to_drop.saturating_sub(dropped);
            self.answer.skipped(dropped)?;
            return Ok(true);
        }
        let bytes = self.received.get(self.from..self.to).unwrap_or_default();
        if let Some((part, read)) = self.answer.next(bytes)? {
            self.from = self.from.saturating_add(read);
            self.take(part)?;
            return Ok(true);
        }
        self.received.copy_within(self.from..self.to, 0);
        (self.from, self.to) = (0, buffered);
        if buffered == self.received.len() {
            self.received.resize(buffered.saturating_mul(2), 0);
        }
        let room = self.received.get_mut(buffered..).unwrap_or_default();
        let count = read_some(&self.stream, room)?;
        self.to = self.to.saturating_add(count.unwrap_or_default());
        Ok(count.is_some())
    }

    fn drop_records(&mut self) -> Result<bool, Problem> {
        let wanted = self.to_drop.min(self.sink.len());
        let into = self.sink.get_mut(..wanted).unwrap_or_default();
        // The kernel drops the bytes without copying them.
        match recv(&self.stream, into, RecvFlags::TRUNC) {
            Ok((_, 0)) => Err(Problem::new("the broker closed the connection")),
            Ok((_, count)) => {
                self.to_drop = self.to_drop.saturating_sub(count);
                self.answer.skipped(count)?;
                Ok(true)
            }
            Err(Errno::AGAIN) => Ok(false),
            Err(Errno::INTR) => Ok(true),
            Err(error) => Err(error).doing("read records"),
        }
    }

    fn take(&mut self, part: Part) -> Result<(), Problem> {
        match part {
            Part::Begin { correlation, .. } if correlation != self.correlation => {
                Err(Problem::new("the answer to another Fetch came"))
            }
            Part::Begin { session, .. } => {
                self.session.answered(session);
                Ok(())
            }
            Part::Partition { index, records_bytes } => {
                self.to_drop = records_bytes;
                self.advance(index, records_bytes)
            }
            Part::Nothing => Ok(()),
            Part::End => {
                let mut tally = self.tally.borrow_mut();
                tally.answers = tally.answers.saturating_add(1);
                self.is_awaited = false;
                Ok(())
            }
        }
    }

    /// Counts the whole batches of a partition.
    fn advance(&mut self, index: i32, records_bytes: usize) -> Result<(), Problem> {
        let batches = records_bytes.checked_div(self.load.batch_bytes).unwrap_or_default();
        if batches == 0 {
            return Ok(());
        }
        let found = match self.places.as_mut_slice() {
            [only] => Some(only),
            places => {
                // Shares are made of every n-th partition, in order.
                let at = places.binary_search_by_key(&index, |place| place.index).ok();
                at.and_then(|at| places.get_mut(at))
            }
        };
        let place = found.ok_or_else(|| Problem::new("a partition came that was not asked for"))?;
        let records =
            i64::try_from(batches).doing("count batches")?.saturating_mul(self.load.batch_records.into());
        place.offset = place.offset.saturating_add(records);
        if self.load.end.is_some_and(|end| place.offset >= end) {
            place.offset = 0;
        }
        place.is_new = true;
        let bytes = (batches as u64).saturating_mul(self.load.batch_bytes as u64);
        self.budget.take(bytes);
        let mut tally = self.tally.borrow_mut();
        tally.bytes = tally.bytes.saturating_add(bytes);
        tally.last = Some(Instant::now());
        Ok(())
    }
}

/// The partitions that a connection fetches.
fn share(load: &ConsumeLoad, number: usize) -> Result<Vec<i32>, Problem> {
    if load.all_each {
        return Ok((0..load.partitions).collect());
    }
    let partitions = usize::try_from(load.partitions).doing("count partitions")?.max(1);
    let first =
        i32::try_from(number.checked_rem(partitions).unwrap_or_default()).doing("count partitions")?;
    Ok((first..load.partitions.max(1)).step_by(load.connections.max(1)).collect())
}

impl Actor for Consumer<'_> {
    fn stream(&self) -> &TcpStream {
        &self.stream
    }

    fn turn(&mut self) -> Result<Progress, Problem> {
        loop {
            if self.ask()? {
                return Ok(Progress::Done);
            }
            if !self.read_on()? {
                return Ok(Progress::Waits);
            }
        }
    }
}
