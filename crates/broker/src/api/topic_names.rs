//! Names of topics as clients give them.

use ottla_model::{ErrorCode, IllegalName, TopicName};

use crate::shard::TopicError;

/// The name, if it is a legal one.
///
/// # Errors
/// INVALID_TOPIC_EXCEPTION in the words of Kafka's `Topic.validate`.
pub(super) fn legal(name: &str) -> Result<TopicName, TopicError> {
    TopicName::new(name).map_err(|illegal| TopicError {
        error: ErrorCode::InvalidTopicException,
        message: format!("Topic name is invalid: {}", reason(name, illegal)),
    })
}

fn reason(name: &str, illegal: IllegalName) -> String {
    let shown = shown(name);
    match illegal {
        IllegalName::Empty => illegal.to_string(),
        IllegalName::Dots => format!("'{shown}' is not allowed"),
        IllegalName::TooLong => format!("the length of '{shown}' {illegal}"),
        IllegalName::Character => format!("'{shown}' {illegal}"),
    }
}

/// Kafka repeats a name as it is. Characters that would act on the terminal of who reads the message are written out.
fn shown(name: &str) -> String {
    let mut shown = String::with_capacity(name.len());
    for character in name.chars() {
        if character.is_control() {
            shown.extend(character.escape_debug());
        } else {
            shown.push(character);
        }
    }
    shown
}
