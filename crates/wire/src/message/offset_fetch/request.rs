//! OffsetFetch requests.

use bytes::{Bytes, BytesMut};
use kafka_protocol::protocol::StrBytes;
use ottla_model::TopicId;

use super::{FLEXIBLE_FROM, GROUPS_FROM, TOPIC_ID_FROM, VERSION_MAX, VERSION_MIN};
use crate::message::{check_encodable, check_version};
use crate::reader::Reader;
use crate::writer::Writer;
use crate::{Malformed, Reason, Unencodable};

/// A question for the committed offsets of groups.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Request {
    /// The groups; exactly one up to version 7.
    pub groups: Vec<RequestGroup>,
    /// Refuse to answer for partitions with offsets in open transactions (KIP-447); from version 7.
    pub require_stable: bool,
}

/// The question for one group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestGroup {
    /// The group.
    pub group_id: StrBytes,
    /// The member that asks, to be checked; from version 9.
    pub member_id: Option<StrBytes>,
    /// Its member epoch, or -1; from version 9.
    pub member_epoch: i32,
    /// The topics, or null for all; null needs version 2.
    pub topics: Option<Vec<RequestTopic>>,
}

impl Default for RequestGroup {
    fn default() -> Self {
        Self { group_id: StrBytes::new(), member_id: None, member_epoch: -1, topics: None }
    }
}

/// The question for one topic.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RequestTopic {
    /// Name of the topic, up to version 9.
    pub name: Option<StrBytes>,
    /// Id of the topic from version 10, zero before.
    pub topic_id: TopicId,
    /// The partitions.
    pub partitions: Vec<i32>,
}

/// Decodes a request.
///
/// # Errors
/// [`Malformed`] when the body does not follow the schema.
pub fn decode_request(version: i16, body: &Bytes) -> Result<Request, Malformed> {
    check_version(version, VERSION_MIN, VERSION_MAX)?;
    Reader::read(body, version >= FLEXIBLE_FROM, |reader| read_request(version, reader))
}

fn read_request(version: i16, reader: &mut Reader<'_>) -> Result<Request, Reason> {
    let groups = if version >= GROUPS_FROM {
        reader.elements(3, |reader| {
            let group = read_group(version, reader)?;
            reader.skip_tagged_fields()?;
            Ok(group)
        })?
    } else {
        vec![read_group(version, reader)?]
    };
    let require_stable = version >= 7 && reader.boolean()?;
    reader.skip_tagged_fields()?;
    Ok(Request { groups, require_stable })
}

fn read_group(version: i16, reader: &mut Reader<'_>) -> Result<RequestGroup, Reason> {
    let group_id = reader.string()?;
    let member_id = if version >= 9 { reader.nullable_string()? } else { None };
    let member_epoch = if version >= 9 { reader.int32()? } else { -1 };
    let topics = reader.nullable_elements(3, |reader| {
        let (name, topic_id) = reader.topic(version >= TOPIC_ID_FROM)?;
        let partitions = reader.elements(4, Reader::int32)?;
        reader.skip_tagged_fields()?;
        Ok(RequestTopic { name, topic_id, partitions })
    })?;
    if topics.is_none() && version < 2 {
        return Err(Reason::Null);
    }
    Ok(RequestGroup { group_id, member_id, member_epoch, topics })
}

/// Encodes the body of a request, for clients.
///
/// # Errors
/// [`Unencodable`] when `version` is unknown, when it has room for one group and there are not exactly one, when
/// a name is missing where the version needs it, or a text is too long.
pub fn encode_request(version: i16, request: &Request, buffer: &mut BytesMut) -> Result<(), Unencodable> {
    check_encodable(version, VERSION_MIN, VERSION_MAX)?;
    let mut writer = Writer::new(buffer, version >= FLEXIBLE_FROM);
    if version >= GROUPS_FROM {
        writer.elements(&request.groups, |writer, group| {
            write_group(version, group, writer);
            writer.no_tagged_fields();
        });
    } else if let [group] = request.groups.as_slice() {
        write_group(version, group, &mut writer);
    } else {
        writer.fail(Unencodable::Field);
    }
    if version >= 7 {
        writer.boolean(request.require_stable);
    }
    writer.no_tagged_fields();
    writer.finish()
}

fn write_group(version: i16, group: &RequestGroup, writer: &mut Writer<'_>) {
    writer.string(&group.group_id);
    if version >= 9 {
        writer.nullable_string(group.member_id.as_deref());
        writer.int32(group.member_epoch);
    }
    if version < 2 && group.topics.is_none() {
        writer.fail(Unencodable::Field);
    }
    writer.nullable_elements(group.topics.as_deref(), |writer, topic| {
        writer.topic(version >= TOPIC_ID_FROM, topic.name.as_deref(), topic.topic_id);
        writer.elements(&topic.partitions, |writer, partition| writer.int32(*partition));
        writer.no_tagged_fields();
    });
}
