//! GroupHistory, GroupOffsetsAt, GroupDiff, GroupUndo and GroupWhy: what happened to a group and to its committed
//! offsets.

use kafka_protocol::protocol::StrBytes;

use super::Fields;
use crate::Reason;
use crate::reader::Reader;
use crate::writer::Writer;

/// "Since ever", in the field of a time.
const NO_TIME: i64 = i64::MIN;

/// Asks for the changes of a group's offsets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupHistory {
    /// The group.
    pub group: StrBytes,
    /// The topic, or nothing for all.
    pub topic: Option<StrBytes>,
    /// Since when, in milliseconds since 1970; nothing for all that there are.
    pub since_ms: Option<i64>,
}

impl Fields for GroupHistory {
    const KEY: i16 = 0x5020;

    fn write(&self, writer: &mut Writer<'_>) {
        writer.string(&self.group);
        writer.nullable_string(self.topic.as_deref());
        writer.int64(self.since_ms.unwrap_or(NO_TIME));
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, Reason> {
        let group = reader.string()?;
        let topic = reader.nullable_string()?;
        let since_ms = Some(reader.int64()?).filter(|since_ms| *since_ms != NO_TIME);
        Ok(Self { group, topic, since_ms })
    }
}

/// Asks what was committed for a group at a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupOffsetsAt {
    /// The group.
    pub group: StrBytes,
    /// The time, in milliseconds since 1970.
    pub at_ms: i64,
}

impl Fields for GroupOffsetsAt {
    const KEY: i16 = 0x5021;

    fn write(&self, writer: &mut Writer<'_>) {
        writer.string(&self.group);
        writer.int64(self.at_ms);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, Reason> {
        let (group, at_ms) = (reader.string()?, reader.int64()?);
        Ok(Self { group, at_ms })
    }
}

/// Asks what differs between what was committed for a group at two times.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupDiff {
    /// The group.
    pub group: StrBytes,
    /// The first time, in milliseconds since 1970.
    pub from_ms: i64,
    /// The second time.
    pub to_ms: i64,
}

impl Fields for GroupDiff {
    const KEY: i16 = 0x5022;

    fn write(&self, writer: &mut Writer<'_>) {
        writer.string(&self.group);
        writer.int64(self.from_ms);
        writer.int64(self.to_ms);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, Reason> {
        let (group, from_ms, to_ms) = (reader.string()?, reader.int64()?, reader.int64()?);
        Ok(Self { group, from_ms, to_ms })
    }
}

/// Takes the last administrative change of a group's offsets back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupUndo {
    /// The group.
    pub group: StrBytes,
    /// True to be told only what would be taken back.
    pub dry_run: bool,
}

impl Fields for GroupUndo {
    const KEY: i16 = 0x5023;

    fn write(&self, writer: &mut Writer<'_>) {
        writer.string(&self.group);
        writer.boolean(self.dry_run);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, Reason> {
        let (group, dry_run) = (reader.string()?, reader.boolean()?);
        Ok(Self { group, dry_run })
    }
}

/// Asks what happened in a group lately.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupWhy {
    /// The group.
    pub group: StrBytes,
}

impl Fields for GroupWhy {
    const KEY: i16 = 0x5024;

    fn write(&self, writer: &mut Writer<'_>) {
        writer.string(&self.group);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, Reason> {
        let group = reader.string()?;
        Ok(Self { group })
    }
}
