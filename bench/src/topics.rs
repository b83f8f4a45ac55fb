//! Makes topics that are larger than one request may ask for, and deletes topics.

use kafka_protocol::messages::create_partitions_request::CreatePartitionsTopic;
use kafka_protocol::messages::{CreatePartitionsRequest, DeleteTopicsRequest};
use kafka_protocol::protocol::StrBytes;
use ottla_tests::broker::Broker;
use ottla_tests::measure::{Connection, NewTopic, create_topics, wait_until_led};
use ottla_tests::problem::Problem;

/// A topic gets so many partitions at once. Apache Kafka refuses requests that lead to more than 10,000 records.
const PARTITIONS_AT_ONCE: i32 = 5000;
const CREATE_PARTITIONS_VERSION: i16 = 3;
const CREATE_LIMIT_MS: i32 = 60_000;

/// By name.
const DELETE_TOPICS_VERSION: i16 = 5;
const DELETE_LIMIT_MS: i32 = 60_000;

/// Makes a topic and waits until all of its partitions are led.
///
/// # Errors
/// The broker refuses.
pub(crate) fn create(broker: &mut Broker, topic: NewTopic) -> Result<(), Problem> {
    let wanted = topic.partitions;
    let mut made = NewTopic { partitions: wanted.min(PARTITIONS_AT_ONCE), ..topic };
    create_topics(broker, std::slice::from_ref(&made))?;
    let mut connection = Connection::open(&broker.address())?;
    while made.partitions < wanted {
        made.partitions = wanted.min(made.partitions.saturating_add(PARTITIONS_AT_ONCE));
        grow(&mut connection, &made)?;
        wait_until_led(broker, &mut connection, std::slice::from_ref(&made))?;
    }
    Ok(())
}

fn grow(connection: &mut Connection, topic: &NewTopic) -> Result<(), Problem> {
    let grown = CreatePartitionsTopic::default()
        .with_name(StrBytes::from_string(topic.name.clone()).into())
        .with_count(topic.partitions)
        .with_assignments(None);
    let request =
        CreatePartitionsRequest::default().with_topics(vec![grown]).with_timeout_ms(CREATE_LIMIT_MS);
    let response = connection.call(CREATE_PARTITIONS_VERSION, &request)?;
    match response.results.first().map(|topic| topic.error_code) {
        Some(0) => Ok(()),
        code => Err(Problem::new(format!("topic {} did not grow: {code:?}", topic.name))),
    }
}

/// Deletes a topic.
///
/// # Errors
/// The broker refuses.
pub(crate) fn delete(connection: &mut Connection, name: &str) -> Result<(), Problem> {
    let request = DeleteTopicsRequest::default()
        .with_topic_names(vec![StrBytes::from_string(name.to_owned()).into()])
        .with_timeout_ms(DELETE_LIMIT_MS);
    let response = connection.call(DELETE_TOPICS_VERSION, &request)?;
    match response.responses.first().map(|topic| topic.error_code) {
        Some(0) => Ok(()),
        code => Err(Problem::new(format!("topic {name} was not deleted: {code:?}"))),
    }
}
