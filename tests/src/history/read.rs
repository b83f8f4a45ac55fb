//! Reads histories and dumps.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use serde::de::DeserializeOwned;

use super::dump::{Dump, Line};
use super::event::Event;
use crate::problem::{Doing, Problem};

/// The events of a file, in their order.
///
/// # Errors
/// The file can not be read, or a line is no event. The last line may be cut: a writer was killed.
pub fn read_events(file: &Path) -> Result<Vec<Event>, Problem> {
    let mut events = Vec::new();
    each_line(file, |event| events.push(event))?;
    Ok(events)
}

/// The dump in a file.
///
/// # Errors
/// The file can not be read, or a line is not of a dump.
pub fn read_dump(file: &Path) -> Result<Dump, Problem> {
    let mut dump = Dump::default();
    each_line(file, |line: Line| dump.add(line))?;
    Ok(dump)
}

fn each_line<T: DeserializeOwned>(file: &Path, mut take: impl FnMut(T)) -> Result<(), Problem> {
    let name = file.display();
    let mut reader = BufReader::new(File::open(file).doing(format_args!("open {name}"))?);
    let (mut line, mut number) = (Vec::new(), 0u64);
    loop {
        line.clear();
        number = number.saturating_add(1);
        reader.read_until(b'\n', &mut line).doing(format_args!("read {name}"))?;
        if line.is_empty() {
            return Ok(());
        }
        match serde_json::from_slice(&line) {
            Ok(item) => take(item),
            Err(_) if line.last() != Some(&b'\n') => return Ok(()),
            Err(error) => return Err(Problem::new(format!("{name}:{number} can not be read: {error}"))),
        }
    }
}
