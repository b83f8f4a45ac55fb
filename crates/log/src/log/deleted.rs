//! Files that do not belong to the log any more, but are still there under another name.

use std::io;
use std::sync::Arc;

use ottla_model::Offset;

use crate::names::{DELETED_SUFFIX, Kind, file_name};
use crate::segment::Place;

/// Files that were given the suffix `.deleted` under the log's lock. Removing a large file can take long, so that
/// is left to the owner, without the lock. What is not removed goes when the log is opened the next time.
#[derive(Debug)]
#[must_use = "`remove` gives the space back"]
pub struct DeletedFiles {
    place: Arc<Place>,
    names: Vec<String>,
}

impl DeletedFiles {
    pub(super) fn new(place: &Arc<Place>) -> Self {
        Self { place: Arc::clone(place), names: Vec::new() }
    }

    /// Renames a file, if it is there.
    pub(super) fn add(&mut self, base_offset: Offset, kind: Kind) -> io::Result<()> {
        let name = file_name(base_offset, kind);
        let gone = format!("{name}{DELETED_SUFFIX}");
        match self.place.disk.rename(&self.place.path(&name), &self.place.path(&gone)) {
            Ok(()) => self.names.push(gone),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// Gives all of them their names back, the last one first.
    pub(super) fn restore(&mut self) -> io::Result<()> {
        while let Some(gone) = self.names.last() {
            let name = gone.strip_suffix(DELETED_SUFFIX).unwrap_or(gone);
            self.place.disk.rename(&self.place.path(gone), &self.place.path(name))?;
            self.names.pop();
        }
        Ok(())
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// True when there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// Removes them. Slices of them that readers hold live on.
    ///
    /// # Errors What the disk says of the first that could not be removed; the others are gone.
    pub fn remove(self) -> io::Result<()> {
        let removals: Vec<io::Result<()>> = self.names.iter().map(|name| self.place.remove(name)).collect();
        removals.into_iter().collect()
    }
}
