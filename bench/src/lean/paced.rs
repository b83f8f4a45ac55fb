//! Produces by a schedule: all records that are due go in one batch, as soon as a request may be sent.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::net::TcpStream;
use std::rc::Rc;
use std::time::Instant;

use ottla_tests::measure::batch_of;
use ottla_tests::problem::{Doing, Problem};

use super::actor::{Actor, Progress, connect, read_some, write_some};
use super::histogram::Histogram;
use super::produce_frame::{ProduceFrame, check_produced};
use super::producer::first_frame;
use super::schedule::Schedule;

/// Records in the largest batch.
const BATCH_RECORDS_MAX: u32 = 64;
/// As Java's producer has them.
const IN_FLIGHT_MAX: usize = 5;
const RECEIVE_BYTES: usize = 4 << 10;

/// The frames of a producer, one for each number of records in a batch.
#[derive(Debug, Clone)]
pub struct PacedFrames(Vec<ProduceFrame>);

impl PacedFrames {
    /// For records of so many bytes, up to so many in a batch.
    ///
    /// # Errors
    /// A batch can not be encoded.
    pub fn new(topic: &str, value_bytes: usize, records_max: u32) -> Result<Self, Problem> {
        let frame = |records| ProduceFrame::new(topic, -1, &batch_of(records, value_bytes)?, 1);
        let frames = (1..=records_max.clamp(1, BATCH_RECORDS_MAX)).map(frame);
        frames.collect::<Result<_, _>>().map(Self)
    }
}

/// A producer on a connection of its own.
pub struct PacedProducer {
    stream: TcpStream,
    frames: PacedFrames,
    partition: i32,
    schedule: Schedule,
    /// The next record.
    next: u64,
    /// The frame that is being sent, and how much of it is.
    sending: Option<(usize, usize)>,
    correlation: i32,
    /// Requests without an answer: the id, the first record and the one behind the last.
    under_way: VecDeque<(i32, u64, u64)>,
    received: Vec<u8>,
    received_bytes: usize,
    acknowledged: Rc<RefCell<Histogram>>,
}

impl PacedProducer {
    /// Connects. How late records were acknowledged is counted in the histogram.
    ///
    /// # Errors
    /// Nobody listens there.
    pub fn connect(
        address: &str,
        frames: PacedFrames,
        partition: i32,
        schedule: Schedule,
        acknowledged: Rc<RefCell<Histogram>>,
    ) -> Result<Self, Problem> {
        Ok(Self {
            stream: connect(address)?,
            frames,
            partition,
            schedule,
            next: 0,
            sending: None,
            correlation: 0,
            under_way: VecDeque::new(),
            received: vec![0; RECEIVE_BYTES],
            received_bytes: 0,
            acknowledged,
        })
    }

    /// Lets the schedule begin at another time. Nothing may have been sent.
    pub fn begin_at(&mut self, start: Instant) {
        self.schedule.start = start;
    }

    fn receive(&mut self) -> Result<(), Problem> {
        loop {
            let room = self.received.get_mut(self.received_bytes..).unwrap_or_default();
            let Some(count) = read_some(&self.stream, room)? else { return Ok(()) };
            self.received_bytes = self.received_bytes.saturating_add(count);
            self.take_answers()?;
        }
    }

    fn take_answers(&mut self) -> Result<(), Problem> {
        let mut taken = 0_usize;
        let now = Instant::now();
        let mut acknowledged = self.acknowledged.borrow_mut();
        let received = self.received.get(..self.received_bytes).unwrap_or_default();
        while let Some(frame) = first_frame(received.get(taken..).unwrap_or_default()) {
            let Some((correlation, first, end)) = self.under_way.pop_front() else {
                return Err(Problem::new("an answer came that nothing had asked for"));
            };
            check_produced(frame, correlation)?;
            for late in (first..end).filter_map(|record| self.schedule.late(record, now)) {
                acknowledged.add(late);
            }
            taken = taken.saturating_add(frame.len());
        }
        self.received.copy_within(taken..self.received_bytes, 0);
        self.received_bytes = self.received_bytes.saturating_sub(taken);
        Ok(())
    }

    /// Sends all that is due; what is to be done after that.
    fn send(&mut self) -> Result<Progress, Problem> {
        loop {
            if let Some((place, sent)) = self.sending {
                let frame = self.frames.0.get(place).map(ProduceFrame::bytes).unwrap_or_default();
                let count = write_some(&self.stream, frame.get(sent..).unwrap_or_default())?;
                let sent = sent.saturating_add(count);
                self.sending = (sent < frame.len()).then_some((place, sent));
                if count == 0 {
                    return Ok(Progress::Waits);
                }
                continue;
            }
            if self.next >= self.schedule.count {
                return Ok(if self.under_way.is_empty() { Progress::Done } else { Progress::Waits });
            }
            if self.under_way.len() >= IN_FLIGHT_MAX {
                return Ok(Progress::Waits);
            }
            let due = self.schedule.due_until(Instant::now()).saturating_sub(self.next);
            if due == 0 {
                return Ok(Progress::WaitsUntil(self.schedule.due(self.next)));
            }
            self.begin(due)?;
        }
    }

    fn begin(&mut self, due: u64) -> Result<(), Problem> {
        let records = due.min(self.frames.0.len() as u64);
        let place = usize::try_from(records.saturating_sub(1)).doing("count records")?;
        self.correlation = self.correlation.wrapping_add(1);
        let frame = self.frames.0.get_mut(place).ok_or_else(|| Problem::new("there is no such batch"))?;
        frame.fill(self.correlation, &[self.partition])?;
        let end = self.next.saturating_add(records);
        self.under_way.push_back((self.correlation, self.next, end));
        self.next = end;
        self.sending = Some((place, 0));
        Ok(())
    }
}

impl Actor for PacedProducer {
    fn stream(&self) -> &TcpStream {
        &self.stream
    }

    fn turn(&mut self) -> Result<Progress, Problem> {
        self.receive()?;
        self.send()
    }
}
