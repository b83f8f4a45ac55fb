//! Commits in closed loops: each committer waits for its answer before it commits again.
//!
//! One thread serves all committers, with requests that are encoded once and answers that are compared byte by byte, so
//! that the load costs less than any broker's work.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use kafka_protocol::messages::offset_commit_request::{
    OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use kafka_protocol::messages::offset_commit_response::{
    OffsetCommitResponsePartition, OffsetCommitResponseTopic,
};
use kafka_protocol::messages::{OffsetCommitRequest, OffsetCommitResponse, RequestHeader, ResponseHeader};
use kafka_protocol::protocol::{Encodable, HeaderVersion, Request, StrBytes};
use rustix::buffer::spare_capacity;
use rustix::event::{Timespec, epoll};

use super::latency::Sample;
use super::lone_member::LoneMember;
use super::topics::topic_name;
use crate::problem::{Doing, Problem};

/// By name, as classic members commit.
const VERSION: i16 = 9;

/// Where the correlation id is in a request's frame: behind its length, the API's key and its version.
const REQUEST_CORRELATION: usize = 8;
/// Where it is in a response's frame: behind its length.
const RESPONSE_CORRELATION: usize = 4;

const RESPONSE_BYTES_MAX: usize = 4096;

/// How long an answer may take.
const ANSWER_LIMIT: Timespec = Timespec { tv_sec: 60, tv_nsec: 0 };

/// A frame of a commit whose correlation id and offset are filled in each time.
#[derive(Debug, Clone)]
struct Frame {
    bytes: Vec<u8>,
    offset_place: usize,
}

/// One who commits for partition 0 of a topic, on a connection of its own.
#[derive(Debug)]
pub struct Committer {
    stream: TcpStream,
    request: Frame,
    response: Vec<u8>,
    correlation: i32,
    next_offset: i64,
    last_offset: i64,
    received: Vec<u8>,
    sent: Instant,
}

/// The answer to a commit that was taken, as a whole frame with the correlation id 0.
///
/// # Errors
/// It can not be encoded.
pub fn commit_response(topic: &str) -> Result<Vec<u8>, Problem> {
    let partition = OffsetCommitResponsePartition::default().with_partition_index(0);
    let topic =
        OffsetCommitResponseTopic::default().with_name(topic_name(topic)).with_partitions(vec![partition]);
    let response = OffsetCommitResponse::default().with_topics(vec![topic]);
    let header_version = OffsetCommitResponse::header_version(VERSION);
    framed(&ResponseHeader::default(), header_version, &response)
}

impl Committer {
    /// Connects. It commits 1, 2 and so on, and then again and again the last offset.
    ///
    /// # Errors
    /// Nobody listens there.
    pub fn connect(
        address: &str,
        member: &LoneMember,
        topic: &str,
        last_offset: i64,
    ) -> Result<Self, Problem> {
        let stream = TcpStream::connect(address).doing(format_args!("connect to {address}"))?;
        stream.set_nodelay(true).doing("set TCP_NODELAY")?;
        Ok(Self {
            stream,
            request: Frame::new(member, topic)?,
            response: commit_response(topic)?,
            correlation: 0,
            next_offset: 1,
            last_offset,
            received: Vec::with_capacity(RESPONSE_BYTES_MAX),
            sent: Instant::now(),
        })
    }

    fn send(&mut self) -> Result<(), Problem> {
        self.correlation = self.correlation.wrapping_add(1);
        let frame = self.request.filled(self.correlation, self.next_offset)?;
        self.next_offset = self.next_offset.saturating_add(1).min(self.last_offset);
        self.sent = Instant::now();
        self.stream.write_all(frame).doing("send a commit")
    }

    /// Reads what has arrived; true when the answer is there.
    fn receive(&mut self) -> Result<bool, Problem> {
        let mut chunk = [0; RESPONSE_BYTES_MAX];
        let count = self.stream.read(&mut chunk).doing("read the answer to a commit")?;
        if count == 0 {
            return Err(Problem::new("the broker closed the connection of a committer"));
        }
        self.received.extend_from_slice(chunk.get(..count).unwrap_or_default());
        if self.received.len() < self.response.len() {
            return Ok(false);
        }
        put(&mut self.response, RESPONSE_CORRELATION, &self.correlation.to_be_bytes())?;
        if self.received != self.response {
            return Err(Problem::new(format!(
                "a commit was answered with {:02x?}, where {:02x?} was expected",
                self.received, self.response
            )));
        }
        self.received.clear();
        Ok(true)
    }
}

impl Frame {
    fn new(member: &LoneMember, topic: &str) -> Result<Self, Problem> {
        let encoded = |offset: i64| {
            let partition = OffsetCommitRequestPartition::default()
                .with_partition_index(0)
                .with_committed_offset(offset)
                .with_committed_leader_epoch(0)
                .with_committed_metadata(Some(StrBytes::from_static_str("")));
            let topic = OffsetCommitRequestTopic::default()
                .with_name(topic_name(topic))
                .with_partitions(vec![partition]);
            let request = OffsetCommitRequest::default()
                .with_group_id(member.group_id())
                .with_member_id(member.member_id.clone())
                .with_generation_id_or_member_epoch(member.generation)
                .with_topics(vec![topic]);
            let header = RequestHeader::default()
                .with_request_api_key(OffsetCommitRequest::KEY)
                .with_request_api_version(VERSION)
                .with_client_id(Some(StrBytes::from_static_str("figures")));
            framed(&header, OffsetCommitRequest::header_version(VERSION), &request)
        };
        let (bytes, other) = (encoded(0)?, encoded(-1)?);
        let differs = bytes.iter().zip(&other).position(|(one, other)| one != other);
        let offset_place = differs.ok_or_else(|| Problem::new("a commit has no offset"))?;
        Ok(Self { bytes, offset_place })
    }

    fn filled(&mut self, correlation: i32, offset: i64) -> Result<&[u8], Problem> {
        put(&mut self.bytes, REQUEST_CORRELATION, &correlation.to_be_bytes())?;
        put(&mut self.bytes, self.offset_place, &offset.to_be_bytes())?;
        Ok(&self.bytes)
    }
}

fn put(frame: &mut [u8], place: usize, bytes: &[u8]) -> Result<(), Problem> {
    let end = place.saturating_add(bytes.len());
    let place = frame.get_mut(place..end).ok_or_else(|| Problem::new("a frame is too short"))?;
    place.copy_from_slice(bytes);
    Ok(())
}

fn framed(header: &impl Encodable, header_version: i16, body: &impl Encodable) -> Result<Vec<u8>, Problem> {
    let mut frame = BytesMut::zeroed(size_of::<u32>());
    header.encode(&mut frame, header_version).doing("encode a header")?;
    body.encode(&mut frame, VERSION).doing("encode a commit")?;
    let length = u32::try_from(frame.len().saturating_sub(size_of::<u32>())).doing("encode a length")?;
    put(&mut frame, 0, &length.to_be_bytes())?;
    Ok(frame.to_vec())
}

/// Has a committer commit so often.
///
/// # Errors
/// As [`commit_for`].
pub fn commit_times(committer: &mut Committer, times: u64) -> Result<(), Problem> {
    for _ in 0..times {
        committer.send()?;
        while !committer.receive()? {}
    }
    Ok(())
}

/// Has all committers commit for a time, and then waits for the last answers. Gives every commit.
///
/// # Errors
/// A commit was refused, or a connection was lost.
pub fn commit_for(committers: &mut [Committer], time: Duration) -> Result<Vec<Sample>, Problem> {
    let epoll = epoll::create(epoll::CreateFlags::CLOEXEC).doing("make an epoll object")?;
    for (place, committer) in (0..).zip(committers.iter()) {
        let data = epoll::EventData::new_u64(place);
        epoll::add(&epoll, &committer.stream, data, epoll::EventFlags::IN).doing("watch a connection")?;
    }
    let end = Instant::now() + time;
    committers.iter_mut().try_for_each(Committer::send)?;
    let mut under_way = committers.len();
    let mut samples = Vec::new();
    let mut events = Vec::with_capacity(committers.len().max(1));
    while under_way > 0 {
        epoll::wait(&epoll, spare_capacity(&mut events), Some(&ANSWER_LIMIT)).doing("wait for answers")?;
        if events.is_empty() {
            return Err(Problem::new(format!("{under_way} commits are not answered")));
        }
        for event in events.drain(..) {
            let place = usize::try_from(event.data.u64()).unwrap_or(usize::MAX);
            let Some(committer) = committers.get_mut(place) else { continue };
            if !committer.receive()? {
                continue;
            }
            let now = Instant::now();
            let took = now.saturating_duration_since(committer.sent);
            samples.push(Sample { due: committer.sent, took });
            if now < end {
                committer.send()?;
            } else {
                under_way = under_way.saturating_sub(1);
            }
        }
    }
    Ok(samples)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_filled_in_place() {
        let member = LoneMember { group: "g".to_owned(), member_id: "m".into(), generation: 3 };
        let mut frame = Frame::new(&member, "t").unwrap();
        let before = frame.bytes.clone();
        let filled = frame.filled(7, 0x0102_0304_0506_0708).unwrap().to_vec();
        assert_eq!(filled.len(), before.len());
        assert_eq!(filled[REQUEST_CORRELATION..REQUEST_CORRELATION + 4], 7_i32.to_be_bytes());
        assert_eq!(filled[frame.offset_place..frame.offset_place + 8], [1, 2, 3, 4, 5, 6, 7, 8]);
        let changed = filled.iter().zip(&before).filter(|(one, other)| one != other).count();
        assert_eq!(changed, 9);
    }
}
