//! What is written of a record, as kcat's `-f` says it.

use std::io::{self, Write};

use super::Incoming;
use crate::record::unescape;

/// What is written for a null when that was asked for.
const NULL: &[u8] = b"NULL";

/// What is written of each record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Format(Vec<Piece>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Bytes(Vec<u8>),
    Topic,
    Partition,
    Offset,
    Timestamp,
    Key,
    KeyLength,
    Value,
    ValueLength,
    /// In 4 bytes, the highest first.
    ValueLengthBinary,
    Headers,
}

impl Format {
    /// Understands the argument of `-f`.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut pieces = Vec::new();
        let mut parts = text.split('%');
        let mut plain = parts.next().unwrap_or_default().to_owned();
        let mut parts = parts.peekable();
        while let Some(part) = parts.next() {
            let mut letters = part.chars();
            let piece = match letters.next() {
                None if parts.peek().is_some() => {
                    // Two percent signs: the text goes on behind the second.
                    plain.push('%');
                    plain.push_str(parts.next().unwrap_or_default());
                    continue;
                }
                None => return Err("a percent sign stands at the end; write %% for one".to_owned()),
                Some(letter) => piece(letter)?,
            };
            pieces.push(Piece::Bytes(unescape(&plain)?));
            pieces.push(piece);
            letters.as_str().clone_into(&mut plain);
        }
        pieces.push(Piece::Bytes(unescape(&plain)?));
        pieces.retain(|piece| *piece != Piece::Bytes(Vec::new()));
        Ok(Self(pieces))
    }

    /// The value and a delimiter behind it; before it, if that is asked for, the key and another delimiter.
    pub(super) fn key_and_value(key_delimiter: Option<Vec<u8>>, delimiter: Vec<u8>) -> Self {
        let key = key_delimiter.map(|delimiter| [Piece::Key, Piece::Bytes(delimiter)]);
        let mut pieces: Vec<Piece> = key.into_iter().flatten().collect();
        pieces.extend([Piece::Value, Piece::Bytes(delimiter)]);
        Self(pieces)
    }

    /// Writes a record.
    pub(super) fn write(&self, incoming: &Incoming, null: bool, out: &mut impl Write) -> io::Result<()> {
        let record = &incoming.record;
        let or_null = |bytes: Option<&bytes::Bytes>| match bytes {
            Some(bytes) => bytes.clone(),
            None if null => bytes::Bytes::from_static(NULL),
            None => bytes::Bytes::new(),
        };
        for piece in &self.0 {
            match piece {
                Piece::Bytes(bytes) => out.write_all(bytes)?,
                Piece::Topic => out.write_all(incoming.topic.as_bytes())?,
                Piece::Partition => write!(out, "{}", incoming.partition)?,
                Piece::Offset => write!(out, "{}", record.offset)?,
                Piece::Timestamp => write!(out, "{}", record.timestamp)?,
                Piece::Key => out.write_all(&or_null(record.key.as_ref()))?,
                Piece::Value => out.write_all(&or_null(record.value.as_ref()))?,
                Piece::KeyLength => write!(out, "{}", length(record.key.as_ref()))?,
                Piece::ValueLength => write!(out, "{}", length(record.value.as_ref()))?,
                Piece::ValueLengthBinary => out.write_all(&length(record.value.as_ref()).to_be_bytes())?,
                Piece::Headers => {
                    for (place, (name, value)) in record.headers.iter().enumerate() {
                        out.write_all(if place == 0 { b"" } else { b"," })?;
                        out.write_all(name)?;
                        out.write_all(b"=")?;
                        // kcat writes it whatever was asked for: a header that is empty is another one.
                        out.write_all(value.as_deref().unwrap_or(NULL))?;
                    }
                }
            }
        }
        Ok(())
    }
}

fn piece(letter: char) -> Result<Piece, String> {
    Ok(match letter {
        't' => Piece::Topic,
        'p' => Piece::Partition,
        'o' => Piece::Offset,
        'T' => Piece::Timestamp,
        'k' => Piece::Key,
        'K' => Piece::KeyLength,
        's' => Piece::Value,
        'S' => Piece::ValueLength,
        'R' => Piece::ValueLengthBinary,
        'h' => Piece::Headers,
        other => {
            return Err(format!("%{other} stands for nothing; see --help, and write %% for a percent sign"));
        }
    })
}

/// A length, or -1 for null.
fn length(bytes: Option<&bytes::Bytes>) -> i32 {
    bytes.map_or(-1, |bytes| i32::try_from(bytes.len()).unwrap_or(i32::MAX))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use bytes::Bytes;

    use super::*;

    fn written(format: &str, null: bool) -> Vec<u8> {
        let headers = vec![
            (Bytes::from_static(b"a"), Some(Bytes::from_static(b"1"))),
            (Bytes::from_static(b"b"), None),
        ];
        let value = Some(Bytes::from_static(b"v%s"));
        let record = ottla_log::Record { offset: 7, timestamp: 1000, key: None, value, headers };
        let incoming = Incoming { topic: "t".into(), partition: 2, log_append_time: false, record };
        let mut out = Vec::new();
        Format::parse(format).unwrap().write(&incoming, null, &mut out).unwrap();
        out
    }

    #[test]
    fn every_letter() {
        assert_eq!(written(r"%t-%p@%o %T %k|%K|%s|%S|%h%%\n", false), b"t-2@7 1000 |-1|v%s|3|a=1,b=NULL%\n");
        assert_eq!(written("%k%%%%s%R", true), b"NULL%%s\0\0\0\x03");
        assert_eq!(written("", false), b"");
    }

    #[test]
    fn what_stands_for_nothing() {
        for wrong in ["%x", "50%", "a%%%", r"\q%s"] {
            assert!(Format::parse(wrong).is_err(), "{wrong}");
        }
    }
}
