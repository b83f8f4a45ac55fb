//! Which topics an answer says were created, without a copy of what else it says.
//!
//! The answer repeats all settings of every topic, so to read it whole takes longer than a broker takes to make the topics.

use bytes::{Buf, Bytes, TryGetError};

/// The error codes in the body of an answer to CreateTopics at version 7, in its order.
///
/// # Errors
/// The body ends early.
pub(super) fn error_codes(mut body: Bytes) -> Result<Vec<i16>, TryGetError> {
    let body = &mut body;
    let _throttle_time_ms = body.try_get_i32()?;
    let mut codes = Vec::new();
    for _ in 1..varint(body)? {
        skip_text(body)?;
        let _topic_id = body.try_get_u128()?;
        codes.push(body.try_get_i16()?);
        skip_text(body)?;
        let _partitions_and_replicas = (body.try_get_i32()?, body.try_get_i16()?);
        for _ in 1..varint(body)? {
            skip_text(body)?;
            skip_text(body)?;
            let _read_only_source_and_sensitive = body.try_get_uint(3)?;
            skip_tagged_fields(body)?;
        }
        skip_tagged_fields(body)?;
    }
    skip_tagged_fields(body)?;
    Ok(codes)
}

fn varint(body: &mut Bytes) -> Result<usize, TryGetError> {
    let mut value = 0;
    for shift in (0..usize::BITS).step_by(7) {
        let byte = body.try_get_u8()?;
        value |= usize::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            break;
        }
    }
    Ok(value)
}

fn skip(body: &mut Bytes, bytes: usize) -> Result<(), TryGetError> {
    if bytes > body.remaining() {
        return Err(TryGetError { requested: bytes, available: body.remaining() });
    }
    body.advance(bytes);
    Ok(())
}

/// Its length is written as one more, and 0 stands for none.
fn skip_text(body: &mut Bytes) -> Result<(), TryGetError> {
    let length = varint(body)?;
    skip(body, length.saturating_sub(1))
}

fn skip_tagged_fields(body: &mut Bytes) -> Result<(), TryGetError> {
    for _ in 0..varint(body)? {
        let _tag = varint(body)?;
        let length = varint(body)?;
        skip(body, length)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use bytes::BytesMut;
    use kafka_protocol::messages::CreateTopicsResponse;
    use kafka_protocol::messages::create_topics_response::{CreatableTopicConfigs, CreatableTopicResult};
    use kafka_protocol::protocol::{Encodable, StrBytes};

    use super::*;

    fn answer() -> Bytes {
        let config = |name, value: Option<&'static str>| {
            CreatableTopicConfigs::default()
                .with_name(StrBytes::from_static_str(name))
                .with_value(value.map(StrBytes::from_static_str))
        };
        let topic = |name, code, message: Option<&'static str>, configs| {
            CreatableTopicResult::default()
                .with_name(StrBytes::from_static_str(name).into())
                .with_error_code(code)
                // A tagged field.
                .with_topic_config_error_code(code)
                .with_error_message(message.map(StrBytes::from_static_str))
                .with_configs(configs)
        };
        let configs = vec![config("a.b", Some("1")), config("c", None)];
        let long = "a message of more than 127 bytes has a length of two bytes".repeat(3);
        let long =
            topic("z", 3, None, Some(Vec::new())).with_error_message(Some(StrBytes::from_string(long)));
        let topics = vec![topic("x", 0, None, Some(configs)), topic("y", 36, Some("taken"), None), long];
        let mut body = BytesMut::new();
        let response = CreateTopicsResponse::default().with_throttle_time_ms(7).with_topics(topics);
        response.encode(&mut body, 7).expect("encodes");
        body.freeze()
    }

    #[test]
    fn codes_are_found_between_everything_else() {
        assert_eq!(error_codes(answer()).ok(), Some(vec![0, 36, 3]));
    }

    #[test]
    fn an_answer_that_ends_early_is_an_error() {
        let body = answer();
        for end in 0..body.len() {
            assert!(error_codes(body.slice(..end)).is_err(), "{end}");
        }
    }
}
