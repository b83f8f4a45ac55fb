//! Reads records from files and standard input, on a thread of its own.

use std::error::Error;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;

use super::options::Produce;
use super::split::{PIECE_BYTES_MAX, Splitter, find};
use super::{Outgoing, options};
use crate::record::{Header, JsonRecord};

/// Bytes that are read at a time.
const READ_BYTES: usize = 256 * 1024;

/// Chunks that are read ahead.
const CHUNKS_AHEAD: usize = 8;

/// Records that were read together.
#[derive(Debug, Default)]
pub(super) struct Chunk {
    pub(super) records: Vec<Outgoing>,
    /// How many bytes of the input they took.
    pub(super) bytes_read: u64,
}

/// What is read, and how.
pub(super) struct Input {
    sources: Vec<Source>,
    form: Form,
    count: u64,
    total_bytes: Option<u64>,
}

struct Source {
    name: String,
    reader: Box<dyn Read + Send>,
}

/// How bytes become records.
struct Form {
    delimiter: options::Bytes,
    key_delimiter: Option<options::Bytes>,
    key: Option<Bytes>,
    headers: Vec<Header>,
    null: bool,
    whole_files: bool,
    from_json: bool,
}

impl Input {
    /// Opens all files, so that one that is missing is told before anything is sent.
    pub(super) fn open(options: &Produce) -> Result<Self, Box<dyn Error>> {
        let standard = [PathBuf::from("-")];
        let names = if options.files.is_empty() { &standard[..] } else { &options.files };
        let mut sources = Vec::new();
        let mut total = Some(0_u64);
        for name in names {
            let (source, bytes) = open(name)?;
            total = total.zip(bytes).map(|(total, bytes)| total.saturating_add(bytes));
            sources.push(source);
        }
        let form = Form {
            delimiter: options.delimiter.clone(),
            key_delimiter: options.key_delimiter.clone(),
            key: options.key.as_ref().map(|key| Bytes::copy_from_slice(key.as_bytes())),
            headers: options.headers.clone(),
            null: options.null,
            whole_files: options.whole_files,
            from_json: options.from_json,
        };
        let total_bytes = total.filter(|_| options.count.is_none());
        Ok(Self { sources, form, count: options.count.unwrap_or(u64::MAX), total_bytes })
    }

    /// How many bytes there are, if that is known.
    pub(super) fn total_bytes(&self) -> Option<u64> {
        self.total_bytes
    }

    /// Begins to read. An error is the last that comes.
    pub(super) fn read(self) -> Receiver<Result<Chunk, String>> {
        let (sender, receiver) = sync_channel(CHUNKS_AHEAD);
        std::thread::spawn(move || {
            let reading = Reading { form: self.form, left: self.count, number: 0, sender };
            reading.run(self.sources);
        });
        receiver
    }
}

fn open(name: &Path) -> Result<(Source, Option<u64>), Box<dyn Error>> {
    if name == Path::new("-") {
        return Ok((Source { name: "standard input".to_owned(), reader: Box::new(io::stdin()) }, None));
    }
    let name = name.display().to_string();
    let wrong = |error: io::Error| format!("cannot read {name}: {error}");
    let file = File::open(&name).map_err(wrong)?;
    let about = file.metadata().map_err(wrong)?;
    if about.is_dir() {
        return Err(format!("cannot read {name}: it is a directory").into());
    }
    let bytes = about.is_file().then_some(about.len());
    Ok((Source { name, reader: Box::new(file) }, bytes))
}

/// The thread that reads.
struct Reading {
    form: Form,
    /// Records that may still be read.
    left: u64,
    /// Of the last record.
    number: u64,
    sender: SyncSender<Result<Chunk, String>>,
}

impl Reading {
    fn run(mut self, sources: Vec<Source>) {
        for source in sources {
            let name = source.name.clone();
            let read = if self.form.whole_files { self.whole(source) } else { self.pieces(source) };
            if let Err(error) = read {
                let _ = self.sender.send(Err(format!("{name}: {error}")));
                return;
            }
            if self.left == 0 {
                return;
            }
        }
    }

    fn whole(&mut self, source: Source) -> Result<(), String> {
        let mut bytes = Vec::new();
        let limit = PIECE_BYTES_MAX as u64;
        source.reader.take(limit + 1).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
        if bytes.len() as u64 > limit {
            return Err(format!("a record has at most {limit} bytes"));
        }
        let mut chunk = Chunk { bytes_read: bytes.len() as u64, ..Chunk::default() };
        self.add(&mut chunk, bytes.into())?;
        self.hand_over(chunk);
        Ok(())
    }

    fn pieces(&mut self, mut source: Source) -> Result<(), String> {
        let mut splitter = Splitter::new(self.form.delimiter.clone());
        let mut buffer = vec![0; READ_BYTES];
        loop {
            let count = match source.reader.read(&mut buffer) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                read => read.map_err(|error| error.to_string())?,
            };
            if count == 0 {
                break;
            }
            splitter.feed(buffer.get(..count).unwrap_or_default())?;
            let mut chunk = Chunk { bytes_read: count as u64, ..Chunk::default() };
            while let Some(piece) = splitter.next() {
                if let Err(error) = self.add(&mut chunk, piece) {
                    self.hand_over(chunk);
                    return Err(error);
                }
            }
            if !self.hand_over(chunk) || self.left == 0 {
                return Ok(());
            }
        }
        if let Some(piece) = splitter.rest() {
            let mut chunk = Chunk::default();
            self.add(&mut chunk, piece)?;
            self.hand_over(chunk);
        }
        Ok(())
    }

    /// False when nobody takes it any more.
    fn hand_over(&self, chunk: Chunk) -> bool {
        self.sender.send(Ok(chunk)).is_ok()
    }

    fn add(&mut self, chunk: &mut Chunk, piece: Bytes) -> Result<(), String> {
        if self.left == 0 {
            return Ok(());
        }
        self.left -= 1;
        self.number += 1;
        let wrong = |error: String| format!("record {}: {error}", self.number);
        chunk.records.push(self.form.record(piece, self.number).map_err(wrong)?);
        Ok(())
    }
}

impl Form {
    fn record(&self, piece: Bytes, number: u64) -> Result<Outgoing, String> {
        if self.from_json {
            return self.json(&piece, number);
        }
        let (key, value) = match &self.key_delimiter {
            Some(delimiter) => match find(&piece, delimiter) {
                Some(at) => (Some(piece.slice(..at)), piece.slice(at.saturating_add(delimiter.len())..)),
                None => (None, piece),
            },
            None => (self.key.clone(), piece),
        };
        let kept = |bytes: &Bytes| !(self.null && bytes.is_empty());
        let headers = self.headers.clone();
        Ok(Outgoing {
            key: key.filter(kept),
            value: Some(value).filter(kept),
            headers,
            timestamp: now_ms(),
            number,
        })
    }

    fn json(&self, line: &[u8], number: u64) -> Result<Outgoing, String> {
        let record: JsonRecord = serde_json::from_slice(line).map_err(|error| error.to_string())?;
        let mut headers = record.headers()?;
        headers.extend(self.headers.iter().cloned());
        let timestamp = record.timestamp.unwrap_or_else(now_ms);
        Ok(Outgoing { key: record.key()?, value: record.value()?, headers, timestamp, number })
    }
}

fn now_ms() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(now.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    fn form(key_delimiter: Option<&str>, null: bool) -> Form {
        Form {
            delimiter: (*b"\n").into(),
            key_delimiter: key_delimiter.map(|text| text.as_bytes().into()),
            key: None,
            headers: Vec::new(),
            null,
            whole_files: false,
            from_json: false,
        }
    }

    #[test]
    fn keys_and_nulls() {
        let of = |form: &Form, text: &'static str| {
            let record = form.record(Bytes::from_static(text.as_bytes()), 1).unwrap();
            let text = |bytes: Option<Bytes>| bytes.map(|bytes| String::from_utf8(bytes.into()).unwrap());
            (text(record.key), text(record.value))
        };
        let some = |text: &str| Some(text.to_owned());
        let plain = form(Some("::"), false);
        assert_eq!(of(&plain, "k::v::w"), (some("k"), some("v::w")));
        assert_eq!(of(&plain, "no key: here"), (None, some("no key: here")));
        assert_eq!(of(&plain, "::"), (some(""), some("")));
        let nulls = form(Some(":"), true);
        assert_eq!(of(&nulls, "k:"), (some("k"), None));
        assert_eq!(of(&nulls, ":v"), (None, some("v")));
        assert_eq!(of(&form(None, false), ""), (None, some("")));
    }
}
