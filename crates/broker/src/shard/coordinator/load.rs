//! Gives a machine its whole log, at start.

use ottla_control::machine::{Machine, RecordRef};
use ottla_log::{BatchHeader, EndMarker, Outcome, records};
use tracing::warn;

use crate::shard::partition::Partition;

/// Replays a whole log (`CoordinatorLoaderImpl.processMemoryRecords`). A record that the machine cannot read is told and
/// passed over: the rest still counts. Transactions without a marker stay open.
pub(super) fn replay<M: Machine>(machine: &mut M, partition: &Partition) -> Result<(), String> {
    let log = partition.log();
    let from = log.start_offset();
    for batch in log.batches(from) {
        let batch = batch.map_err(|error| error.to_string())?;
        let header = BatchHeader::parse(&batch).ok_or("a batch is cut")?;
        let transaction = header.is_transactional().then_some(header.producer_id);
        for record in records(&batch).map_err(|error| error.to_string())? {
            let record = record.map_err(|error| error.to_string())?;
            if header.is_control() {
                if let Some(marker) = EndMarker::parse(&record) {
                    machine.end_transaction(header.producer_id, marker.outcome == Outcome::Commit);
                }
                continue;
            }
            let reference = RecordRef {
                key: record.key.as_deref().unwrap_or_default(),
                value: record.value.as_deref(),
                timestamp: record.timestamp,
                headers: &[],
                transaction,
            };
            if let Err(error) = machine.replay(record.offset, &reference) {
                warn!(partition = %partition.name(), offset = record.offset, %error, "a record is passed over");
            }
        }
    }
    Ok(())
}
