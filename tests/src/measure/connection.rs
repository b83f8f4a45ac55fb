//! The least client: frames over one connection, as many under way as one likes.

use std::io::{BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use kafka_protocol::messages::{RequestHeader, ResponseHeader};
use kafka_protocol::protocol::{Decodable, Encodable, HeaderVersion, Request, StrBytes};

use crate::problem::{Doing, Problem};

/// How long an answer may take.
const ANSWER_LIMIT: Duration = Duration::from_secs(60);

/// Bounds the memory for an answer whose length is wrong.
const ANSWER_BYTES_MAX: u32 = 64 << 20;

const READ_BUFFER_BYTES: usize = 64 << 10;

/// Requests are collected up to so many bytes before they are written.
const WRITE_BUFFER_BYTES: usize = 64 << 10;

/// One connection to a broker.
#[derive(Debug)]
pub struct Connection {
    requests: Requests,
    responses: Responses,
}

/// The half that sends.
#[derive(Debug)]
pub struct Requests {
    stream: TcpStream,
    correlation: i32,
    buffer: BytesMut,
}

/// The half that receives. Brokers answer in the order of the requests.
#[derive(Debug)]
pub struct Responses {
    reader: BufReader<TcpStream>,
    correlation: i32,
}

impl Connection {
    /// Connects to `HOST:PORT`.
    ///
    /// # Errors
    /// Nobody listens there.
    pub fn open(address: &str) -> Result<Self, Problem> {
        let stream = TcpStream::connect(address).doing(format_args!("connect to {address}"))?;
        stream.set_nodelay(true).doing("set TCP_NODELAY")?;
        stream.set_read_timeout(Some(ANSWER_LIMIT)).doing("set a time limit")?;
        let reading = stream.try_clone().doing("share a connection")?;
        let reader = BufReader::with_capacity(READ_BUFFER_BYTES, reading);
        Ok(Self {
            requests: Requests { stream, correlation: 0, buffer: BytesMut::new() },
            responses: Responses { reader, correlation: 0 },
        })
    }

    /// The two halves, for two threads.
    #[must_use]
    pub fn split(self) -> (Requests, Responses) {
        (self.requests, self.responses)
    }

    /// Sends a request and waits for its response.
    ///
    /// # Errors
    /// The connection was lost, or the response can not be read.
    pub fn call<R: Request>(&mut self, version: i16, request: &R) -> Result<R::Response, Problem> {
        self.post(version, request)?;
        self.receive::<R>(version)
    }

    /// The same, with the response as bytes: to read all of it may take longer than to make it.
    ///
    /// # Errors
    /// The connection was lost.
    pub(super) fn call_for_body<R: Request>(&mut self, version: i16, request: &R) -> Result<Bytes, Problem> {
        self.post(version, request)?;
        self.requests.flush()?;
        self.responses.receive_body::<R>(version)
    }

    /// Puts a request on its way; it may wait in a buffer until the next [`Self::receive`].
    ///
    /// # Errors
    /// The connection was lost.
    pub fn post<R: Request>(&mut self, version: i16, request: &R) -> Result<(), Problem> {
        self.requests.collect(version, request)
    }

    /// Waits for the response to the oldest request that has none.
    ///
    /// # Errors
    /// The connection was lost, or the response can not be read.
    pub fn receive<R: Request>(&mut self, version: i16) -> Result<R::Response, Problem> {
        self.requests.flush()?;
        self.responses.receive::<R>(version)
    }
}

impl Requests {
    /// Sends a request at once.
    ///
    /// # Errors
    /// The connection was lost.
    pub fn send<R: Request>(&mut self, version: i16, request: &R) -> Result<(), Problem> {
        self.collect(version, request)?;
        self.flush()
    }

    fn collect<R: Request>(&mut self, version: i16, request: &R) -> Result<(), Problem> {
        self.correlation = self.correlation.wrapping_add(1);
        let header = RequestHeader::default()
            .with_request_api_key(R::KEY)
            .with_request_api_version(version)
            .with_correlation_id(self.correlation)
            .with_client_id(Some(StrBytes::from_static_str("figures")));
        let mut frame = BytesMut::zeroed(size_of::<u32>());
        header.encode(&mut frame, R::header_version(version)).doing("encode a header")?;
        request.encode(&mut frame, version).doing("encode a request")?;
        let length = frame.len().saturating_sub(size_of::<u32>());
        let length = u32::try_from(length).doing("encode a length")?;
        if let Some(place) = frame.first_chunk_mut() {
            *place = length.to_be_bytes();
        }
        self.buffer.extend_from_slice(&frame);
        if self.buffer.len() >= WRITE_BUFFER_BYTES { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<(), Problem> {
        if !self.buffer.is_empty() {
            self.stream.write_all(&self.buffer).doing("send a request")?;
            self.buffer.clear();
        }
        Ok(())
    }
}

impl Responses {
    /// Waits for the response to the oldest request that has none.
    ///
    /// # Errors
    /// The connection was lost, or the response can not be read.
    pub fn receive<R: Request>(&mut self, version: i16) -> Result<R::Response, Problem> {
        let mut body = self.receive_body::<R>(version)?;
        R::Response::decode(&mut body, version).doing("decode an answer")
    }

    /// The same, as bytes.
    fn receive_body<R: Request>(&mut self, version: i16) -> Result<Bytes, Problem> {
        self.correlation = self.correlation.wrapping_add(1);
        let mut length = [0; 4];
        self.reader.read_exact(&mut length).doing("read the length of an answer")?;
        let length = u32::from_be_bytes(length);
        if length > ANSWER_BYTES_MAX {
            return Err(Problem::new(format!(
                "the answer has {length} bytes, at most {ANSWER_BYTES_MAX} are read"
            )));
        }
        let mut frame = vec![0; length as usize];
        self.reader.read_exact(&mut frame).doing("read an answer")?;
        let mut frame = Bytes::from(frame);
        let header = ResponseHeader::decode(&mut frame, R::Response::header_version(version));
        if header.doing("decode a header")?.correlation_id != self.correlation {
            return Err(Problem::new("the answer belongs to another request"));
        }
        Ok(frame)
    }
}
