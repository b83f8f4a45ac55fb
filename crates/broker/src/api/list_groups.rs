//! ListGroups: what every coordinator here knows.

use bytes::Bytes;
use kafka_protocol::messages::list_groups_response::ListedGroup;
use kafka_protocol::messages::{ListGroupsRequest, ListGroupsResponse};
use ottla_control::group::{Command, List, Reply};
use ottla_model::ErrorCode;

use super::ask::unexpected;
use super::call::{Call, Closed, Started};
use super::text::{copied, text};

/// Since this version a group's state is told (KIP-518).
const TELLS_STATE: i16 = 4;
/// Since this version a group's type is told (KIP-848).
const TELLS_TYPE: i16 = 5;

pub(super) fn handle(call: Call, body: Bytes) -> Result<Started, Closed> {
    let request: ListGroupsRequest = call.decode(body)?;
    let list = List {
        states: request.states_filter.iter().map(|state| copied(state)).collect(),
        types: request.types_filter.iter().map(|kind| copied(kind)).collect(),
    };
    let coordinators = call.shard.all_groups();
    let replies: Vec<_> = coordinators
        .iter()
        .map(|coordinator| coordinator.submit(call.caller(), Command::List(list.clone())))
        .collect();
    Ok(Started::later(async move {
        let mut response = ListGroupsResponse::default();
        for reply in replies {
            match reply.await.map_err(|_| ErrorCode::CoordinatorNotAvailable) {
                Ok(Reply::List(listed)) if !listed.error.is_error() => {
                    let groups = listed.groups.iter().map(|group| {
                        let mut answered = ListedGroup::default()
                            .with_group_id(text(&group.group_id).into())
                            .with_protocol_type(text(&group.protocol_type));
                        if call.version() >= TELLS_STATE {
                            answered.group_state = text(group.state);
                        }
                        if call.version() >= TELLS_TYPE {
                            answered.group_type = text(group.group_type);
                        }
                        answered
                    });
                    response.groups.extend(groups);
                }
                Ok(Reply::List(listed)) => response.error_code = listed.error.code(),
                other => response.error_code = unexpected(other).code(),
            }
        }
        call.answer(&response)
    }))
}
