//! Records as they are written, read back, and printed by Kafka's tool.

use bytes::{Bytes, BytesMut};
use kafka_protocol::indexmap::IndexMap;
use kafka_protocol::protocol::StrBytes;
use kafka_protocol::records::{
    Compression, Record, RecordBatchDecoder, RecordBatchEncoder, RecordEncodeOptions, TimestampType,
};

use super::codec::{Codec, decompress};

const FIRST_TIMESTAMP: i64 = 1_700_000_000_000;
const VALUE_CHARS_MAX: i64 = 300;
/// Once in so many records something is special.
const NULL_KEY_ONCE_IN: i64 = 7;
const NULL_VALUE_ONCE_IN: i64 = 11;
const HEADERS_ONCE_IN: i64 = 5;

/// Who writes records so that none is there twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Producer {
    pub(crate) id: i64,
    pub(crate) epoch: i16,
}

/// What a record must be after whatever happened to its log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Plain {
    pub(crate) offset: i64,
    pub(crate) timestamp: i64,
    pub(crate) key: Option<Bytes>,
    pub(crate) value: Option<Bytes>,
    pub(crate) headers: Vec<(String, Option<Bytes>)>,
    /// The sequence number, or -1.
    pub(crate) sequence: i32,
}

impl Plain {
    /// The record that is written at an offset. Timestamps do not only rise.
    pub(crate) fn new(offset: i64, is_idempotent: bool) -> Self {
        let length = usize::try_from(offset * 37 % VALUE_CHARS_MAX).unwrap();
        let key = (offset % NULL_KEY_ONCE_IN != 0).then(|| format!("key-{offset}").into());
        let value = (offset % NULL_VALUE_ONCE_IN != 0)
            .then(|| format!("{offset}:{}", "abc ".repeat(length / 4)).into());
        let headers = match offset % HEADERS_ONCE_IN {
            0 => vec![("trace".to_owned(), Some(format!("t{offset}").into())), ("none".to_owned(), None)],
            _ => Vec::new(),
        };
        let timestamp = FIRST_TIMESTAMP + offset * 1000 - offset * 7919 % 5000;
        let sequence = if is_idempotent { i32::try_from(offset).unwrap() } else { -1 };
        Self { offset, timestamp, key, value, headers, sequence }
    }

    /// As DumpLogSegments prints it.
    pub(crate) fn dumped(&self) -> String {
        let size =
            |bytes: &Option<Bytes>| bytes.as_ref().map_or(-1, |bytes| i64::try_from(bytes.len()).unwrap());
        let text = |name: &str, bytes: &Option<Bytes>| {
            let text = bytes.as_ref().map(|bytes| String::from_utf8(bytes.to_vec()).unwrap());
            text.map_or(String::new(), |text| format!(" {name}: {text}"))
        };
        let names: Vec<&str> = self.headers.iter().map(|(name, _)| name.as_str()).collect();
        format!(
            "| offset: {} CreateTime: {} keySize: {} valueSize: {} sequence: {} headerKeys: [{}]{}{}",
            self.offset,
            self.timestamp,
            size(&self.key),
            size(&self.value),
            self.sequence,
            names.join(","),
            text("key", &self.key),
            text("payload", &self.value),
        )
    }
}

/// A batch of records as a producer sends it.
pub(crate) fn encode(records: &[Plain], producer: Option<Producer>, codec: Codec) -> Bytes {
    let base = records.first().unwrap();
    let full = |(place, plain): (i32, &Plain)| Record {
        transactional: false,
        control: false,
        delete_horizon: false,
        partition_leader_epoch: -1,
        producer_id: producer.map_or(-1, |producer| producer.id),
        producer_epoch: producer.map_or(-1, |producer| producer.epoch),
        timestamp_type: TimestampType::Creation,
        offset: i64::from(place),
        // The encoder takes records whose sequence rises with the offset for one batch, also where there is none.
        sequence: base.sequence + place,
        timestamp: plain.timestamp,
        key: plain.key.clone(),
        value: plain.value.clone(),
        headers: plain
            .headers
            .iter()
            .map(|(name, value)| (StrBytes::from_string(name.clone()), value.clone()))
            .collect::<IndexMap<_, _>>(),
    };
    let records: Vec<Record> = (0..).zip(records).map(full).collect();
    let options = RecordEncodeOptions { version: 2, compression: codec.compression };
    let compress = |body: &mut BytesMut, into: &mut BytesMut, _: Compression| {
        into.extend_from_slice(&codec.compress(body));
        Ok(())
    };
    let mut bytes = BytesMut::new();
    RecordBatchEncoder::encode_with_custom_compression(&mut bytes, &records, &options, Some(compress))
        .unwrap();
    bytes.freeze()
}

/// The records in what a fetch gave.
pub(crate) fn decode(mut bytes: Bytes) -> Vec<Plain> {
    let mut all = Vec::new();
    while !bytes.is_empty() {
        let open = |body: &mut Bytes, compression| Ok(decompress(compression, body));
        let set = RecordBatchDecoder::decode_with_custom_compression(&mut bytes, Some(open)).unwrap();
        all.extend(set.records.into_iter().map(|record| Plain {
            offset: record.offset,
            timestamp: record.timestamp,
            key: record.key,
            value: record.value,
            headers: record.headers.into_iter().map(|(name, value)| (name.to_string(), value)).collect(),
            sequence: if record.producer_id < 0 { -1 } else { record.sequence },
        }));
    }
    all
}
