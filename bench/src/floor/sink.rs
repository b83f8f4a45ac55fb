//! The floor of Produce: receive, CRC-32C, write to a file, answer.

use std::fs::File;
use std::hint::black_box;
use std::io::Write;
use std::net::TcpStream;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use ottla_tests::problem::{Doing, Problem};

use super::frame::{Frames, address};
use super::serve::Service;

const BUFFER_BYTES: usize = 256 << 10;

/// One file that all connections write to.
pub(super) struct Sink {
    file: File,
    end: AtomicU64,
    answer: Vec<u8>,
}

impl Sink {
    pub(super) fn new(path: &Path, answer: Vec<u8>) -> Result<Self, Problem> {
        let file = File::create(path).doing(format_args!("create {}", path.display()))?;
        Ok(Self { file, end: AtomicU64::new(0), answer })
    }
}

impl Service for Sink {
    fn answer_all(&self, mut stream: TcpStream) -> std::io::Result<()> {
        let mut frames = Frames::new(BUFFER_BYTES);
        let mut answer = self.answer.clone();
        while let Some(request) = frames.next(&mut stream)? {
            black_box(crc32c::crc32c(request));
            let position = self.end.fetch_add(request.len() as u64, Ordering::Relaxed);
            self.file.write_all_at(request, position)?;
            address(&mut answer, request);
            stream.write_all(&answer)?;
        }
        Ok(())
    }
}
