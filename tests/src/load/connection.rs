//! One connection that writes down its requests and responses, several of which may be under way.

use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use bytes::{BufMut, Bytes, BytesMut};
use kafka_protocol::messages::{ApiVersionsRequest, RequestHeader, ResponseHeader};
use kafka_protocol::protocol::{Decodable, Encodable, HeaderVersion, Request, StrBytes};

use super::world::World;
use crate::history::Step;

/// How long an answer may take. Long polls of the load wait for much less.
const ANSWER_LIMIT: Duration = Duration::from_secs(20);

/// Bounds the memory for an answer whose length is wrong.
const ANSWER_BYTES_MAX: u32 = 64 << 20;

const API_VERSIONS_VERSION: i16 = 3;

/// The connection can not be used any more, or was never made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lost;

/// A connection to the broker.
#[derive(Debug)]
pub struct Connection {
    world: Arc<World>,
    client: u32,
    number: u64,
    stream: TcpStream,
    next_correlation: i32,
    /// The keys of the APIs that the broker serves.
    apis: Vec<i16>,
    /// Correlation ids of the requests without a response yet, oldest first.
    waiting: VecDeque<i32>,
}

impl Connection {
    /// Connects and asks for the API versions, as stock clients begin.
    ///
    /// # Errors
    /// [`Lost`].
    pub fn open(world: Arc<World>, client: u32) -> Result<Self, Lost> {
        let number = world.recorder.open(client);
        let stream = TcpStream::connect(&world.address).and_then(|stream| {
            stream.set_nodelay(true)?;
            stream.set_read_timeout(Some(ANSWER_LIMIT))?;
            stream.set_write_timeout(Some(ANSWER_LIMIT))?;
            Ok(stream)
        });
        // Nobody listens while the broker is down, which is no loss of a connection.
        let stream = stream.map_err(|_| Lost)?;
        let mut connection = Self {
            world,
            client,
            number,
            stream,
            next_correlation: 1,
            apis: Vec::new(),
            waiting: VecDeque::new(),
        };
        let software = StrBytes::from_static_str("ottla-tests");
        let request = ApiVersionsRequest::default()
            .with_client_software_name(software.clone())
            .with_client_software_version(software);
        let served = connection.call(API_VERSIONS_VERSION, &request)?;
        connection.apis = served.api_keys.iter().map(|served| served.api_key).collect();
        Ok(connection)
    }

    /// Whether the broker serves all of these APIs.
    pub(super) fn serves(&self, apis: &[i16]) -> bool {
        apis.iter().all(|api| self.apis.contains(api))
    }

    /// Sends a request and waits for its response, with no other request under way.
    ///
    /// # Errors
    /// [`Lost`].
    pub fn call<R: Request>(&mut self, version: i16, request: &R) -> Result<R::Response, Lost> {
        self.post(version, request)?;
        self.receive::<R>(version)
    }

    /// Sends a request.
    pub(super) fn post<R: Request>(&mut self, version: i16, request: &R) -> Result<(), Lost> {
        self.write(version, request, true)
    }

    /// Sends a request that has no response.
    pub(super) fn post_unanswered<R: Request>(&mut self, version: i16, request: &R) -> Result<(), Lost> {
        self.write(version, request, false)
    }

    fn write<R: Request>(&mut self, version: i16, request: &R, answered: bool) -> Result<(), Lost> {
        let correlation = self.next_correlation;
        self.next_correlation = correlation.wrapping_add(1);
        let frame = frame(version, correlation, request).ok_or(Lost)?;
        let (connection, api) = (self.number, R::KEY);
        self.world.recorder.note(self.client, Step::Request { connection, correlation, api, answered });
        if answered {
            self.waiting.push_back(correlation);
        }
        self.stream.write_all(&frame).map_err(|error| self.lost(&error.to_string()))
    }

    /// Waits for the response to the oldest request without one.
    pub(super) fn receive<R: Request>(&mut self, version: i16) -> Result<R::Response, Lost> {
        let mut frame = self.read_frame().map_err(|error| self.lost(&error.to_string()))?;
        let header = ResponseHeader::decode(&mut frame, R::Response::header_version(version));
        let Ok(header) = header else { return Err(self.lost("a header that can not be read")) };
        let (connection, correlation) = (self.number, header.correlation_id);
        self.world.recorder.note(self.client, Step::Response { connection, correlation });
        if self.waiting.pop_front() != Some(correlation) {
            return Err(self.lost("another response than the next"));
        }
        R::Response::decode(&mut frame, version).map_err(|_| self.lost("a response that can not be read"))
    }

    fn read_frame(&mut self) -> io::Result<Bytes> {
        let mut length = [0; 4];
        self.stream.read_exact(&mut length)?;
        let length = u32::from_be_bytes(length);
        if length > ANSWER_BYTES_MAX {
            return Err(io::Error::other(format!("a response of {length} bytes")));
        }
        let mut frame = vec![0; length as usize];
        self.stream.read_exact(&mut frame)?;
        Ok(Bytes::from(frame))
    }

    fn lost(&self, why: &str) -> Lost {
        let (connection, why) = (self.number, why.to_owned());
        self.world.recorder.note(self.client, Step::Lost { connection, why });
        Lost
    }
}

fn frame<R: Request>(version: i16, correlation: i32, request: &R) -> Option<Bytes> {
    let header = RequestHeader::default()
        .with_request_api_key(R::KEY)
        .with_request_api_version(version)
        .with_correlation_id(correlation)
        .with_client_id(Some(StrBytes::from_static_str("ottla-tests")));
    let mut frame = BytesMut::new();
    frame.put_u32(0);
    header.encode(&mut frame, R::header_version(version)).ok()?;
    request.encode(&mut frame, version).ok()?;
    let length = u32::try_from(frame.len()).ok()?.checked_sub(4)?;
    frame.get_mut(..4)?.copy_from_slice(&length.to_be_bytes());
    Some(frame.freeze())
}
