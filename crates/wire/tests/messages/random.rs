//! Random field values; every call gives another one, so that swapped fields show.

use std::ops::RangeInclusive;

use bytes::{Bytes, BytesMut};
use kafka_protocol::protocol::{Decodable, Encodable};
use ottla_model::{ErrorCode, TopicId};
use ottla_wire::fuzz::SplitMix64;
use ottla_wire::{StrBytes, Unencodable};

pub(crate) struct Random(SplitMix64);

impl Random {
    pub(crate) fn int8(&mut self) -> i8 {
        self.0.next_u64() as i8
    }

    pub(crate) fn int16(&mut self) -> i16 {
        self.0.next_u64() as i16
    }

    pub(crate) fn int32(&mut self) -> i32 {
        self.0.next_u64() as i32
    }

    pub(crate) fn int64(&mut self) -> i64 {
        self.0.next_u64() as i64
    }

    pub(crate) fn boolean(&mut self) -> bool {
        self.0.below(2) == 1
    }

    pub(crate) fn error(&mut self) -> ErrorCode {
        ErrorCode::ALL[self.0.below(ErrorCode::ALL.len())]
    }

    pub(crate) fn topic_id(&mut self) -> TopicId {
        TopicId::from_random(u128::from(self.0.next_u64()) << 64 | u128::from(self.0.next_u64()))
    }

    pub(crate) fn text(&mut self) -> StrBytes {
        // Lengths around 127 need another byte in a compact length.
        let length = [0, 1, 5, 20, 126, 127, 300][self.0.below(7)];
        StrBytes::from_string((0..length).map(|_| char::from(b'a' + self.0.below(26) as u8)).collect())
    }

    pub(crate) fn maybe<T>(&mut self, value: impl FnOnce(&mut Self) -> T) -> Option<T> {
        self.boolean().then(|| value(self))
    }

    pub(crate) fn bytes(&mut self) -> Bytes {
        self.text().into_bytes()
    }

    pub(crate) fn list<T>(&mut self, mut element: impl FnMut(&mut Self) -> T) -> Vec<T> {
        (0..self.0.below(4)).map(|_| element(self)).collect()
    }

    /// The name of a topic up to some version and its id behind that.
    pub(crate) fn topic(&mut self, by_id: bool) -> (Option<StrBytes>, TopicId) {
        if by_id { (None, self.topic_id()) } else { (Some(self.text()), TopicId::ZERO) }
    }
}

/// Runs `test` many times for each version, each time with other values.
pub(crate) fn for_versions(versions: RangeInclusive<i16>, mut test: impl FnMut(i16, &mut Random)) {
    const SEED: u64 = 0x0771a_u64;
    println!("seed {SEED:#x}");
    let mut random = Random(SplitMix64(SEED));
    for version in versions {
        for _ in 0..200 {
            test(version, &mut random);
        }
    }
}

/// The bytes that `kafka-protocol` writes.
pub(crate) fn theirs<T: Encodable>(version: i16, message: &T) -> Bytes {
    let mut buffer = BytesMut::new();
    message.encode(&mut buffer, version).expect("kafka-protocol encodes");
    buffer.freeze()
}

/// What `kafka-protocol` reads.
pub(crate) fn read_by_them<T: Decodable>(version: i16, bytes: &Bytes) -> T {
    ottla_wire::decode(version, &mut bytes.clone()).expect("kafka-protocol decodes")
}

/// The bytes that Ottla writes.
pub(crate) fn ours<T>(
    encode: fn(i16, &T, &mut BytesMut) -> Result<(), Unencodable>,
    version: i16,
    message: &T,
) -> Bytes {
    let mut buffer = BytesMut::new();
    encode(version, message, &mut buffer).expect("Ottla encodes");
    buffer.freeze()
}
