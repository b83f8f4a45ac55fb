//! A small blocking client, for tests, benchmarks and the command line.

use std::fmt;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

use bytes::{BufMut, Bytes, BytesMut};
use kafka_protocol::protocol::{Request, StrBytes};

use crate::reader::Reader;
use crate::writer::Writer;
use crate::{
    FrameError, FrameReader, Malformed, Unencodable, check_response, decode, flexible_from,
    response_header_version,
};

/// How long [`Client::connect`] and every read and write may take, unless [`Client::set_timeout`] says otherwise.
const TIMEOUT: Duration = Duration::from_secs(30);

/// The largest response that is read, in bytes.
const RESPONSE_BYTES_MAX: usize = 256 * 1024 * 1024;

/// One connection that sends a request at a time and waits for the response.
#[derive(Debug)]
pub struct Client {
    stream: TcpStream,
    frames: FrameReader,
    client_id: Option<StrBytes>,
    next_correlation_id: i32,
}

/// Why there is no response.
#[derive(Debug)]
pub enum ClientError {
    /// The connection failed or took too long.
    Io(io::Error),
    /// The broker closed the connection.
    Closed,
    /// The broker sent an impossible length.
    Frame(FrameError),
    /// The response does not follow its schema.
    Malformed(Malformed),
    /// The request cannot be written.
    Unencodable(Unencodable),
    /// The response answers another request.
    Correlation {
        /// The correlation id of the request.
        sent: i32,
        /// The correlation id of the response.
        received: i32,
    },
}

impl fmt::Display for ClientError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => write!(f, "connection: {error}"),
            Self::Closed => f.write_str("the broker closed the connection"),
            Self::Frame(error) => write!(f, "response: {error}"),
            Self::Malformed(malformed) => write!(f, "response: {malformed}"),
            Self::Unencodable(why) => write!(f, "request: {why}"),
            Self::Correlation { sent, received } => {
                write!(f, "response to request {received} where {sent} was expected")
            }
        }
    }
}

impl std::error::Error for ClientError {}

impl From<io::Error> for ClientError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<Malformed> for ClientError {
    fn from(malformed: Malformed) -> Self {
        Self::Malformed(malformed)
    }
}

impl From<Unencodable> for ClientError {
    fn from(why: Unencodable) -> Self {
        Self::Unencodable(why)
    }
}

impl Client {
    /// Connects to the first address of `broker` that answers.
    ///
    /// # Errors
    /// [`ClientError::Io`] when none does.
    pub fn connect(broker: impl ToSocketAddrs) -> Result<Self, ClientError> {
        Self::connect_within(broker, TIMEOUT)
    }

    /// As [`Client::connect`], where connecting to an address, and every read and write afterwards, may take so long.
    ///
    /// # Errors
    /// [`ClientError::Io`] when none answers, and when the duration is zero.
    pub fn connect_within(broker: impl ToSocketAddrs, timeout: Duration) -> Result<Self, ClientError> {
        let mut outcome = Err(io::Error::new(ErrorKind::NotFound, "the name has no address"));
        for address in broker.to_socket_addrs()? {
            outcome = TcpStream::connect_timeout(&address, timeout);
            if outcome.is_ok() {
                break;
            }
        }
        let stream = outcome?;
        stream.set_nodelay(true)?;
        let client = Self {
            stream,
            frames: FrameReader::new(RESPONSE_BYTES_MAX),
            client_id: Some(StrBytes::from_static_str("ottla")),
            next_correlation_id: 1,
        };
        client.set_timeout(timeout)?;
        Ok(client)
    }

    /// Changes how long a read or a write may take; a zero duration is an error.
    ///
    /// # Errors
    /// [`ClientError::Io`] when the system refuses.
    pub fn set_timeout(&self, timeout: Duration) -> Result<(), ClientError> {
        self.stream.set_read_timeout(Some(timeout))?;
        self.stream.set_write_timeout(Some(timeout))?;
        Ok(())
    }

    /// Changes the client id of the requests to come.
    pub fn set_client_id(&mut self, client_id: Option<StrBytes>) {
        self.client_id = client_id;
    }

    /// The connection, for what this client does not offer.
    #[must_use]
    pub fn stream(&self) -> &TcpStream {
        &self.stream
    }

    /// Sends a request and waits for its response.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn send<R: Request>(&mut self, version: i16, request: &R) -> Result<R::Response, ClientError> {
        let sent = self.post(version, request)?;
        self.receive::<R>(version, sent)
    }

    /// Sends a request without waiting; returns its correlation id. For pipelines, and for Produce with acks=0,
    /// which has no response.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn post<R: Request>(&mut self, version: i16, request: &R) -> Result<i32, ClientError> {
        let mut body = BytesMut::new();
        request.encode(&mut body, version).map_err(|_| Unencodable::Encoder)?;
        self.post_body(R::KEY, version, &body)
    }

    /// Waits for the response to the request that [`Client::post`] gave the correlation id `sent`.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn receive<R: Request>(&mut self, version: i16, sent: i32) -> Result<R::Response, ClientError> {
        let mut body = self.receive_body(R::KEY, version, sent)?;
        check_response(R::KEY, version, &body)?;
        Ok(decode(version, &mut body)?)
    }

    /// Sends a request of which the body is encoded, and waits for the body of its response. For the versions
    /// that only [`crate::message`] has.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn send_body(&mut self, api_key: i16, version: i16, body: &[u8]) -> Result<Bytes, ClientError> {
        let sent = self.post_body(api_key, version, body)?;
        self.receive_body(api_key, version, sent)
    }

    /// As [`Client::post`], with an encoded body.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn post_body(&mut self, api_key: i16, version: i16, body: &[u8]) -> Result<i32, ClientError> {
        let correlation_id = self.next_correlation_id;
        self.next_correlation_id = correlation_id.wrapping_add(1);
        let header = request_header(api_key, version, correlation_id, self.client_id.as_deref())?;
        let length =
            i32::try_from(header.len().saturating_add(body.len())).map_err(|_| Unencodable::TooLong)?;
        let mut frame = BytesMut::with_capacity(header.len().saturating_add(body.len()).saturating_add(4));
        frame.put_i32(length);
        frame.put_slice(&header);
        frame.put_slice(body);
        self.write_raw(&frame)?;
        Ok(correlation_id)
    }

    /// As [`Client::receive`], without decoding the body.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn receive_body(&mut self, api_key: i16, version: i16, sent: i32) -> Result<Bytes, ClientError> {
        let frame = self.read_frame()?.ok_or(ClientError::Closed)?;
        let flexible = response_header_version(api_key, version) >= 1;
        let mut reader = Reader::new(&frame, flexible);
        let mut header = || {
            let received = reader.int32()?;
            reader.skip_tagged_fields()?;
            Ok((received, reader.position()))
        };
        let (received, position) = header().map_err(|reason| Malformed::new(reason, 0))?;
        if received != sent {
            return Err(ClientError::Correlation { sent, received });
        }
        Ok(frame.slice(position..))
    }

    /// Sends bytes as they are, for hostile tests.
    ///
    /// # Errors
    /// [`ClientError::Io`].
    pub fn write_raw(&mut self, bytes: &[u8]) -> Result<(), ClientError> {
        Ok(self.stream.write_all(bytes)?)
    }

    /// The next frame, without its length; `None` when the broker has closed the connection, between two frames
    /// or by a reset.
    ///
    /// # Errors
    /// [`ClientError`], also when the broker stops in the middle of a frame.
    pub fn read_frame(&mut self) -> Result<Option<Bytes>, ClientError> {
        loop {
            if let Some(frame) = self.frames.next().map_err(ClientError::Frame)? {
                return Ok(Some(frame));
            }
            let mut piece = [0; 16 * 1024];
            match self.stream.read(&mut piece) {
                Ok(0) if self.frames.is_empty() => return Ok(None),
                Ok(0) => return Err(ClientError::Closed),
                Ok(count) => {
                    let piece = piece.get(..count).unwrap_or_default();
                    self.frames.buffer_mut().extend_from_slice(piece);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::ConnectionReset => return Ok(None),
                Err(error) => return Err(error.into()),
            }
        }
    }
}

fn request_header(
    api_key: i16,
    version: i16,
    correlation_id: i32,
    client_id: Option<&str>,
) -> Result<BytesMut, Unencodable> {
    let mut buffer = BytesMut::new();
    let mut writer = Writer::new(&mut buffer, false);
    writer.int16(api_key);
    writer.int16(version);
    writer.int32(correlation_id);
    writer.nullable_string(client_id);
    writer.finish()?;
    if flexible_from(api_key).is_some_and(|from| version >= from) {
        buffer.put_u8(0);
    }
    Ok(buffer)
}
