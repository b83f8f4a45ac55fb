//! DescribeLag: groups, and how far they are behind.

use bytes::{Bytes, BytesMut};
use kafka_protocol::protocol::StrBytes;

use super::PrivateRequest;
use crate::message::{check_encodable, check_version};
use crate::reader::Reader;
use crate::writer::Writer;
use crate::{Malformed, Unencodable};

/// Asks how far groups are behind.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DescribeLag {
    /// The groups; nothing for all.
    pub groups: Option<Vec<StrBytes>>,
    /// Whether members and partitions are left out of the answer.
    pub summary: bool,
}

impl PrivateRequest for DescribeLag {
    const KEY: i16 = 0x5010;

    fn encode(&self, version: i16, buffer: &mut BytesMut) -> Result<(), Unencodable> {
        check_encodable(version, 0, 0)?;
        let mut writer = Writer::new(buffer, true);
        writer.nullable_elements(self.groups.as_deref(), |writer, group| writer.string(group));
        writer.boolean(self.summary);
        writer.no_tagged_fields();
        writer.finish()
    }

    fn decode(version: i16, body: &Bytes) -> Result<Self, Malformed> {
        check_version(version, 0, 0)?;
        Reader::read(body, true, |reader| {
            let groups = reader.nullable_elements(1, Reader::string)?;
            let summary = reader.boolean()?;
            reader.skip_tagged_fields()?;
            Ok(Self { groups, summary })
        })
    }
}
