//! What a request costs, and what it may cost.
//!
//! A request has one answer, and what it appends goes into the file at once: these calls are exact. Others follow the machine's
//! mood a little. A frame of 16 KB may come in two parts, which takes a read more, and a thread that is still busy when the
//! next request comes does not have to wait for it; so there is room below the next whole number.
//!
//! Instructions have 15 % of slack, for other compilers and for C libraries that copy memory in another way.

use ottla_bench::instrument::{INSTRUCTIONS, Tool};

use crate::Kind;

/// How often something may happen for one request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bound {
    /// What happens.
    pub(crate) name: &'static str,
    /// How often that was when the bound was set.
    pub(crate) measured: f64,
    /// How often it may be.
    pub(crate) most: f64,
}

/// What is in no bound, all together.
pub(crate) const OTHERS: &str = "others";

const SLACK: f64 = 1.15;

/// The bounds of a kind of request.
pub(crate) fn of(tool: Tool, kind: Kind) -> Vec<Bound> {
    match (tool, kind) {
        (Tool::Strace, kind) => system_calls(kind),
        (Tool::Callgrind, Kind::Produce) => instructions(24_118.0),
        (Tool::Callgrind, Kind::Fetch) => instructions(18_144.0),
        (Tool::Callgrind, Kind::Commit) => instructions(28_742.0),
    }
}

fn system_calls(kind: Kind) -> Vec<Bound> {
    let bounds: &[(&'static str, f64, f64)] = match kind {
        Kind::Produce => &[
            ("recvfrom", 1.11, 1.60),
            ("pwritev", 1.00, 1.01),
            ("sendto", 1.00, 1.01),
            ("epoll_wait", 0.87, 2.10),
            (OTHERS, 0.00, 0.10),
        ],
        // The records go out from the map of their file, between what stands in front of them and behind.
        Kind::Fetch => &[
            ("recvfrom", 0.97, 1.20),
            ("writev", 1.00, 1.01),
            ("epoll_wait", 1.32, 2.10),
            (OTHERS, 0.00, 0.10),
        ],
        Kind::Commit => &[
            ("recvfrom", 1.00, 1.20),
            ("pwritev", 1.00, 1.01),
            ("sendto", 1.00, 1.01),
            ("epoll_wait", 1.36, 2.10),
            (OTHERS, 0.00, 0.10),
        ],
    };
    bounds.iter().map(|(name, measured, most)| Bound { name, measured: *measured, most: *most }).collect()
}

fn instructions(measured: f64) -> Vec<Bound> {
    vec![Bound { name: INSTRUCTIONS, measured, most: measured * SLACK }]
}
