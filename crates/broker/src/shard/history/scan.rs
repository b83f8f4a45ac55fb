//! Goes through the log of a partition of `__consumer_offsets` and picks out what happened to one group's offsets.

use bytes::{Buf, Bytes};
use ottla_control::catalog::Refusal;
use ottla_control::codec::{Cause, CommitOddities, Key, OFFSET_CAUSE_HEADER, OffsetCause, OffsetCommitValue};
use ottla_control::group::RestoredValue;
use ottla_log::{BatchHeader, EndMarker, Isolation, Outcome, Record, records};
use ottla_model::{ErrorCode, Offset, PartitionIndex, TopicName};

use super::pending::Pending;
use crate::error_codes;
use crate::shard::{Ask, Partition};

/// Bytes of the log that one question may have read.
const SCAN_BYTES_MAX: u64 = 4 << 30;

/// Bytes that are read under the log's lock at a time.
const CHUNK_BYTES: usize = 1 << 20;

/// What happened to one committed offset.
#[derive(Debug, Clone)]
pub(super) struct Change {
    /// Where its record is.
    pub(super) record_offset: Offset,
    /// Where the batch of its record begins: what was asked for together is in one batch.
    pub(super) batch: Offset,
    /// When it took effect.
    pub(super) time_ms: i64,
    pub(super) topic: TopicName,
    pub(super) partition: PartitionIndex,
    /// The new value, or nothing when the offset was deleted.
    pub(super) value: Option<RestoredValue>,
    /// Who did it and why. Records that Kafka or an older Ottla wrote do not say.
    pub(super) why: Option<Why>,
}

/// The header of a change, for keeps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Why {
    pub(super) cause: Cause,
    pub(super) oddities: CommitOddities,
    pub(super) previous: Option<Offset>,
    pub(super) generation: i32,
    pub(super) member_id: String,
    pub(super) instance_id: Option<String>,
    pub(super) client_id: Option<String>,
    pub(super) client_host: String,
}

/// What is scanned.
pub(super) struct Scan<'a> {
    pub(super) partition: &'a Partition,
    pub(super) group: &'a str,
    /// Where the scan ends.
    pub(super) upper: Offset,
    /// Up to where the log is compacted.
    pub(super) cleaned_to: Offset,
}

/// How a scan goes.
struct Progress {
    next: Offset,
    bytes: u64,
    complete_from_ms: Option<i64>,
    pending: Pending,
}

/// Who is told of each change.
type Listener<'a> = dyn FnMut(Change) -> Result<(), Refusal> + 'a;

impl Scan<'_> {
    /// Hands every change from `from` on to `each`, in the order in which they took effect. Tells from when on nothing is
    /// missing that compaction took away; nothing when none is missing at all.
    pub(super) fn run(&self, from: Offset, each: &mut Listener<'_>) -> Result<Option<i64>, Refusal> {
        let next = from.max(self.partition.log().start_offset());
        let mut progress = Progress { next, bytes: 0, complete_from_ms: None, pending: Pending::default() };
        while progress.next < self.upper {
            let ask = Ask {
                from: progress.next,
                max_bytes: CHUNK_BYTES,
                at_least_one: true,
                high_watermark: self.upper,
                isolation: Isolation::ReadUncommitted,
            };
            let read = self.partition.fetch_cold(&ask).map(|fetched| fetched.read);
            let mut bytes = read.map_err(|error| unreadable(error_codes::of_read(&error), &error))?.bytes;
            if bytes.is_empty() {
                break;
            }
            while !bytes.is_empty() {
                let header = BatchHeader::parse(&bytes);
                let size =
                    header.and_then(|header| header.size_in_bytes()).filter(|size| *size <= bytes.len());
                let (Some(header), Some(size)) = (header, size) else {
                    return Err(unreadable(ErrorCode::CorruptMessage, &"a batch is cut"));
                };
                self.batch(&header, &bytes.split_to(size), &mut progress, each)?;
            }
            if progress.bytes > SCAN_BYTES_MAX {
                return Err(refusal(
                    ErrorCode::PolicyViolation,
                    "the history is too long: ask for less of it",
                ));
            }
        }
        Ok(progress.complete_from_ms)
    }

    fn batch(
        &self,
        header: &BatchHeader,
        batch: &Bytes,
        progress: &mut Progress,
        each: &mut Listener<'_>,
    ) -> Result<(), Refusal> {
        progress.bytes = progress.bytes.saturating_add(batch.len() as u64);
        // What was compacted away was older than what is left, and a gap is where it was.
        if header.base_offset > progress.next || header.base_offset < self.cleaned_to {
            let known = progress.complete_from_ms.unwrap_or(i64::MIN);
            progress.complete_from_ms = Some(known.max(header.max_timestamp));
        }
        progress.next = header.last_offset().saturating_add(1);
        let wrong = |error: ottla_log::BatchError| unreadable(ErrorCode::CorruptMessage, &error);
        for record in records(batch).map_err(wrong)? {
            let record = record.map_err(wrong)?;
            if header.is_control() {
                progress.end_transaction(header, &record, each)?;
            } else if let Some(change) = self.change(header, &record) {
                if header.is_transactional() {
                    progress.pending.keep(header.producer_id, change)?;
                } else {
                    progress.count(change, each)?;
                }
            }
        }
        Ok(())
    }

    /// The change that a record tells of, if it is about the group.
    fn change(&self, header: &BatchHeader, record: &Record) -> Option<Change> {
        let key = record.key.as_deref()?;
        if !is_offset_of(key, self.group) {
            return None;
        }
        let Ok(Key::OffsetCommit { topic, partition, .. }) = Key::decode(key) else { return None };
        // A value that cannot be read did not change anything when it was replayed either.
        let value = record.value.as_deref().map(OffsetCommitValue::decode).transpose().ok()?;
        let why = record.headers.iter().find(|(name, _)| name == OFFSET_CAUSE_HEADER);
        let why = why.and_then(|(_, value)| OffsetCause::decode(value.as_deref()?).ok());
        Some(Change {
            record_offset: record.offset,
            batch: header.base_offset,
            time_ms: record.timestamp,
            topic,
            partition,
            value: value.map(|value| RestoredValue {
                offset: value.offset,
                leader_epoch: value.leader_epoch,
                metadata: value.metadata.into(),
                topic_id: value.topic_id,
            }),
            why: why.map(|why| Why {
                cause: why.cause,
                oddities: why.oddities,
                previous: why.previous,
                generation: why.generation,
                member_id: why.member_id.to_owned(),
                instance_id: why.instance_id.map(str::to_owned),
                client_id: why.client_id.map(str::to_owned),
                client_host: why.client_host.to_owned(),
            }),
        })
    }
}

impl Progress {
    /// A change takes effect.
    fn count(&mut self, change: Change, each: &mut Listener<'_>) -> Result<(), Refusal> {
        self.pending.counted(&change);
        // Such a deletion is about what open transactions said of the offset; nothing was committed.
        let is_of_pending =
            change.value.is_none() && change.why.as_ref().is_some_and(|why| why.previous.is_none());
        if is_of_pending { Ok(()) } else { each(change) }
    }

    /// What a transaction committed takes effect with its end.
    fn end_transaction(
        &mut self,
        header: &BatchHeader,
        record: &Record,
        each: &mut Listener<'_>,
    ) -> Result<(), Refusal> {
        let Some(marker) = EndMarker::parse(record) else { return Ok(()) };
        for change in self.pending.end(header.producer_id) {
            if marker.outcome == Outcome::Commit {
                self.count(Change { time_ms: marker.timestamp, ..change }, each)?;
            }
        }
        Ok(())
    }
}

/// True for the key of an offset of the group. It looks at no more than it has to, since nearly all are not.
fn is_offset_of(key: &[u8], group: &str) -> bool {
    let mut key = key;
    matches!(key.try_get_i16(), Ok(0 | 1))
        && key.try_get_i16().is_ok_and(|length| usize::try_from(length) == Ok(group.len()))
        && key.starts_with(group.as_bytes())
}

fn unreadable(error: ErrorCode, why: &dyn std::fmt::Display) -> Refusal {
    refusal(error, &format!("the history cannot be read: {why}"))
}

/// A refusal with this sentence.
pub(super) fn refusal(error: ErrorCode, message: &str) -> Refusal {
    Refusal { error, message: message.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_the_group_are_told_from_all_others() {
        let topic = TopicName::new("t").expect("fits");
        let key = Key::offset_commit("readers", &topic, 0).expect("fits");
        assert!(is_offset_of(&key, "readers"));
        for other in ["reader", "readers1", "", "Readers"] {
            assert!(!is_offset_of(&key, other), "{other}");
        }
        assert!(!is_offset_of(&Key::group_metadata("readers").expect("fits"), "readers"));
        assert!(!is_offset_of(&[], "") && !is_offset_of(&[0], "") && !is_offset_of(&[0, 1, 0], ""));
        assert!(is_offset_of(&Key::offset_commit("", &topic, 0).expect("fits"), ""));
    }
}
