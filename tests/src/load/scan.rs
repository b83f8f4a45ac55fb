//! Reads everything that the broker holds, once the load has stopped.

use std::collections::BTreeMap;
use std::sync::Arc;

use kafka_protocol::messages::DescribeConfigsRequest;
use kafka_protocol::messages::describe_configs_request::DescribeConfigsResource;
use kafka_protocol::protocol::StrBytes;

use super::admin::list;
use super::client::Client;
use super::committer::{GROUPS, committed, group_name};
use super::connection::{Connection, Lost};
use super::consumer::{Got, OFFSET_OUT_OF_RANGE, Read, fetch};
use super::open_transactions::await_ends;
use super::prober::{EARLIEST, find, offset_at};
use super::topics::Topic;
use super::world::{OPERATOR, World};
use super::{
    FIRST_COMMITTER, FIRST_MEMBER, FIRST_TRANSACTIONAL, MEMBERS, TRANSACTIONAL_PRODUCERS, member,
    transactional,
};
use crate::history::{DumpWriter, Line, ListedTopic, TopicDump};
use crate::problem::Problem;

const DESCRIBE_CONFIGS_VERSION: i16 = 4;
const TOPIC_RESOURCE: i8 = 2;
const DYNAMIC_TOPIC_CONFIG: i8 = 1;
pub(super) const INTERNAL_PREFIX: &str = "__";

/// How often a log is read whose start moves meanwhile.
const READS_MAX: usize = 10;

/// How many times are looked up in each partition.
const FINDS: u64 = 20;

/// Writes a dump of every topic, log and committed offset.
///
/// # Errors
/// The broker refuses something, or the dump can not be written.
pub fn scan(world: &Arc<World>, dump: &mut DumpWriter) -> Result<(), Problem> {
    let lost = |Lost| Problem::new("the connection was lost during the scan");
    let mut client = Client::new(Arc::clone(world), OPERATOR);
    let mut connection = Connection::open(Arc::clone(world), OPERATOR).map_err(lost)?;
    let listed = list(&client, &mut connection).map_err(lost)?;
    await_ends(&mut connection, &listed, dump)?;
    for ListedTopic { name, id, partitions } in listed {
        if name.starts_with(INTERNAL_PREFIX) {
            continue;
        }
        let configs = configs(&mut connection, &name).map_err(lost)??;
        let keyed = configs.get("cleanup.policy").is_some_and(|policy| policy.contains("compact"));
        dump.write(&Line::Topic(TopicDump { name: name.clone(), id, partitions, configs }))?;
        let topic = Topic { name, id, partitions, keyed, passing: false };
        for index in 0..partitions {
            scan_log(&mut client, &mut connection, &topic, index, dump)?;
        }
    }
    let committers = (FIRST_COMMITTER..FIRST_MEMBER).flat_map(|id| (0..GROUPS).map(move |group| (id, group)));
    let members = FIRST_MEMBER..FIRST_MEMBER + MEMBERS;
    let members = members.flat_map(|id| (0..member::GROUPS).map(move |group| (id, group)));
    let producers = FIRST_TRANSACTIONAL..FIRST_TRANSACTIONAL + TRANSACTIONAL_PRODUCERS;
    let producers = producers.flat_map(|id| (0..transactional::GROUPS).map(move |group| (id, group)));
    for (id, number) in committers.chain(members).chain(producers) {
        let group = group_name(id, number);
        for (partition, commit) in committed(&client, &mut connection, &group).map_err(lost)? {
            dump.write(&Line::Committed { group: group.clone(), partition, commit })?;
        }
    }
    Ok(())
}

/// The settings that a topic has of its own.
fn configs(
    connection: &mut Connection,
    topic: &str,
) -> Result<Result<BTreeMap<String, String>, Problem>, Lost> {
    let resource = DescribeConfigsResource::default()
        .with_resource_type(TOPIC_RESOURCE)
        .with_resource_name(StrBytes::from_string(topic.to_owned()))
        .with_configuration_keys(None);
    let request = DescribeConfigsRequest::default().with_resources(vec![resource]);
    let response = connection.call(DESCRIBE_CONFIGS_VERSION, &request)?;
    let Some(result) = response.results.first().filter(|result| result.error_code == 0) else {
        return Ok(Err(Problem::new(format!("the settings of {topic} can not be read"))));
    };
    let own = result.configs.iter().filter(|config| config.config_source == DYNAMIC_TOPIC_CONFIG);
    let text = |text: &StrBytes| text.to_string();
    Ok(Ok(own
        .map(|config| (text(&config.name), config.value.as_ref().map(text).unwrap_or_default()))
        .collect()))
}

fn scan_log(
    client: &mut Client,
    connection: &mut Connection,
    topic: &Topic,
    index: i32,
    dump: &mut DumpWriter,
) -> Result<(), Problem> {
    let lost = |Lost| Problem::new("the connection was lost during the scan");
    let partition = topic.partition(index);
    let refused = |error| Problem::new(format!("{}-{index} was refused with {error}", topic.name));
    let mut read = Err(OFFSET_OUT_OF_RANGE);
    for _ in 0..READS_MAX {
        read = read_log(client, connection, topic, index).map_err(lost)?;
        // Retention has moved the start meanwhile.
        if read.as_ref().err() != Some(&OFFSET_OUT_OF_RANGE) {
            break;
        }
    }
    let (bounds, batches) = read.map_err(refused)?;
    dump.write(&Line::Log { partition, bounds })?;
    let (mut earliest, mut latest) = (i64::MAX, 0);
    for batch in batches {
        earliest = batch.times.iter().copied().fold(earliest, i64::min);
        latest = batch.times.iter().copied().fold(latest, i64::max);
        dump.write(&Line::Batch { partition, batch })?;
    }
    if latest == 0 {
        return Ok(());
    }
    let span = latest.abs_diff(earliest).saturating_add(2);
    let times = (0..FINDS).map(|_| earliest.saturating_add_unsigned(client.random.below(span)));
    let times: Vec<i64> = times.chain([earliest, latest, latest.saturating_add(1)]).collect();
    for time in times {
        let found = find(client, connection, topic, index, time).map_err(lost)?;
        dump.write(&Line::Found { partition, time, found: found.map_err(refused)? })?;
    }
    Ok(())
}

/// Reads a log from its start to its end.
fn read_log(
    client: &mut Client,
    connection: &mut Connection,
    topic: &Topic,
    index: i32,
) -> Result<Got, Lost> {
    let mut offset = match offset_at(connection, topic, index, EARLIEST)? {
        Ok(offset) => offset,
        Err(error) => return Ok(Err(error)),
    };
    let (mut bounds, mut log) = (None, Vec::new());
    loop {
        let read = Read { topic: topic.clone(), index, offset };
        let Some((_, got)) = fetch(client, connection, vec![read], 0, true)?.pop() else { return Err(Lost) };
        let (now, mut batches) = match got {
            Ok(got) => got,
            Err(error) => return Ok(Err(error)),
        };
        let bounds = *bounds.get_or_insert(now);
        // What is dumped must be of one moment.
        if now.log_start != bounds.log_start {
            return Ok(Err(OFFSET_OUT_OF_RANGE));
        }
        let Some(last) = batches.last().map(|batch| batch.last) else { return Ok(Ok((bounds, log))) };
        log.append(&mut batches);
        offset = last.saturating_add(1);
    }
}
