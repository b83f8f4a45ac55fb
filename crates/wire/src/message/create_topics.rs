//! The answer to CreateTopics (API 19), versions 2 to 7.
//!
//! Since version 5 it tells all settings of each topic (KIP-525), some thirty of them. Most topics have the same ones, so
//! they are encoded once and copied as bytes.

use bytes::{Bytes, BytesMut};
use ottla_model::{ErrorCode, TopicId};

use super::check_encodable;
use crate::Unencodable;
use crate::writer::Writer;

/// The API key of CreateTopics.
pub const KEY: i16 = 19;
/// Oldest version.
pub const VERSION_MIN: i16 = 2;
/// Newest version.
pub const VERSION_MAX: i16 = 7;
/// Since this version an answer tells the settings of each topic.
pub const CONFIGS_FROM: i16 = 5;

const FLEXIBLE_FROM: i16 = 5;
const TOPIC_ID_FROM: i16 = 7;

/// Bytes of an entry without its texts and settings.
const ENTRY_BYTES: usize = 48;

/// A setting of a topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its value, if it has one that may be told.
    pub value: Option<&'a str>,
    /// Where the value comes from (`DescribeConfigsResponse.ConfigSource`).
    pub source: i8,
}

/// The settings of a topic as they stand in an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Configs(Bytes);

impl Configs {
    /// Encodes them.
    ///
    /// # Errors
    /// [`Unencodable`] when a text is too long.
    pub fn encode<'a>(configs: impl ExactSizeIterator<Item = Config<'a>>) -> Result<Self, Unencodable> {
        let mut buffer = BytesMut::new();
        let mut writer = Writer::new(&mut buffer, true);
        writer.length(Some(configs.len()));
        for config in configs {
            writer.string(config.name);
            writer.nullable_string(config.value);
            // Every setting of a topic may be changed.
            writer.boolean(false);
            writer.int8(config.source);
            // None is a secret.
            writer.boolean(false);
            writer.no_tagged_fields();
        }
        writer.finish()?;
        Ok(Self(buffer.freeze()))
    }
}

/// What became of one topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResponseTopic<'a> {
    /// Its name.
    pub name: &'a str,
    /// What it is, or why it was refused.
    pub outcome: Result<Created, Refused<'a>>,
}

/// A topic that was created, or could be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Created {
    /// Its id; written from version 7.
    pub topic_id: TopicId,
    /// How many partitions it has; written from version 5.
    pub partitions: i32,
    /// How many replicas each has; written from version 5.
    pub replication_factor: i16,
    /// Its settings; written from [`CONFIGS_FROM`], where they must be set.
    pub configs: Option<Configs>,
}

/// A topic that was not created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused<'a> {
    /// The error.
    pub error: ErrorCode,
    /// For the person who asked.
    pub message: &'a str,
}

/// Bytes that a body with these topics takes, about.
#[must_use]
pub fn size_hint(topics: &[ResponseTopic<'_>]) -> usize {
    let size = |topic: &ResponseTopic<'_>| {
        let rest = match &topic.outcome {
            Ok(created) => created.configs.as_ref().map_or(0, |Configs(bytes)| bytes.len()),
            Err(refused) => refused.message.len(),
        };
        topic.name.len().saturating_add(rest).saturating_add(ENTRY_BYTES)
    };
    topics.iter().map(size).fold(ENTRY_BYTES, usize::saturating_add)
}

/// Encodes the body of a response.
///
/// # Errors
/// [`Unencodable`] when `version` is unknown, settings are missing where the version needs them, or a text is too long.
pub fn encode_response(
    version: i16,
    topics: &[ResponseTopic<'_>],
    buffer: &mut BytesMut,
) -> Result<(), Unencodable> {
    check_encodable(version, VERSION_MIN, VERSION_MAX)?;
    let mut writer = Writer::new(buffer, version >= FLEXIBLE_FROM);
    // The throttle time, which is set when it is known.
    writer.int32(0);
    writer.elements(topics, |writer, topic| write_topic(version, writer, topic));
    writer.no_tagged_fields();
    writer.finish()
}

fn write_topic(version: i16, writer: &mut Writer<'_>, topic: &ResponseTopic<'_>) {
    let created = topic.outcome.as_ref().ok();
    let refused = topic.outcome.as_ref().err();
    writer.string(topic.name);
    if version >= TOPIC_ID_FROM {
        writer.topic_id(created.map_or(TopicId::ZERO, |created| created.topic_id));
    }
    writer.error(refused.map_or(ErrorCode::None, |refused| refused.error));
    writer.nullable_string(refused.map(|refused| refused.message));
    if version >= CONFIGS_FROM {
        writer.int32(created.map_or(-1, |created| created.partitions));
        writer.int16(created.map_or(-1, |created| created.replication_factor));
        match created.map(|created| &created.configs) {
            Some(Some(Configs(bytes))) => writer.raw(bytes),
            Some(None) => writer.fail(Unencodable::Field),
            None => writer.length(Some(0)),
        }
    }
    writer.no_tagged_fields();
}

#[cfg(test)]
mod tests {
    use kafka_protocol::messages::CreateTopicsResponse;
    use kafka_protocol::messages::create_topics_response::CreatableTopicConfigs;
    use kafka_protocol::protocol::{Decodable, Encodable};

    use super::*;

    fn topics() -> [ResponseTopic<'static>; 2] {
        let config = |name, value, source| Config { name, value, source };
        let configs = Configs::encode([config("a.b", Some("1"), 5), config("c", None, 1)].into_iter());
        let configs = Some(configs.expect("fits"));
        let created = Created { topic_id: TopicId([7; 16]), partitions: 3, replication_factor: 1, configs };
        let refused = Refused { error: ErrorCode::InvalidTopicException, message: "A space." };
        [
            ResponseTopic { name: "orders", outcome: Ok(created) },
            ResponseTopic { name: "bad name", outcome: Err(refused) },
        ]
    }

    #[test]
    fn every_version_reads_and_is_written_by_others_as_here() {
        for version in VERSION_MIN..=VERSION_MAX {
            let mut buffer = BytesMut::new();
            encode_response(version, &topics(), &mut buffer).expect("encodes");
            assert!(buffer.len() <= size_hint(&topics()), "version {version}");
            let read = CreateTopicsResponse::decode(&mut buffer.clone().freeze(), version).expect("decodes");
            let (created, refused) = (&read.topics[0], &read.topics[1]);
            assert_eq!((created.name.as_str(), refused.name.as_str()), ("orders", "bad name"));
            assert_eq!((created.error_code, refused.error_code), (0, 17));
            assert_eq!(refused.error_message.as_deref(), Some("A space."));
            if version >= TOPIC_ID_FROM {
                assert_eq!((created.topic_id.as_bytes(), refused.topic_id.as_bytes()), (&[7; 16], &[0; 16]));
            }
            if version >= CONFIGS_FROM {
                assert_eq!((created.num_partitions, created.replication_factor), (3, 1));
                assert_eq!((refused.num_partitions, refused.replication_factor), (-1, -1));
                let told = |configs: &Vec<CreatableTopicConfigs>| -> Vec<_> {
                    let all = configs.iter().map(|config| {
                        (
                            config.name.to_string(),
                            config.value.as_deref().map(str::to_owned),
                            config.config_source,
                        )
                    });
                    all.collect()
                };
                let of_created = [("a.b".to_owned(), Some("1".to_owned()), 5), ("c".to_owned(), None, 1)];
                assert_eq!(created.configs.as_ref().map(told), Some(of_created.to_vec()));
                assert_eq!(refused.configs.as_ref().map(told), Some(Vec::new()));
            }
            let mut again = BytesMut::new();
            read.encode(&mut again, version).expect("encodes");
            assert_eq!(again, buffer, "version {version}");
        }
    }

    #[test]
    fn settings_must_be_told_where_the_version_tells_them() {
        let mut topics = topics();
        if let Ok(created) = &mut topics[0].outcome {
            created.configs = None;
        }
        let encode = |version| encode_response(version, &topics, &mut BytesMut::new());
        assert!(encode(CONFIGS_FROM - 1).is_ok());
        assert!(encode(CONFIGS_FROM).is_err());
        assert!(encode(VERSION_MAX + 1).is_err());
    }
}
