//! The embedded consumer protocol in full (`ConsumerProtocolSubscription`, `ConsumerProtocolAssignment`, versions 0 to
//! 3), which a consumer group reads and writes for members that still use the classic protocol.
//!
//! [`ConsumerSubscription`](super::ConsumerSubscription) is enough where only the topics matter.

use bytes::Bytes;
use ottla_model::PartitionIndex;

use super::{DecodeError, EncodeError, Reader, Writer};

/// The highest version that Kafka 4.3.1 knows. Bytes of a later one are read as this one.
const VERSION_MAX: i16 = 3;
/// The generation of a subscription that tells none.
const NO_GENERATION: i32 = -1;
/// Empty name and no partitions.
const TOPIC_BYTES_MIN: usize = 2 + 4;

/// Partitions of a topic, as the embedded protocol names them.
pub type NamedPartitions<'a> = (&'a str, Vec<PartitionIndex>);

/// What a member wants to read and what it has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsumerProtocolSubscription<'a> {
    /// The topics that it is subscribed to.
    pub topics: Vec<&'a str>,
    /// The client's own data.
    pub user_data: Option<&'a [u8]>,
    /// The partitions that it has (since version 1).
    pub owned_partitions: Vec<NamedPartitions<'a>>,
    /// The generation in which it had them (since version 2), or -1.
    pub generation: i32,
    /// The rack that it runs in (since version 3).
    pub rack_id: Option<&'a str>,
}

impl<'a> ConsumerProtocolSubscription<'a> {
    /// Reads a member's metadata of any version. Bytes after it are passed over
    /// (`ConsumerProtocol.deserializeConsumerProtocolSubscription`).
    ///
    /// # Errors
    /// [`DecodeError`] when the bytes are no subscription.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        let version = read_version(&mut reader)?;
        let count = reader.count(2)?;
        let topics = (0..count).map(|_| reader.string()).collect::<Result<_, _>>()?;
        Ok(Self {
            topics,
            user_data: reader.nullable_bytes()?,
            owned_partitions: if version >= 1 { read_partitions(&mut reader)? } else { Vec::new() },
            generation: if version >= 2 { reader.i32()? } else { NO_GENERATION },
            rack_id: if version >= 3 { reader.nullable_string()? } else { None },
        })
    }

    /// Writes the subscription. Fields that `version` lacks are left out; a version above 3 is written as 3.
    ///
    /// # Errors
    /// [`EncodeError`] when a text is longer than 32767 bytes.
    pub fn encode(&self, version: i16) -> Result<Bytes, EncodeError> {
        let version = version.clamp(0, VERSION_MAX);
        let mut writer = Writer::new();
        writer.i16(version);
        writer.count(self.topics.len());
        for topic in &self.topics {
            writer.string(topic);
        }
        writer.nullable_bytes(self.user_data);
        if version >= 1 {
            write_partitions(&mut writer, &self.owned_partitions);
        }
        if version >= 2 {
            writer.i32(self.generation);
        }
        if version >= 3 {
            writer.nullable_string(self.rack_id);
        }
        writer.finish()
    }
}

/// What a member is given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsumerProtocolAssignment<'a> {
    /// Topics with their partitions.
    pub assigned_partitions: Vec<NamedPartitions<'a>>,
    /// The assignor's own data.
    pub user_data: Option<&'a [u8]>,
}

impl<'a> ConsumerProtocolAssignment<'a> {
    /// Reads an assignment of any version; all have the same fields. Bytes after it are passed over
    /// (`ConsumerProtocol.deserializeConsumerProtocolAssignment`).
    ///
    /// # Errors
    /// [`DecodeError`] when the bytes are no assignment.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        read_version(&mut reader)?;
        Ok(Self { assigned_partitions: read_partitions(&mut reader)?, user_data: reader.nullable_bytes()? })
    }

    /// Writes the assignment. A coordinator writes the version of the member's own subscription
    /// ([`consumer_protocol_version`]); one above 3 is written as 3.
    ///
    /// # Errors
    /// [`EncodeError`] when a text is longer than 32767 bytes.
    pub fn encode(&self, version: i16) -> Result<Bytes, EncodeError> {
        let mut writer = Writer::new();
        writer.i16(version.clamp(0, VERSION_MAX));
        write_partitions(&mut writer, &self.assigned_partitions);
        writer.nullable_bytes(self.user_data);
        writer.finish()
    }
}

/// The version in front of a subscription or an assignment, as it is written there
/// (`ConsumerProtocol.deserializeVersion`).
///
/// # Errors
/// [`DecodeError::Truncated`].
pub fn consumer_protocol_version(bytes: &[u8]) -> Result<i16, DecodeError> {
    Reader::new(bytes).i16()
}

/// The version to read by.
fn read_version(reader: &mut Reader<'_>) -> Result<i16, DecodeError> {
    match reader.i16()? {
        version if version < 0 => Err(DecodeError::UnknownVersion(version)),
        version => Ok(version.min(VERSION_MAX)),
    }
}

fn read_partitions<'a>(reader: &mut Reader<'a>) -> Result<Vec<NamedPartitions<'a>>, DecodeError> {
    let count = reader.count(TOPIC_BYTES_MIN)?;
    let mut topics = Vec::with_capacity(count);
    for _ in 0..count {
        let topic = reader.string()?;
        let count = reader.count(4)?;
        let partitions = (0..count).map(|_| reader.i32()).collect::<Result<_, _>>()?;
        topics.push((topic, partitions));
    }
    Ok(topics)
}

fn write_partitions(writer: &mut Writer, topics: &[NamedPartitions<'_>]) {
    writer.count(topics.len());
    for (topic, partitions) in topics {
        writer.string(topic);
        writer.count(partitions.len());
        for partition in partitions {
            writer.i32(*partition);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::codec::tests::{bytes, hex};

    /// Written by Kafka's own classes in versions 0 to 3, as the other vectors of [`crate::codec`].
    const SUBSCRIPTIONS: [&str; 4] = [
        "000000000002000161000262620000000105",
        "00010000000200016100026262ffffffff000000020001610000000200000000000000010002626200000000",
        "00020000000200016100026262000000010500000002000161000000020000000000000001000262620000000000000004",
        "00030000000200016100026262000000010500000002000161000000020000000000000001000262620000000000000004000172",
    ];
    const ASSIGNMENTS: [&str; 4] = [
        "0000000000020001610000000200000000000000020002626200000000ffffffff",
        "00010000000200016100000002000000000000000200026262000000000000000101",
        "00020000000200016100000002000000000000000200026262000000000000000102",
        "00030000000200016100000002000000000000000200026262000000000000000103",
    ];

    fn subscription(version: i16) -> ConsumerProtocolSubscription<'static> {
        ConsumerProtocolSubscription {
            topics: vec!["a", "bb"],
            user_data: (version != 1).then_some(&[5]),
            owned_partitions: if version >= 1 {
                vec![("a", vec![0, 1]), ("bb", Vec::new())]
            } else {
                Vec::new()
            },
            generation: if version >= 2 { 4 } else { NO_GENERATION },
            rack_id: (version >= 3).then_some("r"),
        }
    }

    #[test]
    fn subscriptions_of_every_version() {
        for (version, text) in (0..).zip(SUBSCRIPTIONS) {
            let encoded = bytes(text);
            assert_eq!(ConsumerProtocolSubscription::decode(&encoded), Ok(subscription(version)), "{text}");
            assert_eq!(hex(&subscription(version).encode(version).unwrap()), text);
            assert_eq!(consumer_protocol_version(&encoded), Ok(version));
            for length in 0..encoded.len() {
                assert!(ConsumerProtocolSubscription::decode(&encoded[..length]).is_err(), "{text}");
            }
        }
        let mut later = bytes(SUBSCRIPTIONS[3]);
        later[1] = 4;
        later.extend([1, 2, 3]);
        assert_eq!(ConsumerProtocolSubscription::decode(&later), Ok(subscription(3)));
        assert_eq!(hex(&subscription(3).encode(4).unwrap()), SUBSCRIPTIONS[3]);
        let negative = ConsumerProtocolSubscription::decode(&[0xff, 0xff]);
        assert_eq!(negative, Err(DecodeError::UnknownVersion(-1)));
    }

    #[test]
    fn assignments_of_every_version() {
        for (version, text) in (0..).zip(ASSIGNMENTS) {
            let user_data = [version as u8];
            let assignment = ConsumerProtocolAssignment {
                assigned_partitions: vec![("a", vec![0, 2]), ("bb", Vec::new())],
                user_data: (version > 0).then_some(&user_data),
            };
            let encoded = bytes(text);
            assert_eq!(ConsumerProtocolAssignment::decode(&encoded).as_ref(), Ok(&assignment), "{text}");
            assert_eq!(hex(&assignment.encode(version).unwrap()), text);
            for length in 0..encoded.len() {
                assert!(ConsumerProtocolAssignment::decode(&encoded[..length]).is_err(), "{text}");
            }
        }
    }

    proptest! {
        #[test]
        fn random_bytes_do_no_harm(bytes in prop::collection::vec(any::<u8>(), 0..100), version in 0u8..5) {
            let versioned = [&[0, version], &bytes[..]].concat();
            let _ = ConsumerProtocolSubscription::decode(&versioned);
            let _ = ConsumerProtocolAssignment::decode(&versioned);
        }
    }
}
