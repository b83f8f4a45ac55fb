//! What is counted while the broker works, and what `GET /metrics` tells.
//!
//! On the paths of requests nothing is done but to add to an atomic that nobody waits for: [`Counters`] has a row for
//! each API, and each partition has its own. Everything else is read when somebody asks.

mod catalog;
mod kafka;
mod process;
mod samples;
mod scrape;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use ottla_model::ErrorCode;

pub(crate) use samples::CONTENT_TYPE;
pub(crate) use scrape::scrape;

/// Upper bounds of the ranges that the times of requests are counted in, in microseconds.
const DURATION_BOUNDS_US: [u64; 10] =
    [100, 500, 1_000, 5_000, 10_000, 50_000, 100_000, 500_000, 1_000_000, 10_000_000];

/// Kinds of errors that are told apart; further ones are counted as the last of them.
const ERROR_KINDS_MAX: usize = 1000;

/// What became of a request that was answered by closing its connection.
const CLOSED: &str = "CLOSED";

/// What is counted of one API.
#[derive(Debug, Default)]
pub(crate) struct ApiCounters {
    /// How many requests took at most so long, and longer than the bound before; the last for all others.
    durations: [AtomicU64; DURATION_BOUNDS_US.len() + 1],
    duration_us: AtomicU64,
}

/// What the broker counts. All of it starts at 0 with the broker.
#[derive(Debug)]
pub(crate) struct Counters {
    /// By the place of the API in the table.
    apis: Box<[ApiCounters]>,
    /// Whether somebody may ever ask for errors, which answers are searched for then.
    tells_errors: bool,
    /// By API and name of the error. Errors are not a hot path.
    errors: Mutex<BTreeMap<(&'static str, String), u64>>,
    /// Connections that were accepted.
    pub(crate) accepted: AtomicU64,
    /// Connections that have ended.
    pub(crate) ended: AtomicU64,
    /// Bytes that were read from clients.
    pub(crate) received_bytes: AtomicU64,
    /// Bytes that were written to clients.
    pub(crate) sent_bytes: AtomicU64,
    /// Compactions that were finished.
    pub(crate) compactions: AtomicU64,
    /// Bytes that they have freed.
    pub(crate) compaction_removed_bytes: AtomicU64,
}

/// Adds to a counter.
pub(crate) fn count(counter: &AtomicU64, more: u64) {
    counter.fetch_add(more, Ordering::Relaxed);
}

fn read(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Relaxed)
}

impl Counters {
    /// Counters for so many APIs.
    pub(crate) fn new(apis: usize, tells_errors: bool) -> Self {
        Self {
            apis: (0..apis).map(|_| ApiCounters::default()).collect(),
            tells_errors,
            errors: Mutex::default(),
            accepted: AtomicU64::new(0),
            ended: AtomicU64::new(0),
            received_bytes: AtomicU64::new(0),
            sent_bytes: AtomicU64::new(0),
            compactions: AtomicU64::new(0),
            compaction_removed_bytes: AtomicU64::new(0),
        }
    }

    /// Counts a request of the API at that place of the table.
    pub(crate) fn answered(&self, api: usize, took: Duration) {
        let Some(counters) = self.apis.get(api) else { return };
        let us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let range = DURATION_BOUNDS_US.partition_point(|&bound| bound < us);
        if let Some(counter) = counters.durations.get(range) {
            count(counter, 1);
        }
        count(&counters.duration_us, us);
    }

    /// Whether answers are to be searched for errors.
    pub(crate) fn tells_errors(&self) -> bool {
        self.tells_errors
    }

    /// Counts an error in an answer of an API.
    pub(crate) fn refused(&self, api: &'static str, error: ErrorCode) {
        if self.tells_errors && error.is_error() {
            self.count_error(api, error.to_string());
        }
    }

    /// Counts a request that closed its connection.
    pub(crate) fn closed(&self, api: &'static str) {
        self.count_error(api, CLOSED.to_owned());
    }

    fn count_error(&self, api: &'static str, error: String) {
        let mut errors = self.errors.lock().unwrap_or_else(PoisonError::into_inner);
        if errors.len() < ERROR_KINDS_MAX || errors.contains_key(&(api, error.clone())) {
            let counted = errors.entry((api, error)).or_default();
            *counted = counted.saturating_add(1);
        }
    }
}

/// What one partition counts since it was opened.
#[derive(Debug, Default)]
pub(crate) struct PartitionCounters {
    /// Records that were appended.
    pub(crate) records_in: AtomicU64,
    /// Bytes of their batches.
    pub(crate) bytes_in: AtomicU64,
    /// Bytes of batches that were read, each time they were.
    pub(crate) bytes_out: AtomicU64,
}

/// What went into logs and out of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Traffic {
    /// Records that were appended.
    pub(crate) records_in: u64,
    /// Bytes of their batches.
    pub(crate) bytes_in: u64,
    /// Bytes of batches that were read, each time they were.
    pub(crate) bytes_out: u64,
}

impl Traffic {
    /// Both together.
    pub(crate) fn and(self, other: Self) -> Self {
        Self {
            records_in: self.records_in.saturating_add(other.records_in),
            bytes_in: self.bytes_in.saturating_add(other.bytes_in),
            bytes_out: self.bytes_out.saturating_add(other.bytes_out),
        }
    }
}

impl PartitionCounters {
    /// What was counted so far.
    pub(crate) fn traffic(&self) -> Traffic {
        Traffic {
            records_in: read(&self.records_in),
            bytes_in: read(&self.bytes_in),
            bytes_out: read(&self.bytes_out),
        }
    }
}
