//! Deletes topics; [`ottla_tests::measure`] makes them.

use kafka_protocol::messages::DeleteTopicsRequest;
use kafka_protocol::protocol::StrBytes;
use ottla_tests::measure::Connection;
use ottla_tests::problem::Problem;

/// By name.
const DELETE_TOPICS_VERSION: i16 = 5;
const DELETE_LIMIT_MS: i32 = 60_000;

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
