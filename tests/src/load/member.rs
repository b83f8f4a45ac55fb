//! The only member of several classic groups: joins, commits with its generation, and now and then joins again.

use bytes::Bytes;
use kafka_protocol::messages::join_group_request::JoinGroupRequestProtocol;
use kafka_protocol::messages::sync_group_request::SyncGroupRequestAssignment;
use kafka_protocol::messages::{GroupId, JoinGroupRequest, SyncGroupRequest};
use kafka_protocol::protocol::StrBytes;

use super::client::Client;
use super::committer::{Membership, commit, committed, find_coordinator, group_name};
use super::connection::{Connection, Lost};
use crate::history::{Answer, Call};

const JOIN_GROUP_VERSION: i16 = 5;
const SYNC_GROUP_VERSION: i16 = 3;
/// Longer than a broker is down in a run, so that membership lasts over kills.
const SESSION_TIMEOUT_MS: i32 = 30_000;
const PROTOCOL_TYPE: &str = "consumer";
const PROTOCOL: &str = "range";
const MEMBER_ID_REQUIRED: i16 = 79;
const UNKNOWN_MEMBER_ID: i16 = 25;

/// How many groups each member is in.
pub(super) const GROUPS: u64 = 4;
/// Rests between two requests, in milliseconds.
const REST_MS: u64 = 6;
const READ_ONCE_IN: u64 = 5;
const JOIN_AGAIN_ONCE_IN: u64 = 40;

pub(super) fn run(mut client: Client) {
    let mut next = 1;
    let mut memberships: Vec<Membership> = (0..GROUPS).map(|_| Membership::none()).collect();
    client.keep_connected(|client, connection| {
        find_coordinator(client, connection, GROUPS)?;
        while !client.is_stopped() {
            let number = client.random.below(GROUPS);
            let group = group_name(client.id, number);
            let Some(membership) = usize::try_from(number).ok().and_then(|place| memberships.get_mut(place))
            else {
                break;
            };
            if membership.generation < 0 || client.random.once_in(JOIN_AGAIN_ONCE_IN) {
                join(client, connection, &group, membership)?;
            } else if client.random.once_in(READ_ONCE_IN) {
                committed(client, connection, &group)?;
            } else if let Some(error) = commit(client, connection, &group, membership, &mut next)? {
                // Whatever the group thinks of this member, joining again settles it.
                membership.refused(error);
            }
            client.rest(REST_MS);
        }
        Ok(())
    });
}

impl Membership {
    fn refused(&mut self, error: i16) {
        self.generation = -1;
        if error == UNKNOWN_MEMBER_ID {
            self.member_id = StrBytes::default();
        }
    }
}

/// Joins, with an id that the coordinator gives first, and takes the assignment: with that, and no sooner, a coordinator
/// writes the generation down.
fn join(
    client: &Client,
    connection: &mut Connection,
    group: &str,
    membership: &mut Membership,
) -> Result<(), Lost> {
    let text = StrBytes::from_static_str;
    let group_id = GroupId(StrBytes::from_string(group.to_owned()));
    let protocol = JoinGroupRequestProtocol::default().with_name(text(PROTOCOL)).with_metadata(Bytes::new());
    let request = JoinGroupRequest::default()
        .with_group_id(group_id.clone())
        .with_session_timeout_ms(SESSION_TIMEOUT_MS)
        .with_rebalance_timeout_ms(SESSION_TIMEOUT_MS)
        .with_member_id(membership.member_id.clone())
        .with_protocol_type(text(PROTOCOL_TYPE))
        .with_protocols(vec![protocol]);
    let operation = client.invoke(Call::Join { group: group.to_owned() });
    let response = client.or_unknown(operation, connection.call(JOIN_GROUP_VERSION, &request))?;
    if response.error_code != 0 {
        client.refused(operation, response.error_code);
        membership.refused(response.error_code);
        if response.error_code == MEMBER_ID_REQUIRED {
            membership.member_id = response.member_id;
        }
        return Ok(());
    }
    let generation = response.generation_id;
    let assignment = SyncGroupRequestAssignment::default().with_member_id(response.member_id.clone());
    let request = SyncGroupRequest::default()
        .with_group_id(group_id)
        .with_generation_id(generation)
        .with_member_id(response.member_id.clone())
        .with_assignments(vec![assignment]);
    membership.member_id = response.member_id;
    membership.generation = generation;
    let response = client.or_unknown(operation, connection.call(SYNC_GROUP_VERSION, &request))?;
    if response.error_code == 0 {
        client.ok(operation, Answer::Joined { generation });
    } else {
        client.refused(operation, response.error_code);
        membership.refused(response.error_code);
    }
    Ok(())
}
