//! Asks an address whether a Kafka broker serves clients there.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

/// A Metadata request of version 1 for no topics, with correlation id 1 and no client id, its length in front.
const METADATA_REQUEST: [u8; 18] = [0, 0, 0, 14, 0, 3, 0, 1, 0, 0, 0, 1, 0xff, 0xff, 0, 0, 0, 0];

/// The bytes of an answer that are looked at: length, correlation id, number of brokers.
const ANSWER_START_BYTES: usize = 12;

const CONNECT_LIMIT: Duration = Duration::from_secs(1);
const ANSWER_LIMIT: Duration = Duration::from_secs(5);

/// Whether something on this port of 127.0.0.1 answers Metadata and lists at least one broker.
///
/// ApiVersions would say too little: Apache Kafka answers it for up to 9 seconds after a kill while its controller
/// still waits for the session of the killed process to end, and until then no partition has a leader.
#[must_use]
pub fn lists_a_broker(port: u16) -> bool {
    ask(port).is_ok_and(|answer| {
        let [.., i, j, k, l] = answer;
        answer.get(4..8) == Some(&[0, 0, 0, 1]) && i32::from_be_bytes([i, j, k, l]) > 0
    })
}

fn ask(port: u16) -> std::io::Result<[u8; ANSWER_START_BYTES]> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let mut stream = TcpStream::connect_timeout(&address, CONNECT_LIMIT)?;
    stream.set_read_timeout(Some(ANSWER_LIMIT))?;
    stream.write_all(&METADATA_REQUEST)?;
    let mut answer = [0; ANSWER_START_BYTES];
    stream.read_exact(&mut answer)?;
    Ok(answer)
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    /// Answers one connection with these bytes after a whole request, and gives what the probe makes of it.
    fn probe(answer: [u8; ANSWER_START_BYTES]) -> bool {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let (mut stream, _) = listener.accept().unwrap();
                stream.read_exact(&mut [0; METADATA_REQUEST.len()]).unwrap();
                stream.write_all(&answer).unwrap();
            });
            lists_a_broker(port)
        })
    }

    #[test]
    fn only_an_answer_with_a_broker_counts() {
        assert!(probe([0, 0, 0, 40, 0, 0, 0, 1, 0, 0, 0, 1]));
        assert!(!probe([0, 0, 0, 40, 0, 0, 0, 1, 0, 0, 0, 0]));
        assert!(!probe([0, 0, 0, 40, 0, 0, 0, 2, 0, 0, 0, 1]));
    }

    #[test]
    fn nobody_listening_is_no_broker() {
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
        assert!(!lists_a_broker(port));
    }
}
