//! Retention: takes away the segments that `retention.ms` and `retention.bytes` let go.

use std::sync::{Arc, PoisonError};

use ottla_log::DeletedFiles;
use tracing::{info, warn};

use super::{Partition, Shard};

impl Shard {
    /// Goes over all logs once.
    pub(super) fn delete_expired(&self) {
        let now = self.expiry_now();
        let mut starts = Vec::new();
        let mut files: Vec<(Arc<Partition>, DeletedFiles)> = Vec::new();
        self.each_partition(|partition| {
            let mut log = partition.log();
            if log.segment_count() == 0 {
                return;
            }
            match log.delete_expired(now, partition.high_watermark()) {
                Ok(report) if report.segments.is_empty() => {}
                Ok(report) => {
                    drop(log);
                    info!(
                        partition = %partition.name(),
                        segments = report.segments.len(),
                        start = report.start_offset,
                        "deleted old segments"
                    );
                    starts.push(((partition.topic.clone(), partition.index), report.start_offset));
                    files.push((Arc::clone(partition), report.deleted));
                }
                Err(error) => warn!(partition = %partition.name(), %error, "cannot delete old segments"),
            }
        });
        if starts.is_empty() {
            return;
        }
        {
            // Before the files go: a log may not begin before what is gone.
            let mut checkpoints = self.checkpoints.lock().unwrap_or_else(PoisonError::into_inner);
            let (disk, directory) = (&*self.data_dir.disk, &self.data_dir.path);
            if let Err(error) = checkpoints.set_log_starts(disk, directory, starts) {
                warn!(%error, "cannot write where logs start");
            }
        }
        for (partition, deleted) in files {
            if let Err(error) = deleted.remove() {
                warn!(partition = %partition.name(), %error, "cannot remove old files; the next start does");
            }
        }
    }
}
