//! Logs of keyed records, and what they say.

use std::collections::BTreeMap;

use bytes::Bytes;
use ottla_log::{
    BatchBuilder, CleanLimits, CleanReport, Cleaned, Log, LogConfig, LogError, NewRecord, Record, records,
};
use ottla_model::{Offset, WallMillis};

use super::support::*;

/// A compacted topic whose segments hold a few batches, and that is always dirty enough.
pub(crate) fn compacted() -> LogConfig {
    LogConfig { compacted: true, deletes: false, min_cleanable_dirty_ratio: 0.0, ..small_segments() }
}

pub(crate) fn limits() -> CleanLimits {
    CleanLimits { io_buffer_bytes: 4096, hash_seed: [3, 4], ..CleanLimits::default() }
}

/// Room for that many keys.
pub(crate) fn room_for(keys: usize) -> CleanLimits {
    CleanLimits { key_map_bytes_max: (keys + 1) * 24, load_factor: 0.99, ..limits() }
}

/// A batch of keys and values; no value is a tombstone.
pub(crate) fn keyed(records: &[(&str, Option<&str>)]) -> Bytes {
    keyed_at(NOW.0, records)
}

pub(crate) fn keyed_at(timestamp: i64, records: &[(&str, Option<&str>)]) -> Bytes {
    fill(BatchBuilder::new(), timestamp, records)
}

pub(crate) fn fill(mut builder: BatchBuilder, timestamp: i64, records: &[(&str, Option<&str>)]) -> Bytes {
    for (key, value) in records {
        let (key, value) = (Some(key.as_bytes()), value.map(str::as_bytes));
        builder.push(NewRecord { timestamp, key, value, headers: &[] });
    }
    builder.build()
}

/// Random batches: few keys, tombstones, times in disorder, headers, and every codec.
pub(crate) fn append_random(log: &mut Log, seeded: &mut Seeded, batches: u64) {
    for _ in 0..batches {
        let mut builder = BatchBuilder::new();
        for _ in 0..seeded.between(1, 6) {
            let key = format!("key-{}", seeded.below(12)).into_bytes();
            let length = seeded.below(80) as usize;
            let value = seeded.bytes(length);
            let timestamp = NOW.0 + i64::try_from(seeded.below(10_000)).expect("small");
            let value = (seeded.below(5) > 0).then_some(&value[..]);
            let headers: &[(&[u8], Option<&[u8]>)] =
                if seeded.below(4) == 0 { &[(b"header", Some(b"value")), (b"", None)] } else { &[] };
            builder.push(NewRecord { timestamp, key: Some(&key), value, headers });
        }
        let (codec, framing) = CODECS[seeded.below(6) as usize];
        append(log, &compress(&builder.build(), codec, framing)).expect("appended");
    }
}

pub(crate) fn run(log: &Log, now: WallMillis, cleaned_to: Offset, limits: &CleanLimits) -> Option<Cleaned> {
    let plan = log.plan_clean(now, log.end_offset(), cleaned_to).expect("planned")?;
    Some(plan.run(limits, &mut |_| true).expect("run"))
}

/// One whole compaction, when there is one to be done.
pub(crate) fn clean(
    log: &mut Log,
    now: WallMillis,
    cleaned_to: Offset,
    limits: &CleanLimits,
) -> Option<CleanReport> {
    let cleaned = run(log, now, cleaned_to, limits)?;
    Some(log.finish_clean(cleaned).expect("finished"))
}

/// The same, and removes the old files. Returns where the next one begins.
pub(crate) fn clean_up(log: &mut Log, now: WallMillis, cleaned_to: Offset) -> Offset {
    let Some(report) = clean(log, now, cleaned_to, &limits()) else { return cleaned_to };
    report.deleted.remove().expect("removed");
    report.cleaned_to
}

/// What the log says: the newest value of each key.
pub(crate) fn fold(log: &Log) -> BTreeMap<Bytes, Bytes> {
    let mut folded = BTreeMap::new();
    for record in consume(log, log.start_offset()) {
        let key = record.key.expect("a key");
        match record.value {
            Some(value) => folded.insert(key, value),
            None => folded.remove(&key),
        };
    }
    folded
}

/// Offsets of what is there.
pub(crate) fn offsets(log: &Log) -> Vec<Offset> {
    consume(log, log.start_offset()).iter().map(|record| record.offset).collect()
}

/// First and last offset and number of records of each batch.
pub(crate) fn shape(log: &Log) -> Vec<(Offset, Offset, i32)> {
    let batches = log.batches(log.start_offset()).map(|batch| batch.expect("batch"));
    let headers = batches.map(|batch| ottla_log::BatchHeader::parse(&batch).expect("header"));
    headers.map(|header| (header.base_offset, header.last_offset(), header.record_count)).collect()
}

/// All records of a batch.
pub(crate) fn all(batch: &Bytes) -> Vec<Record> {
    records(batch).expect("batch").map(|record| record.expect("record")).collect()
}

/// True when an error says that a batch is damaged.
pub(crate) fn is_corrupt(error: &LogError) -> bool {
    matches!(error, LogError::Storage(error) if error.kind() == std::io::ErrorKind::InvalidData)
}
