//! Producer ids, taken from the catalog a block at a time.

use std::sync::{Mutex, PoisonError};

use ottla_model::{ErrorCode, ProducerId};

use super::Shard;

/// The ids of the current block that are left. After a restart the rest of a block is never used.
#[derive(Debug, Default)]
pub(super) struct ProducerIds {
    left: Mutex<std::ops::Range<ProducerId>>,
}

impl ProducerIds {
    fn next(&self) -> Option<ProducerId> {
        self.left.lock().unwrap_or_else(PoisonError::into_inner).next()
    }

    fn refill(&self, block: std::ops::Range<ProducerId>) {
        *self.left.lock().unwrap_or_else(PoisonError::into_inner) = block;
    }
}

impl Shard {
    /// An id that no producer ever had.
    pub(crate) async fn next_producer_id(&self) -> Result<ProducerId, ErrorCode> {
        loop {
            if let Some(id) = self.producer_ids.next() {
                return Ok(id);
            }
            // Several callers may each take a block; ids are plenty, and none is handed out twice.
            let (first, count) = self.allocate_producer_ids().await?;
            self.producer_ids.refill(first..first.saturating_add(count));
        }
    }
}
