//! Records of consumer groups of the new protocol (KIP-848): key types 3 to 8 and 16 of `__consumer_offsets`.
//!
//! Kafka 4.3.1 reads and writes version 0 of every value; each is flexible, so later releases add tagged fields, which
//! are passed over. What Kafka keeps in hash maps it writes in their order. Here the order is that of the vectors;
//! nobody who reads the records may depend on it.

mod assignment;
mod group;
mod key;
mod member;
mod regular_expression;
#[cfg(test)]
mod tests;

pub use assignment::{
    AssignedPartitions, ConsumerGroupCurrentMemberAssignmentValue, ConsumerGroupTargetAssignmentMemberValue,
    ConsumerGroupTargetAssignmentMetadataValue,
};
pub use group::{
    ConsumerGroupMetadataValue, ConsumerGroupPartitionMetadataValue, PartitionRacks, SubscribedTopicMetadata,
};
pub use key::ConsumerGroupKey;
pub use member::{ClassicMemberMetadata, ClassicProtocol, ConsumerGroupMemberMetadataValue};
pub use regular_expression::ConsumerGroupRegularExpressionValue;

use super::{DecodeError, EncodeError, Reader, Writer};

/// The only version of every value here.
const VERSION: i16 = 0;

/// A reader of the fields of a value, behind its version.
fn value_reader(bytes: &[u8]) -> Result<Reader<'_>, DecodeError> {
    let mut reader = Reader::new(bytes);
    match reader.i16()? {
        VERSION => Ok(reader),
        version => Err(DecodeError::UnknownVersion(version)),
    }
}

/// A writer that has written the version.
fn value_writer() -> Writer {
    let mut writer = Writer::new();
    writer.i16(VERSION);
    writer
}

/// Reads an array in the flexible encoding. `element_bytes_min` is the size of the smallest element.
fn read_array<'a, T>(
    reader: &mut Reader<'a>,
    element_bytes_min: usize,
    mut element: impl FnMut(&mut Reader<'a>) -> Result<T, DecodeError>,
) -> Result<Vec<T>, DecodeError> {
    let count = reader.compact_count(element_bytes_min)?;
    let mut elements = Vec::with_capacity(count);
    for _ in 0..count {
        elements.push(element(reader)?);
    }
    Ok(elements)
}

/// Writes an array in the flexible encoding.
fn write_array<T>(writer: &mut Writer, elements: &[T], mut element: impl FnMut(&mut Writer, &T)) {
    writer.compact_count(elements.len());
    for each in elements {
        element(writer, each);
    }
}

/// Writes the end of a structure with one tagged field, of tag 0.
fn tagged_field(writer: &mut Writer, field: impl FnOnce(&mut Writer)) -> Result<(), EncodeError> {
    let mut bytes = Writer::new();
    field(&mut bytes);
    writer.tagged_fields(&[(0, &bytes.finish()?)]);
    Ok(())
}
