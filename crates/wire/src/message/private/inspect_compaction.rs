//! InspectCompaction: why logs are compacted, or are not.

use kafka_protocol::protocol::StrBytes;

use super::Fields;
use crate::Reason;
use crate::reader::Reader;
use crate::writer::Writer;

/// Asks how far partitions are compacted and what keeps them from it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InspectCompaction {
    /// The topics; nothing for all that are compacted.
    pub topics: Option<Vec<StrBytes>>,
}

impl Fields for InspectCompaction {
    const KEY: i16 = 0x5000;

    fn write(&self, writer: &mut Writer<'_>) {
        writer.nullable_elements(self.topics.as_deref(), |writer, topic| writer.string(topic));
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, Reason> {
        let topics = reader.nullable_elements(1, Reader::string)?;
        Ok(Self { topics })
    }
}
