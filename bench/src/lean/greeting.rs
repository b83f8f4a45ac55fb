//! A connection as a client has it that does nothing yet.

use std::io::{Read, Write};
use std::net::TcpStream;

use bytes::BufMut;
use ottla_tests::problem::{Doing, Problem};

use super::wire::{LENGTH_BYTES, begin_request, end_frame, put_string};

const API_VERSIONS_KEY: i16 = 18;
const API_VERSIONS_VERSION: i16 = 3;

/// Connects and asks for the versions of the APIs, as every stock client begins.
///
/// # Errors
/// Nobody listens there, or the connection is lost.
pub fn greet(address: &str) -> Result<TcpStream, Problem> {
    let mut frame = Vec::new();
    begin_request(&mut frame, API_VERSIONS_KEY, API_VERSIONS_VERSION);
    put_string(&mut frame, "bench");
    put_string(&mut frame, "1");
    frame.put_u8(0);
    end_frame(&mut frame)?;
    let mut stream = TcpStream::connect(address).doing(format_args!("connect to {address}"))?;
    stream.write_all(&frame).doing("ask for the versions of the APIs")?;
    let mut length = [0; LENGTH_BYTES];
    stream.read_exact(&mut length).doing("read the versions of the APIs")?;
    let mut answer = vec![0; u32::from_be_bytes(length) as usize];
    stream.read_exact(&mut answer).doing("read the versions of the APIs")?;
    Ok(stream)
}
