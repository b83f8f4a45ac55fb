//! DeleteRecords: moving the start of a partition.

use std::sync::{Arc, PoisonError};

use ottla_model::{ErrorCode, Offset};
use tracing::warn;

use super::{Partition, Shard};
use crate::error_codes;

impl Shard {
    /// Deletes the records below `before`, as far as they are not deleted already, and tells where the log starts now.
    /// That is on disk before it takes effect, so that deleted records never come back.
    pub(crate) async fn delete_records(
        self: &Arc<Self>,
        partition: &Arc<Partition>,
        before: Offset,
    ) -> Result<Offset, ErrorCode> {
        let (shard, partition) = (Arc::clone(self), Arc::clone(partition));
        let moved = tokio::task::spawn_blocking(move || shard.move_start(&partition, before));
        moved.await.unwrap_or(Err(ErrorCode::UnknownServerError))
    }

    fn move_start(&self, partition: &Partition, before: Offset) -> Result<Offset, ErrorCode> {
        {
            let log = partition.log();
            if !log.config().deletes {
                return Err(ErrorCode::PolicyViolation);
            }
            if before <= log.start_offset() {
                return Ok(log.start_offset());
            }
        }
        let name = (partition.topic.clone(), partition.index);
        let (disk, directory) = (&*self.data_dir.disk, &self.data_dir.path);
        {
            let mut checkpoints = self.checkpoints.lock().unwrap_or_else(PoisonError::into_inner);
            checkpoints.set_log_starts(disk, directory, [(name, before)]).map_err(|error| {
                warn!(partition = %partition.name(), %error, "cannot write where a log starts");
                ErrorCode::KafkaStorageError
            })?;
        }
        let mut log = partition.log();
        log.advance_start_offset(before).map_err(|error| error_codes::of_log(&error))?;
        Ok(log.start_offset())
    }
}
