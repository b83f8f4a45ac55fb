//! Writes records to standard output, and knows when it is enough.

use std::io::{self, BufWriter, IsTerminal, StdoutLock, Write};

use super::format::Format;
use super::{Go, Incoming};
use crate::progress::Progress;
use crate::record::JsonRecord;

/// Bytes that are written at a time.
const BUFFER_BYTES: usize = 64 * 1024;

/// What is written of a record.
#[derive(Debug)]
pub(super) enum Form {
    /// A JSON object a line.
    Json,
    /// Text, in which a null shows or does not.
    Text(Format, bool),
}

/// Standard output.
pub(super) struct Output<'a> {
    out: BufWriter<StdoutLock<'static>>,
    form: Form,
    /// Records that may still be written.
    left: Option<u64>,
    progress: &'a Progress,
    /// Records that progress was not told of yet.
    untold: u64,
    is_closed: bool,
}

impl<'a> Output<'a> {
    /// True when what is written would get mixed up with the progress.
    pub(super) fn is_on_a_terminal() -> bool {
        io::stdout().is_terminal()
    }

    /// Writes at most so many records.
    pub(super) fn new(form: Form, count: Option<u64>, progress: &'a Progress) -> Self {
        let out = BufWriter::with_capacity(BUFFER_BYTES, io::stdout().lock());
        Self { out, form, left: count, progress, untold: 0, is_closed: false }
    }

    /// True when no record is wanted any more.
    pub(super) fn is_enough(&self) -> bool {
        self.is_closed || self.left == Some(0)
    }

    /// What shows how far it is.
    pub(super) fn progress(&self) -> &'a Progress {
        self.progress
    }

    /// Writes a line for people to standard error.
    pub(super) fn tell(&self, line: &str) {
        self.progress.tell(line);
    }

    /// Writes a record, unless it is enough.
    pub(super) fn write(&mut self, incoming: &Incoming) -> io::Result<Go> {
        if self.is_enough() {
            return Ok(Go::Ended);
        }
        let written = match &self.form {
            Form::Text(format, null) => format.write(incoming, *null, &mut self.out),
            Form::Json => write_json(incoming, &mut self.out),
        };
        if self.note(written)? == Go::Ended {
            return Ok(Go::Ended);
        }
        self.untold += 1;
        self.left = self.left.map(|left| left.saturating_sub(1));
        Ok(if self.left == Some(0) { Go::Ended } else { Go::On })
    }

    /// Has everything reach whoever reads it. What was written before counts as consumed only then.
    pub(super) fn flush(&mut self) -> io::Result<Go> {
        let flushed = self.out.flush();
        self.progress.add(std::mem::take(&mut self.untold));
        self.note(flushed)
    }

    /// Whoever reads it may have seen enough, which is no failure.
    fn note(&mut self, written: io::Result<()>) -> io::Result<Go> {
        match written {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.is_closed = true;
                Ok(Go::Ended)
            }
            other => other.map(|()| Go::On),
        }
    }

    /// True when nobody reads what is written.
    pub(super) fn is_closed(&self) -> bool {
        self.is_closed
    }
}

fn write_json(incoming: &Incoming, out: &mut impl Write) -> io::Result<()> {
    let record = &incoming.record;
    let mut written = JsonRecord::new(record.key.as_deref(), record.value.as_deref(), &record.headers);
    written.topic = Some(incoming.topic.to_string());
    written.partition = Some(incoming.partition);
    written.offset = Some(record.offset);
    written.timestamp = Some(record.timestamp);
    written.timestamp_type = Some(if incoming.log_append_time { "append" } else { "create" }.to_owned());
    serde_json::to_writer(&mut *out, &written)?;
    out.write_all(b"\n")
}
