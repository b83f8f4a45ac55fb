//! Request headers.

use std::fmt;

use bytes::Bytes;
use kafka_protocol::protocol::StrBytes;

use crate::reader::Reader;
use crate::{API_VERSIONS, Malformed, Reason, schema};

/// Who asks for what: the fields of a request header of version 1 or 2.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestHeader {
    /// The API.
    pub api_key: i16,
    /// The version of the API; not yet checked against what exists.
    pub version: i16,
    /// Returned in the response as it came.
    pub correlation_id: i32,
    /// The name that the client gave itself. A slice of the frame: copy it before keeping it.
    pub client_id: Option<StrBytes>,
}

/// A frame whose header cannot be read. Kafka closes the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeaderError {
    /// No such API, so that the form of the header is not known.
    UnknownApi {
        /// The API that was asked for.
        api_key: i16,
        /// The version of it.
        version: i16,
        /// The correlation id of the request.
        correlation_id: i32,
    },
    /// The header does not follow its schema.
    Malformed(Malformed),
}

impl fmt::Display for HeaderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownApi { api_key, version, .. } => {
                write!(f, "unknown API {api_key} (version {version})")
            }
            Self::Malformed(malformed) => write!(f, "request header: {malformed}"),
        }
    }
}

impl std::error::Error for HeaderError {}

impl From<Malformed> for HeaderError {
    fn from(malformed: Malformed) -> Self {
        Self::Malformed(malformed)
    }
}

/// Reads the header of a request and leaves `frame` at the first byte of the body.
///
/// Any version of a known API is accepted, so that the caller can say which version was refused. An ApiVersions
/// request of a version that does not exist may have a header of a form that does not exist yet either; what is
/// read of it is then its fixed part, which never changes, and the client id when it can be found.
///
/// # Errors
/// [`HeaderError`] when the API is unknown or the header is malformed.
pub fn parse_header(frame: &mut Bytes) -> Result<RequestHeader, HeaderError> {
    // The client id has no compact form even in header version 2, or old brokers could not read the header of
    // an ApiVersions request (KIP-511).
    let mut reader = Reader::new(frame, false);
    let mut fixed = || Ok((reader.int16()?, reader.int16()?, reader.int32()?));
    let (api_key, version, correlation_id) =
        fixed().map_err(|reason| Malformed::new(reason, reader.position()))?;
    let Some(flexible_from) = schema::flexible_from(api_key) else {
        return Err(HeaderError::UnknownApi { api_key, version, correlation_id });
    };
    let rest = read_rest(&mut reader, version >= flexible_from);
    let header = |client_id| RequestHeader { api_key, version, correlation_id, client_id };
    match rest {
        Ok(client_id) => {
            let body = reader.position();
            let _ = frame.split_to(body);
            Ok(header(client_id))
        }
        Err(_) if api_key == API_VERSIONS && !schema::has_version(api_key, version) => {
            frame.clear();
            Ok(header(None))
        }
        Err(reason) => Err(Malformed::new(reason, reader.position()).into()),
    }
}

fn read_rest(reader: &mut Reader<'_>, flexible: bool) -> Result<Option<StrBytes>, Reason> {
    let client_id = reader.nullable_string()?;
    if flexible {
        reader.set_flexible();
        reader.skip_tagged_fields()?;
    }
    Ok(client_id)
}

/// The version of the response header: 1 for flexible versions, 0 for others, and always 0 for ApiVersions,
/// since its client does not know yet what the broker speaks.
#[must_use]
pub fn response_header_version(api_key: i16, version: i16) -> i16 {
    let flexible = schema::flexible_from(api_key).is_some_and(|from| version >= from);
    i16::from(flexible && api_key != API_VERSIONS)
}
