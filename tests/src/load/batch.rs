//! Makes and reads record batches of format v2, apart from the broker's own code.

use bytes::{Buf, BufMut, Bytes, BytesMut};

use super::codec::Codec;
use super::payload::Record;
use super::varint;
use crate::history::{Batch, Marker, Run, Sequence, UNREADABLE, Value};

const HEADER_BYTES: usize = 61;
/// What lies before the bytes that the length counts.
const LENGTH_END: usize = 12;
/// Where the bytes begin that the CRC covers.
const CRC_END: usize = 21;
const MAGIC: i8 = 2;
const NONE: i64 = -1;
/// The bits of a header's attributes.
const TRANSACTIONAL: i16 = 0x10;
const CONTROL: i16 = 0x20;
/// The type of a control record that commits.
const COMMIT: u16 = 1;

/// What a batch is made of.
#[derive(Debug, Clone, Copy)]
pub(super) struct NewBatch<'a> {
    pub(super) first: Value,
    /// Each record's timestamp in milliseconds; as many as there are records.
    pub(super) times: &'a [i64],
    /// Each record's key, or nothing when they have none.
    pub(super) keys: &'a [u32],
    pub(super) sequence: Option<Sequence>,
    pub(super) transactional: bool,
    pub(super) codec: Codec,
}

impl NewBatch<'_> {
    /// The batch as a producer sends it, and its CRC. None when it has no records or does not compress.
    pub(super) fn encode(&self) -> Option<(Bytes, u32)> {
        let base_time = *self.times.first()?;
        let mut body = Vec::new();
        for (place, time) in self.times.iter().enumerate() {
            let number = self.first.number.checked_add(place as u64)?;
            let record = Record {
                time_delta: time.checked_sub(base_time)?,
                offset_delta: i64::try_from(place).ok()?,
                key: self.keys.get(place).copied(),
                value: Value { producer: self.first.producer, number },
            };
            record.write(&mut body);
        }
        let body = self.codec.compress(body)?;
        let count = i32::try_from(self.times.len()).ok()?;
        let mut bytes = BytesMut::with_capacity(HEADER_BYTES + body.len());
        bytes.put_i64(0);
        bytes.put_i32(i32::try_from(HEADER_BYTES - LENGTH_END + body.len()).ok()?);
        bytes.put_i32(-1);
        bytes.put_i8(MAGIC);
        bytes.put_u32(0);
        bytes.put_i16(self.codec as i16 | if self.transactional { TRANSACTIONAL } else { 0 });
        bytes.put_i32(count.checked_sub(1)?);
        bytes.put_i64(base_time);
        bytes.put_i64(*self.times.iter().max()?);
        bytes.put_i64(self.sequence.map_or(NONE, |sequence| sequence.id));
        bytes.put_i16(self.sequence.map_or(-1, |sequence| sequence.epoch));
        bytes.put_i32(self.sequence.map_or(-1, |sequence| sequence.first));
        bytes.put_i32(count);
        bytes.put_slice(&body);
        let crc = crc32c::crc32c(bytes.get(CRC_END..)?);
        bytes.get_mut(CRC_END - 4..CRC_END)?.copy_from_slice(&crc.to_be_bytes());
        Some((bytes.freeze(), crc))
    }
}

/// Reads the whole batches at the front of what a fetch gave; a cut one at the end is left out. With `details` the
/// batches have their timestamps and keys.
pub(super) fn decode(mut records: &[u8], details: bool) -> Vec<Batch> {
    let mut batches = Vec::new();
    while let Some(length) = whole_batch_bytes(records) {
        let Some((batch, rest)) = records.split_at_checked(length) else { break };
        let Some(batch) = decode_one(batch, details) else { break };
        batches.push(batch);
        records = rest;
    }
    batches
}

fn whole_batch_bytes(records: &[u8]) -> Option<usize> {
    let length = records.get(8..LENGTH_END)?.try_into().ok()?;
    usize::try_from(i32::from_be_bytes(length)).ok()?.checked_add(LENGTH_END)
}

fn decode_one(batch: &[u8], details: bool) -> Option<Batch> {
    let mut header = batch.get(..HEADER_BYTES)?;
    let base = header.get_i64();
    header.advance(4);
    let leader_epoch = header.get_i32();
    let magic = header.get_i8();
    let crc = header.get_u32();
    let attributes = header.get_i16();
    let last = base.saturating_add(i64::from(header.get_i32()));
    let base_time = header.get_i64();
    header.advance(8);
    let (id, epoch, first) = (header.get_i64(), header.get_i16(), header.get_i32());
    let good = magic == MAGIC && crc32c::crc32c(batch.get(CRC_END..)?) == crc;
    // A header that can not be trusted says nothing about how much is missing.
    let count = if good { usize::try_from(header.get_i32()).ok()? } else { 1 };
    let sequence = (id != NONE && first != -1).then_some(Sequence { id, epoch, first });
    let transactional = attributes & TRANSACTIONAL != 0;
    let mut read = Batch {
        base,
        last,
        leader_epoch,
        crc,
        sequence,
        transactional,
        marker: None,
        runs: Vec::new(),
        keys: Vec::new(),
        times: Vec::new(),
    };
    if good && attributes & CONTROL != 0 {
        let mut body = batch.get(HEADER_BYTES..)?;
        // Compaction may leave a marker's batch without its record.
        let kind = if count == 0 { None } else { Some(control_type(&mut body)?) };
        read.marker = kind.map(|kind| Marker { id, epoch, committed: kind == COMMIT });
        read.times.extend(kind.filter(|_| details).map(|_| base_time));
        return Some(read);
    }
    let body = Codec::of(attributes).filter(|_| good);
    let body = body.and_then(|codec| codec.decompress(batch.get(HEADER_BYTES..)?));
    let mut body = body.as_deref().unwrap_or_default();
    for place in 0..count {
        let delta = i64::try_from(place).ok()?;
        let record = Record::read(&mut body);
        // What can not be read stands in the history as such, at the offset where a record should be.
        let record =
            record.unwrap_or(Record { time_delta: 0, offset_delta: delta, key: None, value: UNREADABLE });
        add(&mut read.runs, base.saturating_add(record.offset_delta), record.value);
        if details {
            read.times.push(base_time.saturating_add(record.time_delta));
            read.keys.extend(record.key);
        }
    }
    Some(read)
}

/// The type of the first control record: the second number of its key.
fn control_type(body: &mut &[u8]) -> Option<u16> {
    // Its length and attributes, the two deltas, the length of its key.
    varint::read(body)?;
    body.try_get_u8().ok()?;
    for _ in 0..3 {
        varint::read(body)?;
    }
    body.try_get_u16().ok()?;
    body.try_get_u16().ok()
}

fn add(runs: &mut Vec<Run>, offset: i64, value: Value) {
    if let Some(run) = runs.last_mut() {
        let count = u64::from(run.count);
        let follows = run.offset.checked_add_unsigned(count) == Some(offset)
            && run.producer == value.producer
            && run.first.checked_add(count) == Some(value.number)
            && value != UNREADABLE;
        if follows {
            run.count += 1;
            return;
        }
    }
    runs.push(Run { offset, producer: value.producer, first: value.number, count: 1 });
}

#[cfg(test)]
mod tests {
    use super::*;

    const CODECS: [Codec; 5] = [Codec::None, Codec::Gzip, Codec::Snappy, Codec::Lz4, Codec::Zstd];

    fn encoded(codec: Codec) -> (Bytes, u32) {
        let first = Value { producer: 3, number: 70 };
        let sequence = Some(Sequence { id: 9, epoch: 1, first: 20 });
        let (times, keys) = (&[50, 40, 60], &[1, 2, 1]);
        NewBatch { first, times, keys, sequence, transactional: true, codec }.encode().unwrap()
    }

    #[test]
    fn a_batch_round_trips_in_every_codec() {
        for codec in CODECS {
            let (bytes, crc) = encoded(codec);
            let expected = Batch {
                base: 0,
                last: 2,
                leader_epoch: -1,
                crc,
                sequence: Some(Sequence { id: 9, epoch: 1, first: 20 }),
                transactional: true,
                marker: None,
                runs: vec![Run { offset: 0, producer: 3, first: 70, count: 3 }],
                keys: vec![1, 2, 1],
                times: vec![50, 40, 60],
            };
            assert_eq!(decode(&bytes, true), [expected]);
            assert_eq!(decode(&bytes[..bytes.len() - 1], true), []);
        }
    }

    #[test]
    fn a_marker_is_read_as_what_it_says() {
        for (kind, committed) in [(0, false), (1, true)] {
            let body = [32, 0, 0, 0, 8, 0, 0, 0, kind, 12, 0, 0, 0, 0, 0, 5, 0];
            let mut bytes = BytesMut::new();
            bytes.put_i64(7);
            bytes.put_i32(i32::try_from(HEADER_BYTES - LENGTH_END + body.len()).unwrap());
            bytes.put_i32(0);
            bytes.put_i8(MAGIC);
            bytes.put_u32(0);
            bytes.put_i16(TRANSACTIONAL | CONTROL);
            bytes.put_i32(0);
            bytes.put_i64(60);
            bytes.put_i64(60);
            bytes.put_i64(9);
            bytes.put_i16(3);
            bytes.put_i32(-1);
            bytes.put_i32(1);
            bytes.put_slice(&body);
            let crc = crc32c::crc32c(&bytes[CRC_END..]);
            bytes[CRC_END - 4..CRC_END].copy_from_slice(&crc.to_be_bytes());
            let read = decode(&bytes, true).pop().unwrap();
            let marker = Some(Marker { id: 9, epoch: 3, committed });
            assert_eq!((read.base, read.marker, read.sequence), (7, marker, None));
            assert_eq!(read.timed().collect::<Vec<_>>(), [(7, 60)]);
        }
    }

    #[test]
    fn a_changed_batch_has_no_values() {
        for codec in CODECS {
            let (bytes, _) = encoded(codec);
            for place in CRC_END - 4..bytes.len() {
                let mut changed = bytes.to_vec();
                changed[place] ^= 1;
                let values: Vec<_> = decode(&changed, false).iter().flat_map(Batch::records).collect();
                assert!(values.iter().all(|(_, value)| *value == UNREADABLE), "{codec:?}, byte {place}");
            }
        }
    }
}
