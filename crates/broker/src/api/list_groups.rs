//! ListGroups: what every coordinator here knows.

use std::collections::BTreeSet;
use std::sync::Arc;

use bytes::Bytes;
use kafka_protocol::messages::list_groups_response::ListedGroup;
use kafka_protocol::messages::{ListGroupsRequest, ListGroupsResponse};
use ottla_control::group::{Command, List, Reply};
use ottla_model::ErrorCode;
use ottla_wire::StrBytes;

use super::ask::unexpected;
use super::call::{Call, Closed, Started};
use super::text::{copied, text};

/// Since this version a group's state is told (KIP-518).
const TELLS_STATE: i16 = 4;
/// Since this version a group's type is told (KIP-848).
const TELLS_TYPE: i16 = 5;

/// Longest name of a state or type that any group could have.
const FILTER_NAME_BYTES_MAX: usize = 32;
/// More names than there are states and types.
const FILTER_NAMES_MAX: usize = 32;

/// The names of a filter, without those that no group can have. A filter of only such names still lets nothing through.
fn filter(names: &[StrBytes]) -> Vec<Arc<str>> {
    let possible: BTreeSet<&str> =
        names.iter().map(|name| name.as_str()).filter(|name| name.len() <= FILTER_NAME_BYTES_MAX).collect();
    match possible.len() {
        0 if !names.is_empty() => vec![copied("none")],
        _ => possible.into_iter().take(FILTER_NAMES_MAX).map(copied).collect(),
    }
}

pub(super) fn handle(call: Call, body: Bytes) -> Result<Started, Closed> {
    let request: ListGroupsRequest = call.decode(body)?;
    let list = List { states: filter(&request.states_filter), types: filter(&request.types_filter) };
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
