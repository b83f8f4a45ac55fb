//! DeleteGroups: groups without members, and their offsets.

use bytes::Bytes;
use kafka_protocol::messages::delete_groups_response::DeletableGroupResult;
use kafka_protocol::messages::{DeleteGroupsRequest, DeleteGroupsResponse, GroupId};
use ottla_control::group::{Command, Reply};
use ottla_model::ErrorCode;

use super::ask::unexpected;
use super::call::{Call, Closed, Started};
use super::text::copied;

pub(super) fn handle(call: Call, body: Bytes) -> Result<Started, Closed> {
    let request: DeleteGroupsRequest = call.decode(body)?;
    let ask = |group_id: &GroupId| {
        let command = Command::Delete { group_id: copied(group_id) };
        call.shard.group(group_id).map(|coordinator| coordinator.submit(call.caller(), command))
    };
    let asked: Vec<_> = request.groups_names.iter().map(|id| (id.clone(), ask(id))).collect();
    Ok(Started::later(async move {
        let mut results = Vec::with_capacity(asked.len());
        for (group_id, receiver) in asked {
            let reply = match receiver {
                Ok(receiver) => receiver.await.map_err(|_| ErrorCode::NotCoordinator),
                Err(error) => Err(error),
            };
            let error = match reply {
                Ok(Reply::Delete(reply)) => reply.error,
                other => unexpected(other),
            };
            results
                .push(DeletableGroupResult::default().with_group_id(group_id).with_error_code(error.code()));
        }
        call.answer(&DeleteGroupsResponse::default().with_results(results))
    }))
}
