//! Records of aborted transactions, which a reader of committed records never receives.

use std::io;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use ottla_model::Offset;

use super::Log;
use crate::batch::BatchHeader;
use crate::disk::DiskFile;
use crate::error::ReadError;
use crate::index::AbortedTransaction;
use crate::segment::{Damage, Scan, Scanned, Segment, Tally};

/// What a reader receives of transactions (`isolation.level`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Isolation {
    /// Everything below the high watermark.
    ReadUncommitted,
    /// What lies below the last stable offset and was not aborted.
    ReadCommitted,
}

/// True when the batch is one of the transaction's.
fn holds(transaction: &AbortedTransaction, header: &BatchHeader) -> bool {
    header.producer_id == transaction.producer_id
        && header.is_transactional()
        && !header.is_control()
        && (transaction.first_offset..transaction.last_offset).contains(&header.base_offset)
}

/// Where the batches of aborted transactions are among others.
#[derive(Debug, Default)]
pub(super) struct AbortedBatches {
    transactions: Vec<AbortedTransaction>,
    /// Batches that end before it are not looked at.
    from: Offset,
    parts: Vec<Part>,
    /// The first data batch behind all of them.
    behind: Option<Bytes>,
}

/// A part of a segment.
#[derive(Debug)]
struct Part {
    file: Arc<dyn DiskFile>,
    base_offset: Offset,
    range: Range<u64>,
    damage: Arc<[Damage]>,
}

/// What a reader of committed records does not receive.
#[derive(Debug, Default)]
pub(super) struct Hidden {
    transactions: Vec<AbortedTransaction>,
    pub(super) tally: Tally,
    /// The first data batch that is not hidden, if it was looked for.
    pub(super) next: Option<Option<Bytes>>,
}

impl Log {
    /// Where to look for what a reader does not receive.
    pub(super) fn aborted_batches(
        &self,
        from: Offset,
        upper: Offset,
        isolation: Isolation,
    ) -> Result<AbortedBatches, ReadError> {
        match isolation {
            Isolation::ReadUncommitted => Ok(AbortedBatches::default()),
            Isolation::ReadCommitted => self.batches_of(self.aborted_transactions(from, upper)?, from, upper),
        }
    }

    fn batches_of(
        &self,
        transactions: Vec<AbortedTransaction>,
        from: Offset,
        upper: Offset,
    ) -> Result<AbortedBatches, ReadError> {
        let ends = transactions.iter().map(|transaction| transaction.last_offset.saturating_add(1));
        let Some(end) = ends.max().map(|end| end.min(upper)) else { return Ok(AbortedBatches::default()) };
        let mut parts = Vec::new();
        for (_, segment) in self.segments_between(from, end) {
            let Some(first) = segment.locate(from)? else { continue };
            parts.push(Part {
                file: Arc::clone(segment.file()?),
                base_offset: segment.base_offset(),
                range: first.position..segment.size(),
                damage: segment.damage(),
            });
        }
        let behind = self.readable_batch(end.max(from), upper, upper, Segment::first_data_batch)?;
        Ok(AbortedBatches { transactions, from, parts, behind })
    }
}

impl AbortedBatches {
    /// Reads the headers of all batches between the first and the last one. It takes no lock.
    pub(super) fn count(self) -> io::Result<Hidden> {
        let mut hidden = Hidden { transactions: self.transactions, ..Hidden::default() };
        let Some(end) = hidden.transactions.iter().map(|transaction| transaction.last_offset).max() else {
            return Ok(hidden);
        };
        let mut next = None;
        for part in &self.parts {
            let scan =
                Scan::new(&*part.file, part.base_offset, part.range.clone(), Scan::HEADERS_WINDOW_BYTES);
            let mut scan = scan.around(Arc::clone(&part.damage));
            while let Some(batch) = scan.next()?.filter(|batch| batch.header.base_offset < end) {
                let tally = Tally::of(&batch.header, batch.size);
                if hidden.holds(&batch.header) {
                    hidden.tally = hidden.tally.plus(tally);
                } else if next.is_none() && tally.records > 0 && batch.header.base_offset >= self.from {
                    next = Some(part.bytes_of(&batch)?);
                }
            }
        }
        hidden.next = Some(next.or(self.behind));
        Ok(hidden)
    }
}

impl Part {
    fn bytes_of(&self, batch: &Scanned) -> io::Result<Bytes> {
        let length = usize::try_from(batch.size).map_err(|_| io::ErrorKind::FileTooLarge)?;
        self.file.slice(batch.position, length)
    }
}

impl Hidden {
    fn holds(&self, header: &BatchHeader) -> bool {
        self.transactions.iter().any(|transaction| holds(transaction, header))
    }

    /// True when a reader does not receive that batch.
    pub(super) fn hides(&self, batch: &Bytes) -> bool {
        BatchHeader::parse(batch).is_some_and(|header| self.holds(&header))
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use ottla_model::{TopicId, TopicName, WallMillis};

    use super::super::unread::{Unread, UnreadLook};
    use super::*;
    use crate::{Append, BatchBuilder, Identity, LogConfig, MemoryDisk, NewRecord, Open, Origin};

    fn log() -> Log {
        let identity = Identity {
            topic: TopicName::new("topic").expect("legal"),
            partition: 0,
            topic_id: TopicId([7; 16]),
        };
        let config = LogConfig { segment_bytes: 500, index_interval_bytes: 100, ..LogConfig::default() };
        let open = Open { clean: true, recovery_point: 0, synced: false, now: WallMillis(0) };
        Log::open(Arc::new(MemoryDisk::default()), Path::new("/topic-0"), identity, config, open)
            .expect("opened")
            .0
    }

    fn append(log: &mut Log, builder: BatchBuilder, timestamps: &[i64]) {
        let mut builder = builder;
        for &timestamp in timestamps {
            builder.push(NewRecord { timestamp, value: Some(b"value"), ..NewRecord::default() });
        }
        let (batch, now) = (builder.build(), WallMillis(0));
        // A transaction is announced before its first batch.
        log.producers.update(&BatchHeader::parse(&batch).expect("header"), None);
        log.append(batch, Append::new(0, Origin::Coordinator, now)).expect("appended");
    }

    /// What a reader from `from` on receives when producer 1 has aborted what lies in `aborted`.
    fn unread(log: &mut Log, from: Offset, aborted: Range<Offset>) -> Unread {
        let upper = log.end_offset();
        let transaction = AbortedTransaction {
            producer_id: 1,
            first_offset: aborted.start,
            last_offset: aborted.end,
            last_stable_offset: aborted.end,
        };
        let Ok(UnreadLook::Known(mut found)) = log.unread(from, upper, Isolation::ReadCommitted) else {
            panic!("all was appended by this process")
        };
        found.aborted = log.batches_of(vec![transaction], from, upper).expect("found");
        found.count().expect("counted")
    }

    #[test]
    fn aborted_records_are_not_received() {
        let mut log = log();
        let transactional =
            |producer, sequence| BatchBuilder::new().producer(producer, 0, sequence).transactional();
        for round in 0..8 {
            append(&mut log, transactional(1, round * 2), &[100, 101]);
            append(&mut log, transactional(2, round * 3), &[200, 201, 202]);
        }
        assert!(log.segment_count() > 3);
        for from in 0..40 {
            let all: Vec<Offset> = (from..40).filter(|offset| offset % 5 >= 2).collect();
            let found = unread(&mut log, from, 0..40);
            assert_eq!(found.records, all.len() as u64, "from {from}");
            let next = found.next.map(|next| (next.offset, next.timestamp));
            let expected = all.first().map(|&offset| (offset, 200 + offset % 5 - 2));
            assert_eq!(next, expected, "from {from}");
            // Only what the transaction holds is aborted.
            let later = unread(&mut log, from, 10..20);
            let kept = (from..40).filter(|&offset| offset % 5 >= 2 || !(10..20).contains(&offset));
            assert_eq!(later.records, kept.count() as u64, "from {from}");
        }
    }
}
