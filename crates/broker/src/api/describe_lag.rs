//! DescribeLag (private): groups, and how far they are behind.

use std::collections::BTreeSet;
use std::sync::Arc;

use bytes::Bytes;
use ottla_control::catalog::Refusal;
use ottla_control::group::GroupOutline;
use ottla_model::ErrorCode;
use ottla_wire::private::DescribeLag;

use super::call::{Call, Closed, Started};
use super::private;
use crate::private::{GroupsLag, ListBuilder};
use crate::shard::Detail;

pub(super) fn handle(call: Call, body: Bytes) -> Result<Started, Closed> {
    private::answer(call, &body, describe)
}

async fn describe(call: Arc<Call>, asked: DescribeLag) -> Result<GroupsLag, Refusal> {
    // The offsets come first and the ends of the logs after them, so that no group is ahead of a log.
    let mut found = Vec::new();
    match &asked.groups {
        None => found = outlines(&call, None).await?,
        Some(ids) => {
            let ids: BTreeSet<&str> = ids.iter().map(|id| &**id).collect();
            for id in ids {
                found.extend(outlines(&call, Some(id)).await?);
            }
        }
    }
    let detail = if asked.summary { Detail::Summary } else { Detail::Full };
    private::blocking(&call, move |shard| {
        let question = shard.lag_question();
        let mut groups = ListBuilder::new();
        for outline in &found {
            if groups.is_full() {
                groups.leave_out();
            } else {
                groups.push(question.group(outline, detail));
            }
        }
        Ok(GroupsLag { now_ms: question.now.0, groups: groups.finish() })
    })
    .await
}

async fn outlines(call: &Call, id: Option<&str>) -> Result<Vec<GroupOutline>, Refusal> {
    call.shard.outlines(id).await.map_err(|error| {
        // Nobody coordinates before the first group comes.
        let nobody = matches!(error, ErrorCode::GroupIdNotFound | ErrorCode::NotCoordinator);
        match id.filter(|_| nobody) {
            Some(id) => {
                Refusal { error: ErrorCode::GroupIdNotFound, message: format!("there is no group '{id}'") }
            }
            None => Refusal { error, message: "the groups cannot be read now".to_owned() },
        }
    })
}
