//! Consumes one partition as it grows, and tells how late each record came.

use std::cell::RefCell;
use std::net::TcpStream;
use std::rc::Rc;
use std::time::Instant;

use ottla_tests::problem::{Doing, Problem};

use super::actor::{Actor, Progress, connect, read_some, write_some};
use super::fetch_answer::{AnswerReader, Part};
use super::fetch_frame::{FetchLimits, Place, Session, fill_fetch};
use super::histogram::Histogram;
use super::producer::first_frame;
use super::schedule::Schedule;
use super::wire::Reader;

const RECEIVE_BYTES: usize = 256 << 10;
/// As stock consumers ask.
const LIMITS: FetchLimits =
    FetchLimits { bytes_max: 50 << 20, partition_bytes_max: 1 << 20, bytes_min: 1, wait_ms: 500 };

/// A consumer on a connection of its own. The n-th record of the partition is the n-th of the schedule.
pub struct Tail {
    stream: TcpStream,
    topic: String,
    schedule: Schedule,
    places: [Place; 1],
    session: Session,
    correlation: i32,
    request: Vec<u8>,
    sent_bytes: usize,
    is_awaited: bool,
    received: Vec<u8>,
    received_bytes: usize,
    delivered: Rc<RefCell<Histogram>>,
}

impl Tail {
    /// Connects. How late records came is counted in the histogram.
    ///
    /// # Errors
    /// Nobody listens there.
    pub fn connect(
        address: &str,
        topic: &str,
        schedule: Schedule,
        delivered: Rc<RefCell<Histogram>>,
    ) -> Result<Self, Problem> {
        Ok(Self {
            stream: connect(address)?,
            topic: topic.to_owned(),
            schedule,
            places: [Place { index: 0, offset: 0, is_new: true }],
            session: Session::wanted(true),
            correlation: 0,
            request: Vec::new(),
            sent_bytes: 0,
            is_awaited: false,
            received: vec![0; RECEIVE_BYTES],
            received_bytes: 0,
            delivered,
        })
    }

    fn next_record(&self) -> u64 {
        let [place] = &self.places;
        place.offset.unsigned_abs()
    }

    fn ask(&mut self) -> Result<(), Problem> {
        if !self.is_awaited {
            self.correlation = self.correlation.wrapping_add(1);
            let (request, places) = (&mut self.request, &mut self.places);
            fill_fetch(request, &self.topic, &LIMITS, self.session, places, self.correlation)?;
            (self.sent_bytes, self.is_awaited) = (0, true);
        }
        while let Some(rest) = self.request.get(self.sent_bytes..).filter(|rest| !rest.is_empty()) {
            match write_some(&self.stream, rest)? {
                0 => break,
                count => self.sent_bytes = self.sent_bytes.saturating_add(count),
            }
        }
        Ok(())
    }

    /// Takes an answer, if one is there as a whole; false when none is.
    fn take_answer(&mut self) -> Result<bool, Problem> {
        let received = self.received.get(..self.received_bytes).unwrap_or_default();
        let Some(frame) = first_frame(received) else { return Ok(false) };
        let (mut answer, mut at, whole) = (AnswerReader::default(), 0_usize, frame.len());
        let [place] = &mut self.places;
        let now = Instant::now();
        let mut delivered = self.delivered.borrow_mut();
        while let Some((part, read)) = answer.next(frame.get(at..).unwrap_or_default())? {
            at = at.saturating_add(read);
            match part {
                Part::Begin { session, .. } => self.session.answered(session),
                Part::Partition { records_bytes, .. } => {
                    let records = frame.get(at..at.saturating_add(records_bytes)).unwrap_or_default();
                    let before = place.offset;
                    place.offset = end_of(records).unwrap_or(before).max(before);
                    place.is_new |= place.offset > before;
                    let numbers = before.unsigned_abs()..place.offset.unsigned_abs();
                    numbers
                        .filter_map(|number| self.schedule.late(number, now))
                        .for_each(|late| delivered.add(late));
                    at = at.saturating_add(records_bytes);
                    answer.skipped(records_bytes)?;
                }
                Part::Nothing => {}
                Part::End => break,
            }
        }
        self.received.copy_within(whole..self.received_bytes, 0);
        self.received_bytes = self.received_bytes.saturating_sub(whole);
        self.is_awaited = false;
        Ok(true)
    }
}

/// The offset behind the last whole batch.
fn end_of(mut records: &[u8]) -> Option<i64> {
    /// From the start of a batch to behind its length.
    const LENGTH_END: usize = 12;
    /// From behind its length to the offset of its last record in it: leader epoch, magic, CRC, attributes.
    const TO_LAST: usize = 4 + 1 + 4 + 2;
    let mut end = None;
    loop {
        let mut reader = Reader::new(records);
        let mut header = || -> Option<(i64, usize, i32)> {
            let base = i64::from_be_bytes(reader.array()?);
            let length = usize::try_from(reader.i32()?).ok()?;
            reader.skip(TO_LAST)?;
            Some((base, length, reader.i32()?))
        };
        let Some((base, length, last)) = header() else { return end };
        let Some(rest) = records.get(LENGTH_END.saturating_add(length)..) else { return end };
        end = Some(base.saturating_add(last.into()).saturating_add(1));
        records = rest;
    }
}

impl Actor for Tail {
    fn stream(&self) -> &TcpStream {
        &self.stream
    }

    fn turn(&mut self) -> Result<Progress, Problem> {
        loop {
            while self.take_answer()? {}
            if !self.is_awaited && self.next_record() >= self.schedule.count {
                return Ok(Progress::Done);
            }
            self.ask()?;
            if self.received_bytes == self.received.len() {
                self.received.resize(self.received_bytes.saturating_mul(2), 0);
            }
            let room = self.received.get_mut(self.received_bytes..).unwrap_or_default();
            let Some(count) = read_some(&self.stream, room).doing("follow a partition")? else {
                return Ok(Progress::Waits);
            };
            self.received_bytes = self.received_bytes.saturating_add(count);
        }
    }
}

#[cfg(test)]
mod tests {
    use ottla_tests::measure::batch_of;

    use super::*;

    #[test]
    fn the_end_of_whole_batches_is_found() {
        let mut records = batch_of(3, 10).unwrap().to_vec();
        records[..8].copy_from_slice(&7_i64.to_be_bytes());
        assert_eq!(end_of(&records), Some(10));
        let mut second = batch_of(2, 10).unwrap().to_vec();
        second[..8].copy_from_slice(&10_i64.to_be_bytes());
        records.extend(&second);
        assert_eq!(end_of(&records), Some(12));
        assert_eq!(end_of(&records[..records.len() - 1]), Some(10));
        assert_eq!(end_of(&[]), None);
    }
}
