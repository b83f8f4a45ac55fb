//! The floor of Fetch: a part of a mapped file, written to the socket.

use std::io::{IoSlice, Write};
use std::net::TcpStream;
use std::path::Path;

use bytes::Bytes;
use ottla_log::disk::{Disk, OpenFile, RealDisk};
use ottla_tests::problem::{Doing, Problem};

use super::frame::{Frames, address};
use super::serve::Service;
use crate::lean::FETCH_ANSWER_TAIL;

const REQUEST_BYTES: usize = 4 << 10;
/// Bytes that the file is written in.
const PART_BYTES: usize = 1 << 20;

/// One mapped file that all connections read.
pub(super) struct Source {
    map: Bytes,
    head: Vec<u8>,
    records_bytes: usize,
}

impl Source {
    pub(super) fn new(
        path: &Path,
        head: Vec<u8>,
        records_bytes: usize,
        file_bytes: usize,
    ) -> Result<Self, Problem> {
        let open = OpenFile { create: true, capacity: file_bytes as u64 };
        let file = RealDisk.open(path, open).doing(format_args!("create {}", path.display()))?;
        let part = vec![7; PART_BYTES];
        let mut position = 0_usize;
        while position < file_bytes {
            let count = PART_BYTES.min(file_bytes.saturating_sub(position));
            let part = part.get(..count).unwrap_or_default();
            file.write_at(position as u64, &[part]).doing("fill a file")?;
            position = position.saturating_add(count);
        }
        let map = file.slice(0, file_bytes).doing("map a file")?;
        Ok(Self { map, head, records_bytes: records_bytes.min(file_bytes) })
    }
}

impl Service for Source {
    fn answer_all(&self, mut stream: TcpStream) -> std::io::Result<()> {
        let mut frames = Frames::new(REQUEST_BYTES);
        let mut head = self.head.clone();
        let mut position = 0_usize;
        while let Some(request) = frames.next(&mut stream)? {
            address(&mut head, request);
            let mut end = position.saturating_add(self.records_bytes);
            if end > self.map.len() {
                (position, end) = (0, self.records_bytes);
            }
            let records = self.map.get(position..end).unwrap_or_default();
            write_all(&mut stream, [&head, records, &FETCH_ANSWER_TAIL])?;
            position = end;
        }
        Ok(())
    }
}

fn write_all(stream: &mut TcpStream, parts: [&[u8]; 3]) -> std::io::Result<()> {
    let mut slices = parts.map(IoSlice::new);
    let mut slices = slices.as_mut_slice();
    while !slices.is_empty() {
        let count = stream.write_vectored(slices)?;
        IoSlice::advance_slices(&mut slices, count);
    }
    Ok(())
}
