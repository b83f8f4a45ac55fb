//! InspectCompaction (private): why logs are compacted, or are not.

use std::sync::Arc;

use bytes::Bytes;
use ottla_control::catalog::Refusal;
use ottla_wire::private::InspectCompaction;

use super::call::{Call, Closed, Started};
use super::private;
use crate::private::Compaction;

pub(super) fn handle(call: Call, body: Bytes) -> Result<Started, Closed> {
    private::answer(call, &body, inspect)
}

async fn inspect(call: Arc<Call>, asked: InspectCompaction) -> Result<Compaction, Refusal> {
    private::blocking(&call, move |shard| {
        let topics =
            asked.topics.as_ref().map(|topics| topics.iter().map(|name| &**name).collect::<Vec<_>>());
        shard.inspect_compaction(topics.as_deref())
    })
    .await
}
