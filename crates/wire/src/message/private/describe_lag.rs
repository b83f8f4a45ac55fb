//! DescribeLag: groups, and how far they are behind.

use kafka_protocol::protocol::StrBytes;

use super::Fields;
use crate::Reason;
use crate::reader::Reader;
use crate::writer::Writer;

/// Asks how far groups are behind.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DescribeLag {
    /// The groups; nothing for all.
    pub groups: Option<Vec<StrBytes>>,
    /// Whether members and partitions are left out of the answer.
    pub summary: bool,
}

impl Fields for DescribeLag {
    const KEY: i16 = 0x5010;

    fn write(&self, writer: &mut Writer<'_>) {
        writer.nullable_elements(self.groups.as_deref(), |writer, group| writer.string(group));
        writer.boolean(self.summary);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, Reason> {
        let groups = reader.nullable_elements(1, Reader::string)?;
        let summary = reader.boolean()?;
        Ok(Self { groups, summary })
    }
}
