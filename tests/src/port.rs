//! Free ports that stay ours across a broker's restart.

use std::net::{Ipv4Addr, TcpListener};
use std::sync::atomic::{AtomicU16, Ordering};

use crate::problem::Problem;

/// The range that ports are taken from. It lies below the range from which Linux takes the local ports of outgoing
/// connections (32768 and up), for two reasons: while a broker is down no client connection can land on its port, and
/// a client that keeps reconnecting can not connect to itself.
const PORT_FIRST: u16 = 20_000;
const PORT_COUNT: u16 = 10_000;

/// How far apart the searches of two processes begin.
const PORTS_PER_PROCESS: u32 = 64;

/// Finds a port of 127.0.0.1 on which nothing listens. Every call within one process gives another one.
///
/// # Errors
/// The whole range is taken.
pub fn free_port() -> Result<u16, Problem> {
    static CALLS: AtomicU16 = AtomicU16::new(0);
    let process_start = std::process::id().wrapping_mul(PORTS_PER_PROCESS) % u32::from(PORT_COUNT);
    for _ in 0..PORT_COUNT {
        let call = u32::from(CALLS.fetch_add(1, Ordering::Relaxed));
        let step = u16::try_from((process_start + call) % u32::from(PORT_COUNT)).unwrap_or_default();
        let port = PORT_FIRST + step;
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return Ok(port);
        }
    }
    Err(Problem::new(format!("no port from {PORT_FIRST} to {} is free", PORT_FIRST + PORT_COUNT - 1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_calls_give_two_ports() {
        let (first, second) = (free_port().unwrap(), free_port().unwrap());
        assert_ne!(first, second);
        assert!((PORT_FIRST..PORT_FIRST + PORT_COUNT).contains(&first));
    }

    #[test]
    fn a_taken_port_is_passed_over() {
        let port = free_port().unwrap();
        let _held = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).unwrap();
        for _ in 0..PORT_COUNT {
            if free_port().unwrap() == port {
                panic!("port {port} was given although it is taken");
            }
        }
    }
}
