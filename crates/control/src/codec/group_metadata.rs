//! The value of a classic group (`GroupMetadataValue`, versions 0 to 4).

use bytes::Bytes;
use ottla_model::NONE;

use super::{DecodeError, EncodeError, Reader, Writer};

/// A generation of a classic group as its record holds it, borrowed from the bytes or from the group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupMetadataValue<'a> {
    /// What kind of group it is ("consumer", "connect"), or empty.
    pub protocol_type: &'a str,
    /// Number of the generation.
    pub generation: i32,
    /// The protocol that the members agreed on, if there are any.
    pub protocol: Option<&'a str>,
    /// Member id of the leader, if there is one.
    pub leader: Option<&'a str>,
    /// When the group came to this state, in milliseconds since the Unix epoch, or -1.
    pub current_state_timestamp_ms: i64,
    /// The members.
    pub members: Vec<GroupMetadataMember<'a>>,
}

/// A member of the generation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupMetadataMember<'a> {
    /// Its id, which the coordinator made.
    pub member_id: &'a str,
    /// Its name across restarts, of a static member (KIP-345).
    pub group_instance_id: Option<&'a str>,
    /// Client id of its request.
    pub client_id: &'a str,
    /// Address of its connection.
    pub client_host: &'a str,
    /// How long it may take to rejoin, or -1 in records of version 0.
    pub rebalance_timeout_ms: i32,
    /// How long it may be silent.
    pub session_timeout_ms: i32,
    /// Its metadata under the chosen protocol.
    pub subscription: &'a [u8],
    /// What the leader assigned to it.
    pub assignment: &'a [u8],
}

const VERSION_MAX: i16 = 4;
/// The version that Kafka 4.3.1 writes (`GROUP_METADATA_VALUE_VERSION`).
const VERSION_WRITTEN: i16 = 3;
/// A member of version 0 with nothing but empty fields: three texts, a timeout, two blocks.
const MEMBER_BYTES_MIN: usize = 3 * 2 + 4 + 2 * 4;
/// The same in the flexible version, where each length takes at least one byte.
const MEMBER_BYTES_MIN_FLEXIBLE: usize = 4 + 4 + 4 + 2 + 1;

impl<'a> GroupMetadataValue<'a> {
    /// Reads a value of any version. Bytes after it are passed over, as in Kafka.
    ///
    /// # Errors
    /// [`DecodeError`] when the bytes are malformed or the version is unknown.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        let version = reader.i16()?;
        match version {
            0..4 => Self::decode_old(&mut reader, version),
            VERSION_MAX => Self::decode_flexible(&mut reader),
            _ => Err(DecodeError::UnknownVersion(version)),
        }
    }

    fn decode_old(reader: &mut Reader<'a>, version: i16) -> Result<Self, DecodeError> {
        let protocol_type = reader.string()?;
        let generation = reader.i32()?;
        let protocol = reader.nullable_string()?;
        let leader = reader.nullable_string()?;
        let current_state_timestamp_ms = if version >= 2 { reader.i64()? } else { NONE };
        let count = reader.count(MEMBER_BYTES_MIN)?;
        let mut members = Vec::with_capacity(count);
        for _ in 0..count {
            members.push(GroupMetadataMember {
                member_id: reader.string()?,
                group_instance_id: if version >= 3 { reader.nullable_string()? } else { None },
                client_id: reader.string()?,
                client_host: reader.string()?,
                rebalance_timeout_ms: if version >= 1 { reader.i32()? } else { -1 },
                session_timeout_ms: reader.i32()?,
                subscription: reader.bytes()?,
                assignment: reader.bytes()?,
            });
        }
        Ok(Self { protocol_type, generation, protocol, leader, current_state_timestamp_ms, members })
    }

    fn decode_flexible(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let protocol_type = reader.compact_string()?;
        let generation = reader.i32()?;
        let protocol = reader.compact_nullable_string()?;
        let leader = reader.compact_nullable_string()?;
        let current_state_timestamp_ms = reader.i64()?;
        let count = reader.compact_count(MEMBER_BYTES_MIN_FLEXIBLE)?;
        let mut members = Vec::with_capacity(count);
        for _ in 0..count {
            members.push(GroupMetadataMember {
                member_id: reader.compact_string()?,
                group_instance_id: reader.compact_nullable_string()?,
                client_id: reader.compact_string()?,
                client_host: reader.compact_string()?,
                rebalance_timeout_ms: reader.i32()?,
                session_timeout_ms: reader.i32()?,
                subscription: reader.compact_bytes()?,
                assignment: reader.compact_bytes()?,
            });
            reader.skip_tagged_fields()?;
        }
        reader.skip_tagged_fields()?;
        Ok(Self { protocol_type, generation, protocol, leader, current_state_timestamp_ms, members })
    }

    /// Writes the value in the version that Kafka 4.3.1 writes, which is 3.
    ///
    /// # Errors
    /// [`EncodeError`] when a text is longer than 32767 bytes.
    pub fn encode(&self) -> Result<Bytes, EncodeError> {
        let mut writer = Writer::new();
        writer.i16(VERSION_WRITTEN);
        writer.string(self.protocol_type);
        writer.i32(self.generation);
        writer.nullable_string(self.protocol);
        writer.nullable_string(self.leader);
        writer.i64(self.current_state_timestamp_ms);
        writer.count(self.members.len());
        for member in &self.members {
            writer.string(member.member_id);
            writer.nullable_string(member.group_instance_id);
            writer.string(member.client_id);
            writer.string(member.client_host);
            writer.i32(member.rebalance_timeout_ms);
            writer.i32(member.session_timeout_ms);
            writer.bytes(member.subscription);
            writer.bytes(member.assignment);
        }
        writer.finish()
    }
}
