//! WriteTxnMarkers (API 27), versions 1 and 2.

use bytes::{Bytes, BytesMut};
use kafka_protocol::protocol::StrBytes;
use ottla_model::{ErrorCode, ProducerEpoch, ProducerId};

use super::{check_encodable, check_version};
use crate::reader::Reader;
use crate::writer::Writer;
use crate::{Malformed, Reason, Unencodable};

/// The API key of WriteTxnMarkers.
pub const KEY: i16 = 27;
/// Oldest version.
pub const VERSION_MIN: i16 = 1;
/// Newest version.
pub const VERSION_MAX: i16 = 2;

const TRANSACTION_VERSION_FROM: i16 = 2;

/// Ends of transactions to write into logs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Request {
    /// The markers.
    pub markers: Vec<Marker>,
}

/// The end of one transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Marker {
    /// The producer whose transaction ends.
    pub producer_id: ProducerId,
    /// Its epoch.
    pub producer_epoch: ProducerEpoch,
    /// True to commit, false to abort.
    pub committed: bool,
    /// Where it ends.
    pub topics: Vec<MarkerTopic>,
    /// Leader epoch of the coordinator's partition of `__transaction_state`.
    pub coordinator_epoch: i32,
    /// The version by which the transaction ends (`transaction.version`); 0 before version 2.
    pub transaction_version: i8,
}

/// Partitions of one topic.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MarkerTopic {
    /// Name of the topic.
    pub name: StrBytes,
    /// The partitions.
    pub partitions: Vec<i32>,
}

/// What became of a [`Request`].
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Response {
    /// The outcome by marker.
    pub markers: Vec<MarkerResult>,
}

/// The outcome of one marker.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MarkerResult {
    /// The producer.
    pub producer_id: ProducerId,
    /// The outcome by topic.
    pub topics: Vec<TopicResult>,
}

/// The outcome for one topic.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TopicResult {
    /// Name of the topic.
    pub name: StrBytes,
    /// Each partition, and what went wrong there, if anything.
    pub partitions: Vec<(i32, ErrorCode)>,
}

/// Decodes a request.
///
/// # Errors
/// [`Malformed`] when the body does not follow the schema.
pub fn decode_request(version: i16, body: &Bytes) -> Result<Request, Malformed> {
    check_version(version, VERSION_MIN, VERSION_MAX)?;
    Reader::read(body, true, |reader| {
        let markers = reader.elements(17, |reader| read_marker(version, reader))?;
        reader.skip_tagged_fields()?;
        Ok(Request { markers })
    })
}

fn read_marker(version: i16, reader: &mut Reader<'_>) -> Result<Marker, Reason> {
    let producer_id = reader.int64()?;
    let producer_epoch = reader.int16()?;
    let committed = reader.boolean()?;
    let topics = reader.elements(3, |reader| {
        let name = reader.string()?;
        let partitions = reader.elements(4, Reader::int32)?;
        reader.skip_tagged_fields()?;
        Ok(MarkerTopic { name, partitions })
    })?;
    let coordinator_epoch = reader.int32()?;
    let transaction_version = if version >= TRANSACTION_VERSION_FROM { reader.int8()? } else { 0 };
    reader.skip_tagged_fields()?;
    Ok(Marker { producer_id, producer_epoch, committed, topics, coordinator_epoch, transaction_version })
}

/// Encodes the body of a request, for clients.
///
/// # Errors
/// [`Unencodable`] when `version` is unknown or a text is too long.
pub fn encode_request(version: i16, request: &Request, buffer: &mut BytesMut) -> Result<(), Unencodable> {
    check_encodable(version, VERSION_MIN, VERSION_MAX)?;
    let mut writer = Writer::new(buffer, true);
    writer.elements(&request.markers, |writer, marker| {
        writer.int64(marker.producer_id);
        writer.int16(marker.producer_epoch);
        writer.boolean(marker.committed);
        writer.elements(&marker.topics, |writer, topic| {
            writer.string(&topic.name);
            writer.elements(&topic.partitions, |writer, index| writer.int32(*index));
            writer.no_tagged_fields();
        });
        writer.int32(marker.coordinator_epoch);
        if version >= TRANSACTION_VERSION_FROM {
            writer.int8(marker.transaction_version);
        }
        writer.no_tagged_fields();
    });
    writer.no_tagged_fields();
    writer.finish()
}

/// Encodes the body of a response.
///
/// # Errors
/// As [`encode_request`].
pub fn encode_response(version: i16, response: &Response, buffer: &mut BytesMut) -> Result<(), Unencodable> {
    check_encodable(version, VERSION_MIN, VERSION_MAX)?;
    let mut writer = Writer::new(buffer, true);
    writer.elements(&response.markers, |writer, marker| {
        writer.int64(marker.producer_id);
        writer.elements(&marker.topics, |writer, topic| {
            writer.string(&topic.name);
            writer.elements(&topic.partitions, |writer, (index, error)| {
                writer.int32(*index);
                writer.error(*error);
                writer.no_tagged_fields();
            });
            writer.no_tagged_fields();
        });
        writer.no_tagged_fields();
    });
    writer.no_tagged_fields();
    writer.finish()
}

/// Decodes a response, for clients.
///
/// # Errors
/// [`Malformed`] when the body does not follow the schema.
pub fn decode_response(version: i16, body: &Bytes) -> Result<Response, Malformed> {
    check_version(version, VERSION_MIN, VERSION_MAX)?;
    Reader::read(body, true, |reader| {
        let markers = reader.elements(10, read_result)?;
        reader.skip_tagged_fields()?;
        Ok(Response { markers })
    })
}

fn read_result(reader: &mut Reader<'_>) -> Result<MarkerResult, Reason> {
    let producer_id = reader.int64()?;
    let topics = reader.elements(3, |reader| {
        let name = reader.string()?;
        let partitions = reader.elements(7, |reader| {
            let part = (reader.int32()?, reader.error()?);
            reader.skip_tagged_fields()?;
            Ok(part)
        })?;
        reader.skip_tagged_fields()?;
        Ok(TopicResult { name, partitions })
    })?;
    reader.skip_tagged_fields()?;
    Ok(MarkerResult { producer_id, topics })
}
