//! What a request costs, and what it may cost.
//!
//! A request has one answer, and what it appends goes into the file at once: these calls are exact. Others follow the machine's
//! mood a little. A frame of 16 KB may come in two parts; a thread that has just answered may find the next request before
//! it waits for it, and another that was woken for it finds nothing. There is room for that, and none for one more of them
//! with every request.
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
        // Some 24,200 in runs where few frames come in two parts.
        (Tool::Callgrind, Kind::Produce) => instructions(26_700.0),
        (Tool::Callgrind, Kind::Fetch) => instructions(17_400.0),
        (Tool::Callgrind, Kind::Commit) => instructions(27_000.0),
    }
}

fn system_calls(kind: Kind) -> Vec<Bound> {
    let bounds: &[(&'static str, f64, f64)] = match kind {
        Kind::Produce => &[
            ("recvfrom", 1.00, 1.30),
            ("recvfrom failed", 0.00, 0.90),
            ("pwritev", 1.00, 1.01),
            ("sendto", 1.00, 1.01),
            ("epoll_wait", 0.80, 1.60),
            (OTHERS, 0.01, 0.10),
        ],
        // The records go out from the map of their file, between what stands in front of them and behind.
        Kind::Fetch => &[
            ("recvfrom", 1.00, 1.01),
            ("recvfrom failed", 0.00, 0.90),
            ("writev", 1.00, 1.01),
            ("epoll_wait", 1.00, 1.60),
            (OTHERS, 0.00, 0.10),
        ],
        Kind::Commit => &[
            ("recvfrom", 1.00, 1.01),
            ("recvfrom failed", 0.00, 0.90),
            ("pwritev", 1.00, 1.01),
            ("sendto", 1.00, 1.01),
            ("epoll_wait", 1.00, 1.60),
            (OTHERS, 0.01, 0.10),
        ],
    };
    bounds.iter().map(|(name, measured, most)| Bound { name, measured: *measured, most: *most }).collect()
}

fn instructions(measured: f64) -> Vec<Bound> {
    vec![Bound { name: INSTRUCTIONS, measured, most: measured * SLACK }]
}
