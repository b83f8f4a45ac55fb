//! Reading a partition at an isolation level (KIP-98).

use ottla_log::{AbortedTransaction, Cold, Isolation, Log, Read, ReadError, ReadLimit};
use ottla_model::Offset;

use super::partition::Partition;

/// `IsolationLevel.READ_COMMITTED`.
const READ_COMMITTED: i8 = 1;

/// The isolation level that a request names.
pub(crate) fn isolation_of(level: i8) -> Isolation {
    if level == READ_COMMITTED { Isolation::ReadCommitted } else { Isolation::ReadUncommitted }
}

/// What a reader asks for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ask {
    /// The offset to read from.
    pub(crate) from: Offset,
    /// Most bytes.
    pub(crate) max_bytes: usize,
    /// True when the first batch is given even if it alone is larger (KIP-74).
    pub(crate) at_least_one: bool,
    /// The high watermark that the caller has read: it tells its client both, and they must fit together.
    pub(crate) high_watermark: Offset,
    /// What the reader may see.
    pub(crate) isolation: Isolation,
}

/// What was read.
#[derive(Debug)]
pub(crate) struct Fetched {
    /// The batches.
    pub(crate) read: Read,
    /// The last stable offset at the high watermark that the caller knew.
    pub(crate) last_stable_offset: Offset,
    /// The transactions that were aborted in the batches; `None` for who reads everything.
    pub(crate) aborted: Option<Vec<AbortedTransaction>>,
}

impl Ask {
    /// How far the log may be read, and its last stable offset.
    fn limit(&self, log: &Log) -> (ReadLimit, Offset) {
        let last_stable_offset = log.last_stable_offset(self.high_watermark);
        let upper = match self.isolation {
            Isolation::ReadUncommitted => self.high_watermark,
            Isolation::ReadCommitted => last_stable_offset,
        };
        let limit = ReadLimit { max_bytes: self.max_bytes, at_least_one: self.at_least_one, upper };
        (limit, last_stable_offset)
    }

    /// The batches, with what was aborted in them. Both come from one hold of the log's lock: compaction takes both away.
    fn fetched(&self, log: &Log, read: Read, last_stable_offset: Offset) -> Result<Fetched, ReadError> {
        let aborted = match self.isolation {
            Isolation::ReadUncommitted => None,
            Isolation::ReadCommitted if read.bytes.is_empty() => Some(Vec::new()),
            Isolation::ReadCommitted => Some(log.aborted_transactions(self.from, read.next)?),
        };
        Ok(Fetched { read, last_stable_offset, aborted })
    }
}

impl Partition {
    /// Reads whole batches, if that needs nothing but memory; `None` when it has to be [`Self::fetch_cold`].
    pub(crate) fn fetch_hot(&self, ask: &Ask) -> Result<Option<Fetched>, ReadError> {
        self.touch();
        let log = self.log();
        let (limit, last_stable_offset) = ask.limit(&log);
        let Some(read) = log.read_hot(ask.from, limit)? else { return Ok(None) };
        self.count_out(&read);
        ask.fetched(&log, read, last_stable_offset).map(Some)
    }

    /// Reads whole batches on a thread that may block. It waits for the disk without the log's lock.
    pub(crate) fn fetch_cold(&self, ask: &Ask) -> Result<Fetched, ReadError> {
        if let Some(fetched) = self.fetch_hot(ask)? {
            return Ok(fetched);
        }
        let planned = {
            let log = self.log();
            log.plan_cold(ask.from, ask.limit(&log).0)?
        };
        let warm = planned.map(Cold::warm).transpose()?;
        let log = self.log();
        let (limit, last_stable_offset) = ask.limit(&log);
        let read = log.read_warm(ask.from, limit, warm.as_ref())?;
        self.count_out(&read);
        ask.fetched(&log, read, last_stable_offset)
    }

    /// The offset behind the last one that may be seen.
    pub(crate) fn end_at(&self, isolation: Isolation) -> Offset {
        let high_watermark = self.high_watermark();
        match isolation {
            Isolation::ReadUncommitted => high_watermark,
            Isolation::ReadCommitted => self.log().last_stable_offset(high_watermark),
        }
    }
}
