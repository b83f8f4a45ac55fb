//! Rounds that wait for the disk.

use std::sync::Arc;

use tokio::sync::Semaphore;

use super::read::{self, Limits, Reads, Round};
use super::session::Context;
use crate::api::call::Closed;
use crate::shard::Shard;

/// Rounds that wait for the disk, or compute CRCs, at a time; further ones wait for their turn. Enough to keep a disk and
/// the processors busy, and few enough that threads are left for syncs.
const COLD_READS_AT_ONCE_MAX: usize = 16;

/// The turns of one shard.
#[derive(Debug, Clone)]
pub(crate) struct ColdReads(Arc<Semaphore>);

impl Default for ColdReads {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(COLD_READS_AT_ONCE_MAX)))
    }
}

/// Reads every target once, on a thread that may block.
pub(super) async fn round(
    shard: &Arc<Shard>,
    context: Context,
    limits: Limits,
) -> Result<(Context, Round), Closed> {
    let turns = Arc::clone(&shard.cold_reads().0);
    let turn = turns.acquire_owned().await.map_err(|_| Closed::new("the broker stops".to_owned()))?;
    let shard = Arc::clone(shard);
    let reading = tokio::task::spawn_blocking(move || {
        // It is over with the reading, also when nobody waits for that any more.
        let _turn = turn;
        let round = read::round(&shard, context.targets(), &limits, Reads::All);
        round.map(|round| (context, round))
    });
    let lost = || Closed::new("a bug: a read ended without a result".to_owned());
    reading.await.map_err(|_| lost())?.ok_or_else(lost)
}
