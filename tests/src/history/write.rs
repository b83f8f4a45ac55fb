//! Writes histories and dumps.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use super::dump::Line;
use super::event::{Answer, Call, Event, Step};
use crate::problem::{Doing, Problem};

/// The number of an operation that has begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OperationId(u64);

/// Takes the events of all clients in one order. The time of an event is taken under the lock that orders the file, so
/// that the two orders are the same.
#[derive(Debug)]
pub struct Recorder {
    started: Instant,
    out: Mutex<Out>,
}

#[derive(Debug)]
struct Out {
    file: BufWriter<File>,
    /// Counts operations and connections, which share the numbers.
    next: u64,
    /// The first failure to write; the history is worth nothing then.
    failed: Option<Problem>,
}

impl Recorder {
    /// Begins a new history in this file.
    ///
    /// # Errors
    /// The file can not be made.
    pub fn create(file: &Path) -> Result<Self, Problem> {
        let file = File::create(file).doing(format_args!("create {}", file.display()))?;
        let out = Out { file: BufWriter::with_capacity(1 << 20, file), next: 1, failed: None };
        Ok(Self { started: Instant::now(), out: Mutex::new(out) })
    }

    /// An operation begins. To be called before its request is written.
    pub fn invoke(&self, client: u32, call: Call) -> OperationId {
        let mut out = self.out();
        let operation = out.number();
        self.write(&mut out, client, Step::Invoke { operation, call });
        OperationId(operation)
    }

    /// The broker did it.
    pub fn ok(&self, client: u32, operation: OperationId, answer: Answer) {
        self.note(client, Step::Ok { operation: operation.0, answer });
    }

    /// The broker said with this error code that it did not.
    pub fn fail(&self, client: u32, operation: OperationId, error: i16) {
        self.note(client, Step::Fail { operation: operation.0, error });
    }

    /// Nobody knows whether it was done.
    pub fn info(&self, client: u32, operation: OperationId, error: Option<i16>) {
        self.note(client, Step::Info { operation: operation.0, error });
    }

    /// A connection is about to be made; gives its number.
    pub fn open(&self, client: u32) -> u64 {
        let mut out = self.out();
        let connection = out.number();
        self.write(&mut out, client, Step::Open { connection });
        connection
    }

    /// Anything else.
    pub fn note(&self, client: u32, step: Step) {
        let mut out = self.out();
        self.write(&mut out, client, step);
    }

    /// Writes what is buffered.
    ///
    /// # Errors
    /// Something could not be written, now or before.
    pub fn finish(&self) -> Result<(), Problem> {
        let mut out = self.out();
        let flushed = out.file.flush().doing("write the history");
        out.failed.take().map_or(flushed, Err)
    }

    fn out(&self) -> MutexGuard<'_, Out> {
        self.out.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self, out: &mut Out, client: u32, step: Step) {
        let at = u64::try_from(self.started.elapsed().as_nanos()).unwrap_or(u64::MAX);
        let written = write_line(&mut out.file, &Event { at, client, step });
        out.failed = out.failed.take().or(written.err());
    }
}

impl Out {
    fn number(&mut self) -> u64 {
        let number = self.next;
        self.next = number.saturating_add(1);
        number
    }
}

/// Writes a dump, line by line.
#[derive(Debug)]
pub struct DumpWriter {
    file: BufWriter<File>,
}

impl DumpWriter {
    /// Begins a new dump in this file.
    ///
    /// # Errors
    /// The file can not be made.
    pub fn create(file: &Path) -> Result<Self, Problem> {
        let file = File::create(file).doing(format_args!("create {}", file.display()))?;
        Ok(Self { file: BufWriter::new(file) })
    }

    /// Writes one line.
    ///
    /// # Errors
    /// The file can not be written.
    pub fn write(&mut self, line: &Line) -> Result<(), Problem> {
        write_line(&mut self.file, line)
    }

    /// Writes what is buffered.
    ///
    /// # Errors
    /// The file can not be written.
    pub fn finish(mut self) -> Result<(), Problem> {
        self.file.flush().doing("write the dump")
    }
}

fn write_line(file: &mut impl Write, item: &impl serde::Serialize) -> Result<(), Problem> {
    serde_json::to_writer(&mut *file, item).doing("write a line of a history")?;
    file.write_all(b"\n").doing("write a line of a history")
}
