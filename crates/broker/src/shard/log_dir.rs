//! The data directory and the catalog's log as admin clients see them.

use ottla_log::Space;
use ottla_model::{LeaderEpoch, Offset};
use tracing::warn;

use super::Shard;

/// Where the catalog's log stands; Kafka tells it of its metadata quorum.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CatalogLog {
    /// The epoch that this broker writes it in.
    pub(crate) leader_epoch: LeaderEpoch,
    /// Where its next record goes.
    pub(crate) end: Offset,
    /// Up to where it is committed.
    pub(crate) high_watermark: Offset,
}

impl Shard {
    /// The data directory's absolute path, as Kafka names a log directory.
    pub(crate) fn log_dir(&self) -> String {
        let path = &self.data_dir.path;
        std::path::absolute(path).as_ref().unwrap_or(path).display().to_string()
    }

    /// The room of the file system that the data directory is on; nothing when there is none to tell.
    pub(crate) fn space(&self) -> Option<Space> {
        self.data_dir.shared_sync.space().unwrap_or_else(|error| {
            warn!(%error, "the file system does not tell its room");
            None
        })
    }

    /// Where the catalog's log stands.
    pub(crate) fn catalog_log(&self) -> CatalogLog {
        let partition = self.catalog.partition();
        CatalogLog {
            leader_epoch: partition.leader_epoch(),
            end: partition.log().end_offset(),
            high_watermark: partition.high_watermark(),
        }
    }
}
