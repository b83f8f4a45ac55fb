//! Makes and deletes topics, and lists them.

use std::collections::{BTreeMap, HashMap};

use kafka_protocol::messages::delete_topics_request::DeleteTopicState;
use kafka_protocol::messages::{DeleteTopicsRequest, MetadataRequest, TopicName};
use kafka_protocol::protocol::StrBytes;
use uuid::Uuid;

use super::client::Client;
use super::connection::{Connection, Lost};
use super::topics::{Topic, create};
use crate::history::{Answer, Call, ListedTopic, TopicId};

const DELETE_BY_ID: i16 = 6;
const DELETE_BY_NAME: i16 = 5;
const METADATA_VERSION: i16 = 12;
const DELETE_LIMIT_MS: i32 = 10_000;

/// The names that come and go.
const NAMES: [&str; 4] = ["guest-a", "guest-b", "guest-c", "guest-d"];
const PARTITIONS_MAX: u64 = 3;
/// Rests between two requests, in milliseconds.
const REST_MS: u64 = 60;
const LIST_ONCE_IN: u64 = 3;

/// What the administrator knows of a name.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Known {
    Absent,
    Present(Topic),
    /// The last change's outcome is unknown; listing all topics tells.
    Unsure,
}

pub(super) fn run(mut client: Client) {
    let mut names: HashMap<&'static str, Known> = NAMES.iter().map(|name| (*name, Known::Absent)).collect();
    client.keep_connected(|client, connection| {
        while !client.is_stopped() {
            let Some(name) = client.random.pick(&NAMES).copied() else { break };
            let known = names.get(name).cloned().unwrap_or(Known::Absent);
            if known == Known::Unsure || client.random.once_in(LIST_ONCE_IN) {
                let listed = list(client, connection)?;
                for (name, known) in &mut names {
                    *known = found(name, &listed);
                }
            } else {
                // Whatever interrupts the change leaves its outcome unknown.
                names.insert(name, Known::Unsure);
                let changed = change(client, connection, name, known)?;
                names.insert(name, changed);
            }
            publish(client, &names);
            client.rest(REST_MS);
        }
        Ok(())
    });
}

fn found(name: &str, listed: &[ListedTopic]) -> Known {
    let topic = listed.iter().find(|topic| topic.name == name);
    topic.map_or(Known::Absent, |topic| {
        let ListedTopic { name, id, partitions } = topic.clone();
        Known::Present(Topic { name, id, partitions, keyed: false, passing: true })
    })
}

/// Tells the other clients which topics there are.
fn publish(client: &Client, names: &HashMap<&'static str, Known>) {
    let present = names.values().filter_map(|known| match known {
        Known::Present(topic) => Some(topic.clone()),
        Known::Absent | Known::Unsure => None,
    });
    *client.world.passing() = present.collect();
}

fn change(client: &mut Client, connection: &mut Connection, name: &str, known: Known) -> Result<Known, Lost> {
    if let Known::Present(topic) = known {
        return delete(client, connection, &topic);
    }
    let partitions = 1 + i32::try_from(client.random.below(PARTITIONS_MAX)).unwrap_or_default();
    let configs = BTreeMap::from([
        ("internal.segment.bytes".to_owned(), "8192".to_owned()),
        ("segment.ms".to_owned(), (1000 + client.random.below(100_000)).to_string()),
    ]);
    let created = create(client, connection, name, partitions, configs)?;
    Ok(created.map_or(Known::Unsure, |topic| Known::Present(Topic { passing: true, ..topic })))
}

fn delete(client: &mut Client, connection: &mut Connection, topic: &Topic) -> Result<Known, Lost> {
    let version = if client.random.once_in(2) { DELETE_BY_ID } else { DELETE_BY_NAME };
    let name = TopicName(StrBytes::from_string(topic.name.clone()));
    let request = DeleteTopicsRequest::default().with_timeout_ms(DELETE_LIMIT_MS);
    let request = if version == DELETE_BY_ID {
        let id = Uuid::from_u128(topic.id.0);
        request.with_topics(vec![DeleteTopicState::default().with_name(None).with_topic_id(id)])
    } else {
        request.with_topic_names(vec![name])
    };
    let operation = client.invoke(Call::Delete { topic: topic.name.clone(), id: topic.id });
    let response = client.or_unknown(operation, connection.call(version, &request))?;
    match response.responses.first().map_or(-1, |result| result.error_code) {
        0 => {
            client.ok(operation, Answer::Done);
            Ok(Known::Absent)
        }
        error => {
            client.refused(operation, error);
            Ok(Known::Unsure)
        }
    }
}

/// Lists all topics.
pub(super) fn list(client: &Client, connection: &mut Connection) -> Result<Vec<ListedTopic>, Lost> {
    let request = MetadataRequest::default().with_topics(None).with_allow_auto_topic_creation(false);
    let operation = client.invoke(Call::List);
    let response = client.or_unknown(operation, connection.call(METADATA_VERSION, &request))?;
    let listed: Vec<ListedTopic> = response
        .topics
        .iter()
        .map(|topic| ListedTopic {
            name: topic.name.as_ref().map(|name| name.to_string()).unwrap_or_default(),
            id: TopicId(topic.topic_id.as_u128()),
            partitions: i32::try_from(topic.partitions.len()).unwrap_or(i32::MAX),
        })
        .collect();
    client.ok(operation, Answer::Listed(listed.clone()));
    Ok(listed)
}
