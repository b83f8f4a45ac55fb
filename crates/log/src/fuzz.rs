//! Entry points for fuzzing: plain functions over arbitrary bytes, which must neither panic nor allocate more
//! than their bounds. The tests run them over seeded mutations of good batches, cargo-fuzz runs them for
//! longer.

use bytes::Bytes;
use ottla_model::WallMillis;

use crate::batch::{Origin, records, validate};
use crate::config::LogConfig;

/// Validates `data` as a Produce's records and reads them; also reads them when they were refused, since a
/// log may hold what another broker wrote.
pub fn fuzz_batch(data: &[u8]) {
    let bytes = Bytes::copy_from_slice(data);
    let config = LogConfig::default();
    for (origin, compacted) in [(Origin::Client, false), (Origin::Client, true), (Origin::Coordinator, false)]
    {
        let rules = LogConfig { compacted, ..config.clone() }.rules(origin);
        if let Ok(valid) = validate(&bytes, &rules, WallMillis(1_700_000_000_000)) {
            let header = valid.header().to_bytes();
            let batch: Bytes = [&header[..], valid.body()].concat().into();
            // What was let through must be readable, all of it.
            let read = records(&batch).map(|records| records.filter(Result::is_ok).count());
            assert_eq!(read.ok(), usize::try_from(valid.header().record_count).ok());
        }
    }
    if let Ok(records) = records(&bytes) {
        records.for_each(drop);
    }
}
