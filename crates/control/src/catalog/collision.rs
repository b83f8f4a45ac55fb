//! Names of topics that metrics could not tell apart.

use std::collections::BTreeMap;
use std::ops::Bound;

use ottla_model::{ErrorCode, TopicName};

use super::command::{Refusal, refuse};

/// Refuses a name whose metrics would be those of a topic that exists (`Topic.hasCollision`).
///
/// # Errors
/// INVALID_TOPIC_EXCEPTION, with the other name.
pub fn check_collision<T>(topics: &BTreeMap<TopicName, T>, name: &TopicName) -> Result<(), Refusal> {
    match colliding(topics, name) {
        None => Ok(()),
        Some(other) => refuse(
            ErrorCode::InvalidTopicException,
            format!("Topic '{name}' collides with existing topic: {other}"),
        ),
    }
}

/// Only names with a dot or an underscore can collide, and colliding names agree up to the first of these, so few names
/// are looked at.
fn colliding<'a, T>(topics: &'a BTreeMap<TopicName, T>, name: &TopicName) -> Option<&'a TopicName> {
    let stem = name.as_str().find(['.', '_']).and_then(|at| name.as_str().get(..at))?;
    let from: (Bound<&str>, Bound<&str>) = (Bound::Included(stem), Bound::Unbounded);
    topics
        .range::<str, _>(from)
        .map(|(other, _)| other)
        .take_while(|other| other.as_str().starts_with(stem))
        .find(|other| other.collides_with(name))
}
