//! `ottla produce`.

mod batches;
mod delivery;
mod input;
mod options;
mod partitioner;
mod sender;
mod split;

use std::collections::BTreeMap;
use std::error::Error;
use std::io::{self, IsTerminal};
use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError};
use std::time::Duration;

use serde::Serialize;

use crate::ask;
use crate::client::Cluster;
use crate::progress::{Progress, Unit};
use input::{Chunk, Input};
pub(crate) use options::Produce;
use partitioner::Partitioner;
use sender::Sender;

/// How long records wait for others to share a request with.
const LINGER: Duration = Duration::from_millis(5);

/// Bytes of records that are collected before they are sent in any case.
const COLLECTED_BYTES_MAX: usize = 8 * 1024 * 1024;

/// A record on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Outgoing {
    key: Option<bytes::Bytes>,
    value: Option<bytes::Bytes>,
    headers: Vec<crate::record::Header>,
    /// Milliseconds since 1970.
    timestamp: i64,
    /// Which one of the input it is, from 1.
    number: u64,
}

impl Outgoing {
    fn bytes(&self) -> usize {
        let length = |bytes: &Option<bytes::Bytes>| bytes.as_ref().map_or(0, bytes::Bytes::len);
        let headers = self.headers.iter().map(|(name, value)| name.len().saturating_add(length(value)));
        headers.fold(length(&self.key).saturating_add(length(&self.value)), usize::saturating_add)
    }
}

/// What is told at the end.
#[derive(Debug, Serialize)]
struct Told {
    topic: String,
    records: u64,
    bytes: u64,
    partitions: Vec<Written>,
}

/// What was written to a partition.
#[derive(Debug, Clone, Copy, Serialize)]
struct Written {
    partition: i32,
    records: u64,
    /// Nothing when the broker was not asked to acknowledge.
    first_offset: Option<i64>,
    last_offset: Option<i64>,
}

impl Produce {
    /// Reads, sends, tells.
    pub(crate) fn run(self) -> Result<(), Box<dyn Error>> {
        let input = Input::open(&self)?;
        let cluster = Cluster::connect(&self.bootstrap)?;
        let is_typed = self.files.is_empty() && io::stdin().is_terminal();
        let progress = if is_typed || self.quiet {
            Progress::hidden()
        } else {
            Progress::begin(Unit::Bytes, input.total_bytes())
        };
        let mut sender = Sender::begin(cluster, &self, &progress)?;
        let mut partitioner = Partitioner::new(self.partition, sender.partition_count());
        let chunks = input.read();
        let outcome = pump(&chunks, &mut sender, &mut partitioner, &progress);
        progress.end();
        let (records, bytes) = sender.sent();
        outcome.map_err(|error| match records {
            0 => error,
            _ => format!("{error}; {records} records were sent before").into(),
        })?;
        if self.json {
            let partitions = sender.written();
            ask::print_json(&Told { topic: self.topic, records, bytes, partitions })?;
        }
        Ok(())
    }
}

/// Sends what is read: as soon as nothing more is there to share a request with, or enough is.
fn pump(
    chunks: &Receiver<Result<Chunk, String>>,
    sender: &mut Sender<'_>,
    partitioner: &mut Partitioner,
    progress: &Progress,
) -> Result<(), Box<dyn Error>> {
    let mut collected: BTreeMap<i32, Vec<Outgoing>> = BTreeMap::new();
    let (mut bytes, mut taken) = (0_usize, 0);
    loop {
        let next = if bytes == 0 && collected.is_empty() {
            chunks.recv().map_err(|_| RecvTimeoutError::Disconnected)
        } else {
            match chunks.try_recv() {
                Err(TryRecvError::Empty) => chunks.recv_timeout(LINGER),
                other => other.map_err(|_| RecvTimeoutError::Disconnected),
            }
        };
        let (chunk, failure, is_over) = match next {
            Ok(Ok(chunk)) => (Some(chunk), None, false),
            Ok(Err(failure)) => (None, Some(failure), true),
            Err(RecvTimeoutError::Timeout) => (None, None, false),
            Err(RecvTimeoutError::Disconnected) => (None, None, true),
        };
        let is_idle = chunk.is_none();
        if let Some(chunk) = chunk {
            taken += chunk.bytes_read;
            for record in chunk.records {
                let size = record.bytes();
                bytes = bytes.saturating_add(size);
                let partition = partitioner.partition(record.key.as_deref(), size);
                collected.entry(partition).or_default().push(record);
            }
        }
        if is_idle || bytes >= COLLECTED_BYTES_MAX {
            sender.send(std::mem::take(&mut collected))?;
            progress.add(taken);
            (bytes, taken) = (0, 0);
        }
        if let Some(failure) = failure {
            return Err(failure.into());
        }
        if is_over {
            return Ok(());
        }
    }
}
