//! The private APIs: what `ottla` commands ask a running Ottla.
//!
//! Their keys begin at [`crate::PRIVATE_KEY_MIN`]. They are told in ApiVersions only to a client that gives its software
//! name as [`SOFTWARE_NAME`]; to everybody else an Ottla looks like a Kafka. Each has a request of its own, one module a
//! request, and all have the same [`Answer`]: an error, or a document of JSON.

mod describe_lag;
mod group_history;
mod inspect_compaction;

use bytes::{Bytes, BytesMut};
use kafka_protocol::protocol::StrBytes;
use ottla_model::ErrorCode;

pub use describe_lag::DescribeLag;
pub use group_history::{GroupDiff, GroupHistory, GroupOffsetsAt, GroupUndo, GroupWhy};
pub use inspect_compaction::InspectCompaction;

use super::{check_encodable, check_version};
use crate::Reason;
use crate::reader::Reader;
use crate::writer::Writer;
use crate::{Malformed, Unencodable};

/// The software name (KIP-511) of a client that is told of private APIs.
pub const SOFTWARE_NAME: &str = "ottla";

/// The request of a private API. All versions are flexible (KIP-482).
pub trait PrivateRequest: Sized {
    /// The API key.
    const KEY: i16;

    /// Appends the body to `buffer`.
    ///
    /// # Errors
    /// [`Unencodable`] when a field does not fit.
    fn encode(&self, version: i16, buffer: &mut BytesMut) -> Result<(), Unencodable>;

    /// Reads a body. Text is a slice of it.
    ///
    /// # Errors
    /// [`Malformed`] when it does not follow its schema.
    fn decode(version: i16, body: &Bytes) -> Result<Self, Malformed>;
}

/// The fields of a request, without what is the same for all.
trait Fields: Sized {
    const KEY: i16;

    fn write(&self, writer: &mut Writer<'_>);

    fn read(reader: &mut Reader<'_>) -> Result<Self, Reason>;
}

impl<T: Fields> PrivateRequest for T {
    const KEY: i16 = T::KEY;

    fn encode(&self, version: i16, buffer: &mut BytesMut) -> Result<(), Unencodable> {
        check_encodable(version, 0, 0)?;
        let mut writer = Writer::new(buffer, true);
        self.write(&mut writer);
        writer.no_tagged_fields();
        writer.finish()
    }

    fn decode(version: i16, body: &Bytes) -> Result<Self, Malformed> {
        check_version(version, 0, 0)?;
        Reader::read(body, true, |reader| {
            let fields = T::read(reader)?;
            reader.skip_tagged_fields()?;
            Ok(fields)
        })
    }
}

/// Decodes the request of any private API and drops it; nothing for other APIs. For tests.
pub(crate) fn decode_any(api_key: i16, version: i16, body: &Bytes) -> Option<Result<(), Malformed>> {
    Some(match api_key {
        <DescribeLag as PrivateRequest>::KEY => DescribeLag::decode(version, body).map(drop),
        <InspectCompaction as PrivateRequest>::KEY => InspectCompaction::decode(version, body).map(drop),
        <GroupHistory as PrivateRequest>::KEY => GroupHistory::decode(version, body).map(drop),
        <GroupOffsetsAt as PrivateRequest>::KEY => GroupOffsetsAt::decode(version, body).map(drop),
        <GroupDiff as PrivateRequest>::KEY => GroupDiff::decode(version, body).map(drop),
        <GroupUndo as PrivateRequest>::KEY => GroupUndo::decode(version, body).map(drop),
        <GroupWhy as PrivateRequest>::KEY => GroupWhy::decode(version, body).map(drop),
        _ => return None,
    })
}

/// What every private API answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// How long the client is throttled, in milliseconds.
    pub throttle_time_ms: i32,
    /// Why there is no document.
    pub error: ErrorCode,
    /// The same in words.
    pub error_message: Option<StrBytes>,
    /// JSON in UTF-8; nothing when there is an error.
    pub document: Option<Bytes>,
}

/// Appends the body of an answer, which is the same at all versions.
///
/// # Errors
/// [`Unencodable`] when the message or the document is too long.
pub fn encode_answer(answer: &Answer, buffer: &mut BytesMut) -> Result<(), Unencodable> {
    let mut writer = Writer::new(buffer, true);
    writer.int32(answer.throttle_time_ms);
    writer.error(answer.error);
    writer.nullable_string(answer.error_message.as_deref());
    writer.nullable_bytes(answer.document.as_deref());
    writer.no_tagged_fields();
    writer.finish()
}

/// Reads the body of an answer.
///
/// # Errors
/// [`Malformed`] when it does not follow its schema.
pub fn decode_answer(body: &Bytes) -> Result<Answer, Malformed> {
    Reader::read(body, true, |reader| {
        let answer = Answer {
            throttle_time_ms: reader.int32()?,
            error: reader.error()?,
            error_message: reader.nullable_string()?,
            document: reader.nullable_bytes()?,
        };
        reader.skip_tagged_fields()?;
        Ok(answer)
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

    use super::*;
    use crate::fuzz::{Fill, sample_request, sample_response};
    use crate::{api_name, check_request, check_response, private_keys, versions};

    #[test]
    fn every_private_api_has_a_schema_a_decoder_and_the_same_answer() {
        let full = Fill { elements: 2, text: "text", byte: 1, nulls: false, ..Fill::default() };
        assert!(private_keys().is_sorted());
        for key in private_keys() {
            let name = api_name(key).unwrap();
            for version in versions(key).unwrap() {
                for fill in [&Fill::default(), &full] {
                    let request = Bytes::from(sample_request(key, version, fill).unwrap().bytes);
                    assert!(check_request(key, version, &request).is_ok(), "{name}");
                    assert_eq!(decode_any(key, version, &request), Some(Ok(())), "{name}");
                    let response = Bytes::from(sample_response(key, version, fill).unwrap().bytes);
                    assert!(check_response(key, version, &response).is_ok(), "{name}");
                    assert!(decode_answer(&response).is_ok(), "{name}");
                }
            }
        }
        assert_eq!(decode_any(0, 0, &Bytes::new()), None);
    }

    #[test]
    fn answers_and_requests_read_back() {
        let long = Bytes::from(vec![b'x'; 100_000]);
        for answer in [
            Answer { throttle_time_ms: 7, error: ErrorCode::None, error_message: None, document: Some(long) },
            Answer {
                throttle_time_ms: 0,
                error: ErrorCode::UnknownTopicOrPartition,
                error_message: Some("no such topic".into()),
                document: None,
            },
        ] {
            let mut body = BytesMut::new();
            encode_answer(&answer, &mut body).unwrap();
            let body = body.freeze();
            assert!(check_response(<InspectCompaction as PrivateRequest>::KEY, 0, &body).is_ok());
            assert_eq!(decode_answer(&body), Ok(answer));
        }
        for topics in [None, Some(vec![]), Some(vec!["a".into(), "b".into()])] {
            let request = InspectCompaction { topics };
            let mut body = BytesMut::new();
            request.encode(0, &mut body).unwrap();
            let body = body.freeze();
            assert!(check_request(<InspectCompaction as PrivateRequest>::KEY, 0, &body).is_ok());
            assert_eq!(InspectCompaction::decode(0, &body), Ok(request));
        }
        assert_eq!(InspectCompaction::default().encode(1, &mut BytesMut::new()), Err(Unencodable::Version));
    }
}
