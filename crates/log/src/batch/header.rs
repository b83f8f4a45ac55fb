//! The 61 bytes in front of a batch's records.

use ottla_model::{LeaderEpoch, Offset, ProducerEpoch, ProducerId};

/// Bytes of a batch's header (`DefaultRecordBatch.RECORD_BATCH_OVERHEAD`).
pub const HEADER_BYTES: usize = 61;
/// Bytes in front of those that the header's length counts: base offset and length (`Records.LOG_OVERHEAD`).
pub const LOG_OVERHEAD_BYTES: usize = 12;
/// Where the bytes begin that the CRC covers; those before it can be stamped without computing it again.
pub(crate) const CRC_COVERS_FROM: usize = 21;

const COMPRESSION_MASK: i16 = 0x07;
const LOG_APPEND_TIME_FLAG: i16 = 0x08;
const TRANSACTIONAL_FLAG: i16 = 0x10;
const CONTROL_FLAG: i16 = 0x20;
const DELETE_HORIZON_FLAG: i16 = 0x40;

/// What a timestamp means (`message.timestamp.type`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TimestampType {
    /// The producer's clock.
    #[default]
    CreateTime,
    /// The broker's clock at the append.
    LogAppendTime,
}

/// Codec of a batch's records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Compression {
    /// Plain records.
    #[default]
    None,
    /// RFC 1952.
    Gzip,
    /// Snappy, in xerial's framing or raw.
    Snappy,
    /// The LZ4 frame format.
    Lz4,
    /// RFC 8878 (KIP-110).
    Zstd,
}

impl Compression {
    /// The codec that a number stands for (`CompressionType.forId`); `None` for a number that stands for none.
    #[must_use]
    pub fn from_id(id: i16) -> Option<Self> {
        Some(match id {
            0 => Self::None,
            1 => Self::Gzip,
            2 => Self::Snappy,
            3 => Self::Lz4,
            4 => Self::Zstd,
            _ => return None,
        })
    }

    /// What stands for it in a batch's attributes.
    pub(crate) fn bits(self) -> i16 {
        match self {
            Self::None => 0,
            Self::Gzip => 1,
            Self::Snappy => 2,
            Self::Lz4 => 3,
            Self::Zstd => 4,
        }
    }
}

/// The header of a batch, field by field in the order of its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchHeader {
    /// Offset of the first record; 0 in a Produce request.
    pub base_offset: Offset,
    /// Bytes that follow this field.
    pub batch_length: i32,
    /// Leader epoch in which the batch was appended; -1 in a Produce request.
    pub partition_leader_epoch: LeaderEpoch,
    /// Version of the format, 2.
    pub magic: i8,
    /// CRC-32C of everything after this field.
    pub crc: u32,
    /// Codec, timestamp type and flags.
    pub attributes: i16,
    /// Offset of the last record, less the base offset. Compaction keeps it when it removes that record.
    pub last_offset_delta: i32,
    /// What the records' timestamps count from; the delete horizon when [`BatchHeader::has_delete_horizon`].
    pub base_timestamp: i64,
    /// Largest timestamp of the records; the time of the append under [`TimestampType::LogAppendTime`].
    pub max_timestamp: i64,
    /// Id of the idempotent producer, or -1.
    pub producer_id: ProducerId,
    /// Epoch of the producer, or -1.
    pub producer_epoch: ProducerEpoch,
    /// Sequence number of the first record, or -1.
    pub base_sequence: i32,
    /// How many records there are.
    pub record_count: i32,
}

/// The `N` bytes at `at`; zeros when they are not there, which no caller asks for.
fn field<const N: usize>(bytes: &[u8; HEADER_BYTES], at: usize) -> [u8; N] {
    bytes.get(at..).and_then(|rest| rest.first_chunk()).copied().unwrap_or([0; N])
}

impl BatchHeader {
    /// Reads the header at the front of `bytes`, without judging it. `None` when they are too few.
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; HEADER_BYTES] = bytes.first_chunk()?;
        Some(Self {
            base_offset: i64::from_be_bytes(field(bytes, 0)),
            batch_length: i32::from_be_bytes(field(bytes, 8)),
            partition_leader_epoch: i32::from_be_bytes(field(bytes, 12)),
            magic: i8::from_be_bytes(field(bytes, 16)),
            crc: u32::from_be_bytes(field(bytes, 17)),
            attributes: i16::from_be_bytes(field(bytes, 21)),
            last_offset_delta: i32::from_be_bytes(field(bytes, 23)),
            base_timestamp: i64::from_be_bytes(field(bytes, 27)),
            max_timestamp: i64::from_be_bytes(field(bytes, 35)),
            producer_id: i64::from_be_bytes(field(bytes, 43)),
            producer_epoch: i16::from_be_bytes(field(bytes, 51)),
            base_sequence: i32::from_be_bytes(field(bytes, 53)),
            record_count: i32::from_be_bytes(field(bytes, 57)),
        })
    }

    /// The header's bytes.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; HEADER_BYTES] {
        let mut bytes = [0; HEADER_BYTES];
        let mut rest = &mut bytes[..];
        let fields: [&[u8]; 13] = [
            &self.base_offset.to_be_bytes(),
            &self.batch_length.to_be_bytes(),
            &self.partition_leader_epoch.to_be_bytes(),
            &self.magic.to_be_bytes(),
            &self.crc.to_be_bytes(),
            &self.attributes.to_be_bytes(),
            &self.last_offset_delta.to_be_bytes(),
            &self.base_timestamp.to_be_bytes(),
            &self.max_timestamp.to_be_bytes(),
            &self.producer_id.to_be_bytes(),
            &self.producer_epoch.to_be_bytes(),
            &self.base_sequence.to_be_bytes(),
            &self.record_count.to_be_bytes(),
        ];
        for field in fields {
            // The fields' lengths add up to the array's, which `header_round_trips` below proves.
            let Some((place, after)) = rest.split_at_mut_checked(field.len()) else { break };
            place.copy_from_slice(field);
            rest = after;
        }
        bytes
    }

    /// True when the checksum is that of this header and that body.
    #[must_use]
    pub fn is_intact(&self, body: &[u8]) -> bool {
        self.computed_crc(body) == self.crc
    }

    /// CRC-32C of a batch with this header and that body.
    pub(crate) fn computed_crc(&self, body: &[u8]) -> u32 {
        let header = self.to_bytes();
        let covered = header.get(CRC_COVERS_FROM..).unwrap_or_default();
        crc32c::crc32c_append(crc32c::crc32c(covered), body)
    }

    /// Offset of the last record. Saturates, so that a lying header cannot wrap.
    #[must_use]
    pub fn last_offset(&self) -> Offset {
        self.base_offset.saturating_add(i64::from(self.last_offset_delta))
    }

    /// Sequence number of the last record, or -1 without one; sequences wrap from 2^31-1 to 0.
    #[must_use]
    pub fn last_sequence(&self) -> i32 {
        if self.base_sequence < 0 {
            return -1;
        }
        let last = (i64::from(self.base_sequence) + i64::from(self.last_offset_delta)) & i64::from(i32::MAX);
        i32::try_from(last).unwrap_or(-1)
    }

    /// Bytes of the whole batch; `None` when the length is less than a header's.
    #[must_use]
    pub fn size_in_bytes(&self) -> Option<usize> {
        let size = usize::try_from(self.batch_length).ok()?.checked_add(LOG_OVERHEAD_BYTES)?;
        (size >= HEADER_BYTES).then_some(size)
    }

    /// The codec, or `None` when the number stands for none that Kafka knows.
    #[must_use]
    pub fn compression(&self) -> Option<Compression> {
        Compression::from_id(self.attributes & COMPRESSION_MASK)
    }

    /// What the batch's timestamps mean.
    #[must_use]
    pub fn timestamp_type(&self) -> TimestampType {
        match self.attributes & LOG_APPEND_TIME_FLAG {
            0 => TimestampType::CreateTime,
            _ => TimestampType::LogAppendTime,
        }
    }

    /// Sets the codec; the CRC has to be computed again.
    pub(super) fn set_compression(&mut self, compression: Compression) {
        let code: i16 = match compression {
            Compression::None => 0,
            Compression::Gzip => 1,
            Compression::Snappy => 2,
            Compression::Lz4 => 3,
            Compression::Zstd => 4,
        };
        self.attributes = self.attributes & !COMPRESSION_MASK | code;
    }

    /// Sets the flag that [`BatchHeader::timestamp_type`] reads.
    pub(crate) fn set_timestamp_type(&mut self, timestamp_type: TimestampType) {
        match timestamp_type {
            TimestampType::CreateTime => self.attributes &= !LOG_APPEND_TIME_FLAG,
            TimestampType::LogAppendTime => self.attributes |= LOG_APPEND_TIME_FLAG,
        }
    }

    /// True when the batch belongs to a transaction.
    #[must_use]
    pub fn is_transactional(&self) -> bool {
        self.attributes & TRANSACTIONAL_FLAG != 0
    }

    /// True when the batch holds control records, which consumers do not see.
    #[must_use]
    pub fn is_control(&self) -> bool {
        self.attributes & CONTROL_FLAG != 0
    }

    /// True when the base timestamp is the time at which tombstones may go (KIP-534).
    #[must_use]
    pub fn has_delete_horizon(&self) -> bool {
        self.attributes & DELETE_HORIZON_FLAG != 0
    }

    /// The batch as compaction leaves it when none of its records stay: what follows is the place of its offsets
    /// and of its producer's sequence numbers (`DefaultRecordBatch.writeEmptyHeader`).
    pub(crate) fn emptied(&self) -> Self {
        let mut empty = Self {
            batch_length: i32::try_from(HEADER_BYTES - LOG_OVERHEAD_BYTES).unwrap_or_default(),
            attributes: self.attributes & (LOG_APPEND_TIME_FLAG | TRANSACTIONAL_FLAG | CONTROL_FLAG),
            base_timestamp: ottla_model::NONE,
            record_count: 0,
            ..*self
        };
        empty.crc = empty.computed_crc(&[]);
        empty
    }

    /// Sets what timestamps of records count from, and whether it is the time at which tombstones may go.
    pub(crate) fn set_base_timestamp(&mut self, base_timestamp: i64, is_delete_horizon: bool) {
        self.base_timestamp = base_timestamp;
        self.attributes &= !DELETE_HORIZON_FLAG;
        if is_delete_horizon {
            self.attributes |= DELETE_HORIZON_FLAG;
        }
    }

    /// The largest timestamp of the records that are there: -1 of a batch that compaction has emptied, whose
    /// header keeps the time of its producer.
    pub(crate) fn largest_timestamp(&self) -> i64 {
        if self.record_count == 0 { ottla_model::NONE } else { self.max_timestamp }
    }

    /// True when an idempotent producer wrote the batch.
    #[must_use]
    pub fn has_producer_id(&self) -> bool {
        self.producer_id > ottla_model::NONE
    }

    /// The attributes of a batch that this broker makes.
    pub(crate) fn attributes(transactional: bool, control: bool) -> i16 {
        (if transactional { TRANSACTIONAL_FLAG } else { 0 }) | (if control { CONTROL_FLAG } else { 0 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header() -> BatchHeader {
        BatchHeader {
            base_offset: 0x0102_0304_0506_0708,
            batch_length: 0x1112_1314,
            partition_leader_epoch: 0x2122_2324,
            magic: 2,
            crc: 0x3132_3334,
            attributes: 0x4142,
            last_offset_delta: 0x5152_5354,
            base_timestamp: 0x6162_6364_6566_6768,
            max_timestamp: 0x7172_7374_7576_7778,
            producer_id: 0x0807_0605_0403_0201,
            producer_epoch: 0x1817,
            base_sequence: 0x2827_2625,
            record_count: 0x3837_3635,
        }
    }

    #[test]
    fn header_round_trips() {
        let bytes = header().to_bytes();
        assert!(bytes.iter().all(|&byte| byte != 0), "every byte belongs to a field");
        assert_eq!(BatchHeader::parse(&bytes), Some(header()));
        assert_eq!(BatchHeader::parse(&bytes[..60]), None);
    }

    #[test]
    fn flags() {
        let with = |attributes| BatchHeader { attributes, ..header() };
        assert_eq!(with(4).compression(), Some(Compression::Zstd));
        assert_eq!(with(5).compression(), None);
        assert_eq!(with(8).timestamp_type(), TimestampType::LogAppendTime);
        assert!(with(0x10).is_transactional() && !with(0x0f).is_transactional());
        assert!(with(0x20).is_control() && with(0x40).has_delete_horizon());
    }

    #[test]
    fn sequences_wrap_and_lies_saturate() {
        let with =
            |base_sequence, last_offset_delta| BatchHeader { base_sequence, last_offset_delta, ..header() };
        assert_eq!(with(5, 3).last_sequence(), 8);
        assert_eq!(with(i32::MAX, 1).last_sequence(), 0);
        assert_eq!(with(i32::MAX - 1, 5).last_sequence(), 3);
        assert_eq!(with(-1, 5).last_sequence(), -1);
        let far = BatchHeader { base_offset: i64::MAX, last_offset_delta: 7, ..header() };
        assert_eq!(far.last_offset(), i64::MAX);
        assert_eq!(BatchHeader { batch_length: 48, ..header() }.size_in_bytes(), None);
        assert_eq!(BatchHeader { batch_length: 49, ..header() }.size_in_bytes(), Some(61));
        assert_eq!(BatchHeader { batch_length: -1, ..header() }.size_in_bytes(), None);
    }
}
