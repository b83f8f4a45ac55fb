//! A bounded number of mutations of good batches through the entry point that cargo-fuzz runs for longer.

#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "a test may fail")]

mod support;

use bytes::Bytes;
use ottla_log::fuzz::fuzz_batch;
use ottla_log::{BatchBuilder, BatchHeader, NewRecord};
use support::*;

fn seeds() -> Vec<Bytes> {
    let mut builder = BatchBuilder::new().producer(5, 1, 0);
    for number in 0..20 {
        let headers = [(&b"header"[..], Some(&b"value"[..])), (b"none", None)];
        let value = format!("some value {number}");
        builder.push(NewRecord {
            timestamp: NOW.0 + number,
            key: (number % 3 > 0).then_some(b"key"),
            value: (number % 4 > 0).then_some(value.as_bytes()),
            headers: &headers[..number as usize % 3],
        });
    }
    let plain = builder.build();
    CODECS.iter().map(|&(codec, framing)| compress(&plain, codec, framing)).collect()
}

/// Changes a few bytes; half of the time the header is made right again, so that the change reaches the
/// records.
fn mutate(random: &mut Seeded, seed: &Bytes) -> Bytes {
    let mut bytes = seed.to_vec();
    for _ in 0..random.between(1, 4) {
        let at = random.below(bytes.len() as u64) as usize;
        match random.below(5) {
            0 => bytes[at] ^= 1 << random.below(8),
            1 => bytes[at] = [0, 1, 0x7f, 0x80, 0xff][random.below(5) as usize],
            2 => bytes.truncate(at.max(1)),
            3 => bytes.insert(at, random.next() as u8),
            _ => {
                let from = random.below(bytes.len() as u64) as usize;
                let piece: Vec<u8> = bytes[from..].iter().take(16).copied().collect();
                bytes.splice(at..at, piece);
            }
        }
    }
    match BatchHeader::parse(&bytes) {
        Some(header) if random.below(2) == 0 => seal(header, &bytes[HEADER_BYTES..]),
        _ => bytes.into(),
    }
}

#[test]
fn mutated_batches_are_judged_without_panic() {
    let mut random = Seeded(2024);
    for seed in seeds() {
        fuzz_batch(&seed);
        for _ in 0..3000 {
            fuzz_batch(&mutate(&mut random, &seed));
        }
    }
}

#[test]
fn random_bytes_are_judged_without_panic() {
    let mut random = Seeded(7);
    for _ in 0..3000 {
        let length = random.below(200) as usize;
        let bytes: Vec<u8> = (0..length).map(|_| random.next() as u8).collect();
        fuzz_batch(&bytes);
    }
}
