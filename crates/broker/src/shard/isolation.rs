//! Reading a partition at an isolation level (KIP-98).

use ottla_log::{AbortedTransaction, Read, ReadError, ReadLimit};
use ottla_model::Offset;

use super::partition::Partition;

/// What a reader may see (`FetchIsolation`, for consumers).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Isolation {
    /// Everything below the high watermark.
    Uncommitted,
    /// What is below the last stable offset; it leaves out itself what was aborted.
    Committed,
}

impl From<i8> for Isolation {
    /// `IsolationLevel.READ_COMMITTED` is 1.
    fn from(level: i8) -> Self {
        if level == 1 { Self::Committed } else { Self::Uncommitted }
    }
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

impl Partition {
    /// Reads whole batches from `from` on, as far as `isolation` allows below the high watermark that the caller has read.
    /// The batches and what was aborted in them are looked up together: compaction takes both away.
    pub(crate) fn fetch(
        &self,
        from: Offset,
        max_bytes: usize,
        at_least_one: bool,
        high_watermark: Offset,
        isolation: Isolation,
    ) -> Result<Fetched, ReadError> {
        self.touch();
        let log = self.log();
        let last_stable_offset = log.last_stable_offset(high_watermark);
        let upper = match isolation {
            Isolation::Uncommitted => high_watermark,
            Isolation::Committed => last_stable_offset,
        };
        let read = log.read(from, ReadLimit { max_bytes, at_least_one, upper })?;
        let aborted = match isolation {
            Isolation::Uncommitted => None,
            Isolation::Committed if read.bytes.is_empty() => Some(Vec::new()),
            Isolation::Committed => Some(log.aborted_transactions(from, read.next)?),
        };
        Ok(Fetched { read, last_stable_offset, aborted })
    }

    /// The offset behind the last one that may be seen.
    pub(crate) fn end_at(&self, isolation: Isolation) -> Offset {
        let high_watermark = self.high_watermark();
        match isolation {
            Isolation::Uncommitted => high_watermark,
            Isolation::Committed => self.log().last_stable_offset(high_watermark),
        }
    }
}
