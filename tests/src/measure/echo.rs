//! The floor of everything that is bound by requests: a server on the broker's runtime that does no work.
//!
//! It answers every frame with the same bytes. What it costs is what sockets and the runtime cost.

use std::io::Write;
use std::path::Path;
use std::process::Command;

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::broker::{BrokerProgram, Readiness};
use crate::problem::{Doing, Problem};

/// The argument by which the running program is asked to be the echo server.
pub const ECHO_ARGUMENT: &str = "echo";

const LENGTH_BYTES: usize = 4;
/// Where a correlation id is, in a request behind its length, the API's key and its version.
const REQUEST_CORRELATION: std::ops::Range<usize> = 8..12;
const RESPONSE_CORRELATION: std::ops::Range<usize> = 4..8;
const READ_BUFFER_BYTES: usize = 16 << 10;

/// The echo server, in a process of its own so that the kernel counts its costs apart: the running program, with
/// [`ECHO_ARGUMENT`].
#[derive(Debug, Clone)]
pub struct Echo {
    response: Vec<u8>,
}

impl Echo {
    /// Answers with this frame, with the correlation id of the request.
    #[must_use]
    pub fn new(response: Vec<u8>) -> Self {
        Self { response }
    }
}

impl BrokerProgram for Echo {
    fn name(&self) -> String {
        "echo server".to_owned()
    }

    fn serve(&self, _directory: &Path, port: u16) -> Command {
        let mut command = Command::new(std::env::current_exe().unwrap_or_default());
        command.arg(ECHO_ARGUMENT).arg(port.to_string()).arg(hex_of(&self.response));
        command
    }

    fn readiness(&self) -> Readiness {
        Readiness::ReadyLine
    }
}

/// Serves until the process is killed: the arguments behind [`ECHO_ARGUMENT`] are the port and the frame in hexadecimal.
///
/// # Errors
/// The arguments are wrong, or the port is taken.
pub fn serve_echo(mut arguments: impl Iterator<Item = String>) -> Result<(), Problem> {
    let mut next = || arguments.next().ok_or_else(|| Problem::new("echo needs a port and a frame"));
    let port: u16 = next()?.parse().doing("read a port")?;
    let response = bytes_of(&next()?)?;
    // As the broker builds its own.
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().doing("start a runtime")?;
    runtime.block_on(async {
        let listener = TcpListener::bind(("127.0.0.1", port)).await.doing("listen")?;
        let mut out = std::io::stdout();
        writeln!(out, "ottla ready 127.0.0.1:{port}")
            .and_then(|()| out.flush())
            .doing("say that it serves")?;
        // A spawned task, since the thread that blocks here is none of the workers.
        tokio::spawn(accept(listener, response)).await.doing("serve")?
    })
}

async fn accept(listener: TcpListener, response: Vec<u8>) -> Result<(), Problem> {
    loop {
        let (stream, _) = listener.accept().await.doing("accept a connection")?;
        tokio::spawn(answer_all(stream, response.clone()));
    }
}

async fn answer_all(mut stream: TcpStream, mut response: Vec<u8>) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut received = BytesMut::with_capacity(READ_BUFFER_BYTES);
    loop {
        while let Some(correlation) = next_frame(&mut received) {
            if let Some(place) = response.get_mut(RESPONSE_CORRELATION) {
                place.copy_from_slice(&correlation);
            }
            stream.write_all(&response).await?;
        }
        if stream.read_buf(&mut received).await? == 0 {
            return Ok(());
        }
    }
}

/// Takes a frame off, if one is whole, and gives its correlation id.
fn next_frame(received: &mut BytesMut) -> Option<[u8; 4]> {
    let length = u32::from_be_bytes(*received.first_chunk()?);
    let whole = usize::try_from(length).ok()?.saturating_add(LENGTH_BYTES);
    if received.len() < whole {
        return None;
    }
    let correlation = received.get(REQUEST_CORRELATION)?.try_into().ok()?;
    received.advance(whole);
    Some(correlation)
}

/// Bytes as the argument of a server that is the running program, started by itself.
#[must_use]
pub fn hex_of(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The bytes of such an argument.
///
/// # Errors
/// It is none.
pub fn bytes_of(hex: &str) -> Result<Vec<u8>, Problem> {
    let pairs = (0..hex.len()).step_by(2).map(|place| hex.get(place..place.saturating_add(2)));
    pairs.map(|pair| u8::from_str_radix(pair.unwrap_or_default(), 16).doing("read a frame")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_taken_off_whole() {
        let mut received = BytesMut::from(&[0, 0, 0, 9, 0, 8, 0, 9, 1, 2, 3, 4, 5, 0, 0][..]);
        assert_eq!(next_frame(&mut received), Some([1, 2, 3, 4]));
        assert_eq!(next_frame(&mut received), None);
        assert_eq!(received.len(), 2);
        assert_eq!(bytes_of("00ff10").unwrap(), [0, 255, 16]);
        assert!(bytes_of("0").is_err() && bytes_of("0g").is_err());
    }
}
