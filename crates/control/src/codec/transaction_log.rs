//! Records of `__transaction_state` (`TransactionLogKey`, `TransactionLogValue`, versions 0 and 1).

use bytes::Bytes;
use ottla_model::{NONE, PartitionIndex, ProducerEpoch, ProducerId};

use super::{DecodeError, EncodeError, Reader, Writer};

/// The key of a record of `__transaction_state`, borrowed from its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransactionLogKey<'a> {
    /// Type 0: the state of a transactional id.
    TransactionalId(&'a str),
    /// Any other type, of a later release.
    Unknown {
        /// The type's number.
        key_type: i16,
    },
}

/// The only type that there is (`CoordinatorRecordType.TRANSACTION_LOG`).
const TRANSACTION_LOG: i16 = 0;

impl<'a> TransactionLogKey<'a> {
    /// Reads a key. Bytes after it are passed over, as in Kafka.
    ///
    /// # Errors
    /// [`DecodeError`] when the bytes are malformed; an unknown type is none.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        match reader.i16()? {
            TRANSACTION_LOG => Ok(Self::TransactionalId(reader.string()?)),
            key_type => Ok(Self::Unknown { key_type }),
        }
    }

    /// The key of a transactional id.
    ///
    /// # Errors
    /// [`EncodeError`] when the id is longer than 32767 bytes.
    pub fn encode(transactional_id: &str) -> Result<Bytes, EncodeError> {
        let mut writer = Writer::new();
        writer.i16(TRANSACTION_LOG);
        writer.string(transactional_id);
        writer.finish()
    }
}

/// The state of a transactional id as its record holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransactionLogValue<'a> {
    /// The producer id in use.
    pub producer_id: ProducerId,
    /// The producer id of the state before this one, or -1 (always in version 0).
    pub previous_producer_id: ProducerId,
    /// The producer id that the transactional id has when this transaction is complete, or -1 for the one in use
    /// (always in version 0).
    pub next_producer_id: ProducerId,
    /// The epoch of the producer id.
    pub producer_epoch: ProducerEpoch,
    /// How long a transaction may be open, in milliseconds.
    pub timeout_ms: i32,
    /// The number of the state (`TransactionState.id`).
    pub status: i8,
    /// Partitions of the transaction, a topic at a time; `None` in the state Empty.
    pub partitions: Option<Vec<(&'a str, Vec<PartitionIndex>)>>,
    /// When the state was last changed, in milliseconds since the Unix epoch.
    pub last_update_timestamp_ms: i64,
    /// When the transaction began, in milliseconds since the Unix epoch, or -1.
    pub start_timestamp_ms: i64,
    /// The transaction version of the client that brought about this state (KIP-890); 0 in version 0.
    pub client_transaction_version: i16,
}

const VERSION_MAX: i16 = 1;
const TAG_PREVIOUS_PRODUCER_ID: u32 = 0;
const TAG_NEXT_PRODUCER_ID: u32 = 1;
const TAG_CLIENT_TRANSACTION_VERSION: u32 = 2;
/// A topic with nothing but empty fields: a text and an array.
const TOPIC_BYTES_MIN: usize = 2 + 4;
/// The same in the flexible version: two lengths and no tagged fields.
const TOPIC_BYTES_MIN_FLEXIBLE: usize = 1 + 1 + 1;

impl<'a> TransactionLogValue<'a> {
    /// Reads a value of any version. Bytes after it are passed over, as in Kafka.
    ///
    /// # Errors
    /// [`DecodeError`] when the bytes are malformed or the version is unknown.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        let version = reader.i16()?;
        if !(0..=VERSION_MAX).contains(&version) {
            return Err(DecodeError::UnknownVersion(version));
        }
        let flexible = version >= 1;
        let mut value = Self {
            producer_id: reader.i64()?,
            previous_producer_id: NONE,
            next_producer_id: NONE,
            producer_epoch: reader.i16()?,
            timeout_ms: reader.i32()?,
            status: reader.i8()?,
            partitions: partitions(&mut reader, flexible)?,
            last_update_timestamp_ms: reader.i64()?,
            start_timestamp_ms: reader.i64()?,
            client_transaction_version: 0,
        };
        if flexible {
            reader.tagged_fields(|tag, field| {
                match tag {
                    TAG_PREVIOUS_PRODUCER_ID => value.previous_producer_id = field.i64()?,
                    TAG_NEXT_PRODUCER_ID => value.next_producer_id = field.i64()?,
                    TAG_CLIENT_TRANSACTION_VERSION => value.client_transaction_version = field.i16()?,
                    _ => {}
                }
                Ok(())
            })?;
        }
        Ok(value)
    }

    /// Writes the value in the version that Kafka 4.3.1 chooses for a cluster of that `transaction.version`: 0 for
    /// 0, else 1 (`TransactionLog.valueToBytes`). Version 0 has no room for the tagged fields.
    ///
    /// # Errors
    /// [`EncodeError`] when there are more partitions than an array can count.
    pub fn encode(&self, transaction_version: i16) -> Result<Bytes, EncodeError> {
        let flexible = transaction_version >= 1;
        let mut writer = Writer::new();
        writer.i16(i16::from(flexible));
        writer.i64(self.producer_id);
        writer.i16(self.producer_epoch);
        writer.i32(self.timeout_ms);
        writer.i8(self.status);
        write_partitions(&mut writer, flexible, self.partitions.as_deref());
        writer.i64(self.last_update_timestamp_ms);
        writer.i64(self.start_timestamp_ms);
        if flexible {
            self.write_tags(&mut writer);
        }
        writer.finish()
    }

    /// Fields that have their default are left out.
    fn write_tags(&self, writer: &mut Writer) {
        let previous = self.previous_producer_id.to_be_bytes();
        let next = self.next_producer_id.to_be_bytes();
        let version = self.client_transaction_version.to_be_bytes();
        let mut fields: Vec<(u32, &[u8])> = Vec::with_capacity(3);
        if self.previous_producer_id != NONE {
            fields.push((TAG_PREVIOUS_PRODUCER_ID, &previous));
        }
        if self.next_producer_id != NONE {
            fields.push((TAG_NEXT_PRODUCER_ID, &next));
        }
        if self.client_transaction_version != 0 {
            fields.push((TAG_CLIENT_TRANSACTION_VERSION, &version));
        }
        writer.tagged_fields(&fields);
    }
}

type Topics<'a> = Vec<(&'a str, Vec<PartitionIndex>)>;

fn partitions<'a>(reader: &mut Reader<'a>, flexible: bool) -> Result<Option<Topics<'a>>, DecodeError> {
    let count = if flexible {
        reader.compact_nullable_count(TOPIC_BYTES_MIN_FLEXIBLE)?
    } else {
        reader.nullable_count(TOPIC_BYTES_MIN)?
    };
    let Some(count) = count else { return Ok(None) };
    let mut topics = Vec::with_capacity(count);
    for _ in 0..count {
        let topic = if flexible { reader.compact_string()? } else { reader.string()? };
        let indexes = if flexible { reader.compact_count(4)? } else { reader.count(4)? };
        let indexes = (0..indexes).map(|_| reader.i32()).collect::<Result<Vec<_>, _>>()?;
        if flexible {
            reader.skip_tagged_fields()?;
        }
        topics.push((topic, indexes));
    }
    Ok(Some(topics))
}

fn write_partitions(writer: &mut Writer, flexible: bool, topics: Option<&[(&str, Vec<PartitionIndex>)]>) {
    let Some(topics) = topics else {
        return if flexible { writer.unsigned_varint(0) } else { writer.i32(-1) };
    };
    if flexible {
        writer.compact_count(topics.len());
    } else {
        writer.count(topics.len());
    }
    for (topic, indexes) in topics {
        if flexible {
            writer.compact_string(topic);
            writer.compact_count(indexes.len());
        } else {
            writer.string(topic);
            writer.count(indexes.len());
        }
        indexes.iter().for_each(|index| writer.i32(*index));
        if flexible {
            writer.no_tagged_fields();
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::codec::tests::{bytes, hex};

    /// `TransactionLog.keyToBytes` and `valueToBytes` of Apache Kafka 4.3.1: the states Empty, PrepareCommit and
    /// CompleteAbort, each for a cluster of transaction version 0 and 2 (1 gives the bytes of 2). Kafka's order of
    /// topics and partitions is that of a hash table; here they are in their own order.
    const KEY: &str = "00000004742dc3a9";
    const EMPTY: [&str; 2] = [
        "00000000000000000fa07fff0000ea6000ffffffff0000018bcfe5687bffffffffffffffff",
        "00010000000000000fa07fff0000ea6000000000018bcfe5687bffffffffffffffff0100080000000000000fa0",
    ];
    const PREPARE_COMMIT: [&str; 2] = [
        "00000000000000000fa07fff0000ea600200000002000161000000010000000300066f72646572730000000200000000000000070000\
         018bcfe5687b0000018bcfe56800",
        "00010000000000000fa07fff0000ea6002030261020000000300076f7264657273030000000000000007000000018bcfe5687b0000\
         018bcfe568000300080000000000000fa00108000000000000138802020002",
    ];
    const COMPLETE_ABORT: [&str; 2] = [
        "00000000000000000fa000000000ea6005000000000000018bcfe5687b0000018bcfe56800",
        "00010000000000000fa000000000ea6005010000018bcfe5687b0000018bcfe568000200080000000000000f9f02020002",
    ];
    /// With tags 0 and 3 of Kafka's schema, of which 3 is never written, and an unknown tagged field 9.
    const UNKNOWN_TAGS: &str = "0001000000000000000100020000000101010000000000000000000000000000000003000800000000\
                                00000001030200050903010203";

    fn empty() -> TransactionLogValue<'static> {
        TransactionLogValue {
            producer_id: 4000,
            previous_producer_id: 4000,
            next_producer_id: -1,
            producer_epoch: 32767,
            timeout_ms: 60_000,
            status: 0,
            partitions: None,
            last_update_timestamp_ms: 1_700_000_000_123,
            start_timestamp_ms: -1,
            client_transaction_version: 0,
        }
    }

    fn without_tags(value: TransactionLogValue<'_>) -> TransactionLogValue<'_> {
        let none = NONE;
        TransactionLogValue {
            previous_producer_id: none,
            next_producer_id: none,
            client_transaction_version: 0,
            ..value
        }
    }

    #[test]
    fn keys() {
        assert_eq!(TransactionLogKey::decode(&bytes(KEY)), Ok(TransactionLogKey::TransactionalId("t-é")));
        assert_eq!(hex(&TransactionLogKey::encode("t-é").unwrap()), KEY);
        assert_eq!(TransactionLogKey::decode(&[0, 1, 2]), Ok(TransactionLogKey::Unknown { key_type: 1 }));
        assert!(TransactionLogKey::decode(&bytes(KEY)[..7]).is_err());
        assert!(TransactionLogKey::encode(&"x".repeat(32_768)).is_err());
    }

    #[test]
    fn values_of_every_version() {
        let prepare_commit = TransactionLogValue {
            next_producer_id: 5000,
            status: 2,
            partitions: Some(vec![("a", vec![3]), ("orders", vec![0, 7])]),
            start_timestamp_ms: 1_700_000_000_000,
            client_transaction_version: 2,
            ..empty()
        };
        let complete_abort = TransactionLogValue {
            previous_producer_id: 3999,
            producer_epoch: 0,
            status: 5,
            partitions: Some(Vec::new()),
            start_timestamp_ms: 1_700_000_000_000,
            client_transaction_version: 2,
            ..empty()
        };
        for (value, [old, new]) in
            [(empty(), EMPTY), (prepare_commit, PREPARE_COMMIT), (complete_abort, COMPLETE_ABORT)]
        {
            assert_eq!(TransactionLogValue::decode(&bytes(new)), Ok(value.clone()), "{new}");
            assert_eq!(hex(&value.encode(2).unwrap()), new);
            assert_eq!(hex(&value.encode(1).unwrap()), new);
            assert_eq!(hex(&value.encode(0).unwrap()), old);
            assert_eq!(TransactionLogValue::decode(&bytes(old)), Ok(without_tags(value)), "{old}");
        }
        let unknown = bytes(UNKNOWN_TAGS);
        let unknown = TransactionLogValue::decode(&unknown).unwrap();
        assert_eq!((unknown.previous_producer_id, unknown.next_producer_id), (1, -1));
        assert_eq!(TransactionLogValue::decode(&[0, 2]), Err(DecodeError::UnknownVersion(2)));
    }

    #[test]
    fn a_value_cut_anywhere_is_an_error() {
        for text in EMPTY.iter().chain(&PREPARE_COMMIT).chain(&COMPLETE_ABORT) {
            let whole = bytes(text);
            for length in 0..whole.len() {
                assert!(TransactionLogValue::decode(&whole[..length]).is_err(), "{text} cut at {length}");
            }
        }
    }

    #[test]
    fn a_value_with_any_byte_changed_does_no_harm() {
        for text in EMPTY.iter().chain(&PREPARE_COMMIT).chain(&COMPLETE_ABORT).chain([&UNKNOWN_TAGS, &KEY]) {
            let whole = bytes(text);
            for at in 0..whole.len() {
                for value in 0..=u8::MAX {
                    let mut changed = whole.clone();
                    changed[at] = value;
                    let _ = TransactionLogValue::decode(&changed);
                    let _ = TransactionLogKey::decode(&changed);
                }
            }
        }
    }

    proptest! {
        #[test]
        fn random_bytes_do_no_harm(body in prop::collection::vec(any::<u8>(), 0..200), version in 0u8..3) {
            let mut bytes = vec![0, version];
            bytes.extend(&body);
            let _ = TransactionLogValue::decode(&bytes);
            let _ = TransactionLogKey::decode(&body);
        }
    }
}
