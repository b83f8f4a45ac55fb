//! The value of a member of a consumer group.

use bytes::Bytes;

use super::{read_array, tagged_field, value_reader, value_writer, write_array};
use crate::codec::{DecodeError, EncodeError, Reader, Writer};

/// `ConsumerGroupMemberMetadataValue`: who a member is and what it subscribes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsumerGroupMemberMetadataValue<'a> {
    /// Its name across restarts, of a static member.
    pub instance_id: Option<&'a str>,
    /// The rack that it runs in, if it said so.
    pub rack_id: Option<&'a str>,
    /// Client id of its last request that changed the record.
    pub client_id: &'a str,
    /// Address of that request's connection.
    pub client_host: &'a str,
    /// The topics that it named. Kafka writes them sorted.
    pub subscribed_topic_names: Vec<&'a str>,
    /// The regular expression that it gave; empty when it took one back, `None` when it never gave one.
    pub subscribed_topic_regex: Option<&'a str>,
    /// How long it may take to give partitions back, in milliseconds.
    pub rebalance_timeout_ms: i32,
    /// The assignor that it asked for, if it did.
    pub server_assignor: Option<&'a str>,
    /// What it sent with JoinGroup, when it uses the classic protocol.
    pub classic_member_metadata: Option<ClassicMemberMetadata<'a>>,
}

/// What a consumer group knows of a member that uses the classic protocol. The default is what Kafka takes a record
/// without this field for; a member of the new protocol has an explicit null there.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ClassicMemberMetadata<'a> {
    /// How long it may be silent, in milliseconds.
    pub session_timeout_ms: i32,
    /// The protocols of its JoinGroup, in its order.
    pub supported_protocols: Vec<ClassicProtocol<'a>>,
}

/// A protocol of a JoinGroup.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClassicProtocol<'a> {
    /// The name of its assignor.
    pub name: &'a str,
    /// The subscription ([`crate::codec::ConsumerProtocolSubscription`]).
    pub metadata: &'a [u8],
}

const TAG_CLASSIC_MEMBER_METADATA: u32 = 0;
/// In front of a structure that may be null.
const NULL: u32 = 0;
const PRESENT: u32 = 1;
/// Empty name, empty bytes, no tagged fields.
const PROTOCOL_BYTES_MIN: usize = 3;

impl<'a> ConsumerGroupMemberMetadataValue<'a> {
    /// Reads a value. Bytes after it are passed over, as in Kafka.
    ///
    /// # Errors
    /// [`DecodeError`] when the bytes are malformed or the version is unknown.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        let mut reader = value_reader(bytes)?;
        let mut value = Self {
            instance_id: reader.compact_nullable_string()?,
            rack_id: reader.compact_nullable_string()?,
            client_id: reader.compact_string()?,
            client_host: reader.compact_string()?,
            subscribed_topic_names: read_array(&mut reader, 1, |reader| reader.compact_string())?,
            subscribed_topic_regex: reader.compact_nullable_string()?,
            rebalance_timeout_ms: reader.i32()?,
            server_assignor: reader.compact_nullable_string()?,
            classic_member_metadata: Some(ClassicMemberMetadata::default()),
        };
        reader.tagged_fields(|tag, field| {
            if tag == TAG_CLASSIC_MEMBER_METADATA {
                let is_null = field.unsigned_varint()? == NULL;
                value.classic_member_metadata =
                    if is_null { None } else { Some(ClassicMemberMetadata::decode(field)?) };
            }
            Ok(())
        })?;
        Ok(value)
    }

    /// Writes the value.
    ///
    /// # Errors
    /// [`EncodeError`] when a text is longer than 32767 bytes.
    pub fn encode(&self) -> Result<Bytes, EncodeError> {
        let mut writer = value_writer();
        writer.compact_nullable_string(self.instance_id);
        writer.compact_nullable_string(self.rack_id);
        writer.compact_string(self.client_id);
        writer.compact_string(self.client_host);
        write_array(&mut writer, &self.subscribed_topic_names, |writer, name| writer.compact_string(name));
        writer.compact_nullable_string(self.subscribed_topic_regex);
        writer.i32(self.rebalance_timeout_ms);
        writer.compact_nullable_string(self.server_assignor);
        match &self.classic_member_metadata {
            None => tagged_field(&mut writer, |field| field.unsigned_varint(NULL))?,
            Some(metadata) if *metadata == ClassicMemberMetadata::default() => writer.no_tagged_fields(),
            Some(metadata) => tagged_field(&mut writer, |field| {
                field.unsigned_varint(PRESENT);
                metadata.encode(field);
            })?,
        }
        writer.finish()
    }
}

impl<'a> ClassicMemberMetadata<'a> {
    fn decode(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let session_timeout_ms = reader.i32()?;
        let supported_protocols = read_array(reader, PROTOCOL_BYTES_MIN, |reader| {
            let protocol =
                ClassicProtocol { name: reader.compact_string()?, metadata: reader.compact_bytes()? };
            reader.skip_tagged_fields()?;
            Ok(protocol)
        })?;
        reader.skip_tagged_fields()?;
        Ok(Self { session_timeout_ms, supported_protocols })
    }

    fn encode(&self, writer: &mut Writer) {
        writer.i32(self.session_timeout_ms);
        write_array(writer, &self.supported_protocols, |writer, protocol| {
            writer.compact_string(protocol.name);
            writer.compact_bytes(protocol.metadata);
            writer.no_tagged_fields();
        });
        writer.no_tagged_fields();
    }
}
