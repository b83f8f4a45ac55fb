//! InspectCompaction: why logs are compacted, or are not.

use bytes::{Bytes, BytesMut};
use kafka_protocol::protocol::StrBytes;

use super::PrivateRequest;
use crate::message::{check_encodable, check_version};
use crate::reader::Reader;
use crate::writer::Writer;
use crate::{Malformed, Unencodable};

/// Asks how far partitions are compacted and what keeps them from it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InspectCompaction {
    /// The topics; nothing for all that are compacted.
    pub topics: Option<Vec<StrBytes>>,
}

impl PrivateRequest for InspectCompaction {
    const KEY: i16 = 0x5000;

    fn encode(&self, version: i16, buffer: &mut BytesMut) -> Result<(), Unencodable> {
        check_encodable(version, 0, 0)?;
        let mut writer = Writer::new(buffer, true);
        writer.nullable_elements(self.topics.as_deref(), |writer, topic| writer.string(topic));
        writer.no_tagged_fields();
        writer.finish()
    }

    fn decode(version: i16, body: &Bytes) -> Result<Self, Malformed> {
        check_version(version, 0, 0)?;
        Reader::read(body, true, |reader| {
            let topics = reader.nullable_elements(1, Reader::string)?;
            reader.skip_tagged_fields()?;
            Ok(Self { topics })
        })
    }
}
