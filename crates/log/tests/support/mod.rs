//! What the tests of the log share: batches of every kind, a seeded generator, and logs on either disk.

#![allow(dead_code, missing_docs, unreachable_pub, reason = "each test file uses a part of it")]

pub mod script;
pub mod transactions;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use ottla_log::{
    Append, AppendError, Appended, BatchBuilder, BatchHeader, Compression, Disk, Identity, Log, LogConfig,
    MemoryDisk, NewRecord, Open, Origin, ReadLimit, RealDisk, Record, RecoveryReport, records,
};
use ottla_model::{Offset, TopicId, TopicName, WallMillis};

pub const NOW: WallMillis = WallMillis(1_700_000_000_000);
pub const HEADER_BYTES: usize = 61;

/// A small generator of numbers, the same on every machine (SplitMix64).
pub struct Seeded(pub u64);

impl Seeded {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number from 0 to `bound - 1`.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    pub fn between(&mut self, from: u64, to: u64) -> u64 {
        from + self.below(to - from + 1)
    }

    pub fn bytes(&mut self, length: usize) -> Vec<u8> {
        // Two letters only, so that codecs find something to do.
        (0..length).map(|_| if self.below(4) == 0 { b'b' } else { b'a' }).collect()
    }
}

/// A disk, and a place on it for logs. The directory of a real one goes when this is dropped.
pub struct Place {
    pub disk: Arc<dyn Disk>,
    pub root: PathBuf,
    _directory: Option<tempfile::TempDir>,
}

impl Place {
    pub fn real() -> Self {
        let directory = tempfile::tempdir().expect("temporary directory");
        Self { disk: Arc::new(RealDisk), root: directory.path().to_owned(), _directory: Some(directory) }
    }

    pub fn memory() -> Self {
        let disk = MemoryDisk::default();
        disk.create_dir_all(Path::new("/data")).expect("made");
        Self { disk: Arc::new(disk), root: "/data".into(), _directory: None }
    }

    pub fn each() -> [Self; 2] {
        [Self::real(), Self::memory()]
    }

    pub fn dir(&self) -> PathBuf {
        self.root.join("topic-0")
    }

    pub fn open(&self, config: &LogConfig, clean: bool, recovery_point: Offset) -> (Log, RecoveryReport) {
        let open = Open { clean, recovery_point, synced: false, now: NOW };
        Log::open(Arc::clone(&self.disk), &self.dir(), identity(), config.clone(), open).expect("opened")
    }

    /// A log that has no files yet.
    pub fn fresh(&self, config: &LogConfig) -> Log {
        self.open(config, true, 0).0
    }

    /// Names and bytes of all files of the log.
    pub fn files(&self) -> Vec<(String, Vec<u8>)> {
        let mut names: Vec<_> = self.disk.list(&self.dir()).expect("listed");
        names.sort_by(|one, other| one.name.cmp(&other.name));
        names.into_iter().map(|entry| (entry.name.clone(), self.read(&entry.name))).collect()
    }

    pub fn read(&self, name: &str) -> Vec<u8> {
        self.disk.read(&self.dir().join(name)).expect("read")
    }

    pub fn write(&self, name: &str, bytes: &[u8]) {
        self.disk.replace(&self.dir().join(name), bytes).expect("written");
    }

    pub fn remove(&self, name: &str) {
        self.disk.remove_file(&self.dir().join(name)).expect("removed");
    }
}

pub fn identity() -> Identity {
    Identity { topic: TopicName::new("topic").expect("legal"), partition: 0, topic_id: TopicId([7; 16]) }
}

/// Segments and index intervals so small that a few batches fill them.
pub fn small_segments() -> LogConfig {
    LogConfig { segment_bytes: 2000, index_interval_bytes: 300, ..LogConfig::default() }
}

pub fn batch(values: &[&str]) -> Bytes {
    timed_batch(&values.iter().map(|value| (NOW.0, *value)).collect::<Vec<_>>())
}

pub fn timed_batch(records: &[(i64, &str)]) -> Bytes {
    let mut builder = BatchBuilder::new();
    for (timestamp, value) in records {
        let key = Some(&b"key"[..]);
        builder.push(NewRecord { timestamp: *timestamp, key, value: Some(value.as_bytes()), headers: &[] });
    }
    builder.build()
}

pub fn client() -> Append {
    Append::new(3, Origin::Client, NOW)
}

pub fn append(log: &mut Log, batch: &Bytes) -> Result<Appended, AppendError> {
    log.append(batch.clone(), client())
}

pub fn everything() -> ReadLimit {
    ReadLimit { max_bytes: usize::MAX, at_least_one: true, upper: Offset::MAX }
}

/// All records from `from` on, read as a consumer does.
pub fn consume(log: &Log, from: Offset) -> Vec<Record> {
    let batches = log.batches(from).map(|batch| batch.expect("batch"));
    let all =
        batches.flat_map(|batch| records(&batch).expect("records").map(|record| record.expect("record")));
    all.filter(|record| record.offset >= from).collect()
}

pub fn values(records: &[Record]) -> Vec<String> {
    let text = |record: &Record| String::from_utf8(record.value.as_deref().unwrap_or(b"null").to_vec());
    records.iter().map(|record| text(record).expect("text")).collect()
}

/// Changes the header of a batch and makes its CRC right again.
pub fn edit(batch: &Bytes, change: impl FnOnce(&mut BatchHeader)) -> Bytes {
    let mut header = BatchHeader::parse(batch).expect("header");
    change(&mut header);
    seal(header, &batch[HEADER_BYTES..])
}

/// A batch of that header and body, with a right CRC and length.
pub fn seal(mut header: BatchHeader, body: &[u8]) -> Bytes {
    header.batch_length = i32::try_from(HEADER_BYTES - 12 + body.len()).expect("small");
    let covered = [&header.to_bytes()[21..], body].concat();
    header.crc = crc32c::crc32c(&covered);
    [&header.to_bytes()[..], body].concat().into()
}

/// How snappy is framed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    Default,
    RawSnappy,
}

pub const CODECS: [(Compression, Framing); 6] = [
    (Compression::None, Framing::Default),
    (Compression::Gzip, Framing::Default),
    (Compression::Snappy, Framing::Default),
    (Compression::Snappy, Framing::RawSnappy),
    (Compression::Lz4, Framing::Default),
    (Compression::Zstd, Framing::Default),
];

/// The same batch with its records compressed.
pub fn compress(batch: &Bytes, codec: Compression, framing: Framing) -> Bytes {
    let body = compress_bytes(&batch[HEADER_BYTES..], codec, framing);
    let mut header = BatchHeader::parse(batch).expect("header");
    header.attributes |= match codec {
        Compression::None => 0,
        Compression::Gzip => 1,
        Compression::Snappy => 2,
        Compression::Lz4 => 3,
        Compression::Zstd => 4,
    };
    seal(header, &body)
}

pub fn compress_bytes(bytes: &[u8], codec: Compression, framing: Framing) -> Vec<u8> {
    match codec {
        Compression::None => bytes.to_vec(),
        Compression::Gzip => {
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
            encoder.write_all(bytes).expect("compressed");
            encoder.finish().expect("compressed")
        }
        Compression::Snappy if framing == Framing::RawSnappy => {
            snap::raw::Encoder::new().compress_vec(bytes).expect("compressed")
        }
        Compression::Snappy => {
            let mut framed = vec![0x82, b'S', b'N', b'A', b'P', b'P', b'Y', 0, 0, 0, 0, 1, 0, 0, 0, 1];
            for chunk in bytes.chunks(64) {
                let block = snap::raw::Encoder::new().compress_vec(chunk).expect("compressed");
                framed.extend_from_slice(&i32::try_from(block.len()).expect("small").to_be_bytes());
                framed.extend_from_slice(&block);
            }
            framed
        }
        Compression::Lz4 => {
            let info = lz4_flex::frame::FrameInfo::new()
                .block_size(lz4_flex::frame::BlockSize::Max64KB)
                .content_checksum(true);
            let mut encoder = lz4_flex::frame::FrameEncoder::with_frame_info(info, Vec::new());
            encoder.write_all(bytes).expect("compressed");
            encoder.finish().expect("compressed")
        }
        Compression::Zstd => zstd::stream::encode_all(bytes, 3).expect("compressed"),
    }
}
