//! Writes the history down, and knows at any time who owns what.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::event::{Event, Fact, Membership};
use crate::problem::{Doing, Problem};

/// A commit to be made in the name of a member that owns the partition no more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Forgery {
    pub(super) group: String,
    pub(super) id: String,
    pub(super) epoch: i32,
    pub(super) partition: i32,
}

/// The history of a run while it is written.
#[derive(Debug)]
pub(super) struct Record {
    inner: Mutex<Inner>,
    changed: Condvar,
}

#[derive(Debug)]
struct Inner {
    file: BufWriter<File>,
    failed: Option<Problem>,
    groups: BTreeMap<u32, String>,
    live: BTreeSet<u32>,
    /// Who owned a partition in the highest epoch that is known.
    owners: BTreeMap<(String, i32), Membership>,
    forgeries: Vec<Forgery>,
    stated: BTreeSet<u32>,
    stopped: bool,
}

/// Microseconds since 1970.
pub(super) fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
}

impl Record {
    pub(super) fn create(file: &Path) -> Result<Self, Problem> {
        let file = File::create(file).doing(format_args!("create {}", file.display()))?;
        let inner = Inner {
            file: BufWriter::new(file),
            failed: None,
            groups: BTreeMap::new(),
            live: BTreeSet::new(),
            owners: BTreeMap::new(),
            forgeries: Vec::new(),
            stated: BTreeSet::new(),
            stopped: false,
        };
        Ok(Self { inner: Mutex::new(inner), changed: Condvar::new() })
    }

    /// Notes something that happens now.
    pub(super) fn note(&self, fact: Fact) {
        self.take(Event { at: now(), fact });
    }

    /// Notes what a process has seen.
    pub(super) fn take(&self, event: Event) {
        let mut inner = self.inner();
        inner.learn(&event.fact);
        let mut line = serde_json::to_vec(&event).unwrap_or_default();
        line.push(b'\n');
        let written = inner.file.write_all(&line).doing("write the history");
        inner.failed = inner.failed.take().or(written.err());
        drop(inner);
        self.changed.notify_all();
    }

    /// The producer has sent everything.
    pub(super) fn stopped(&self) {
        self.inner().stopped = true;
        self.changed.notify_all();
    }

    /// Waits until the producer has sent everything; whether it did in time.
    pub(super) fn wait_for_stop(&self, limit: Duration) -> bool {
        self.wait(limit, |inner| inner.stopped)
    }

    /// Waits until all these members have said what they own; whether they did in time.
    pub(super) fn wait_for_states(&self, members: &BTreeSet<u32>, limit: Duration) -> bool {
        self.wait(limit, |inner| members.is_subset(&inner.stated))
    }

    /// How many members of a group there should be.
    pub(super) fn live(&self, group: &str) -> usize {
        let inner = self.inner();
        let of_group = |member: &&u32| inner.groups.get(*member).is_some_and(|of| of == group);
        inner.live.iter().filter(of_group).count()
    }

    /// Takes the commits that are to be made up.
    pub(super) fn forgeries(&self) -> Vec<Forgery> {
        std::mem::take(&mut self.inner().forgeries)
    }

    /// Writes what is buffered.
    pub(super) fn finish(&self) -> Result<(), Problem> {
        let mut inner = self.inner();
        let flushed = inner.file.flush().doing("write the history");
        inner.failed.take().map_or(flushed, Err)
    }

    fn wait(&self, limit: Duration, done: impl Fn(&Inner) -> bool) -> bool {
        let deadline = Instant::now() + limit;
        let mut inner = self.inner();
        while !done(&inner) {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            let waited = self.changed.wait_timeout(inner, left);
            inner = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn learn(&mut self, fact: &Fact) {
        match fact {
            Fact::Joins { member, group, .. } => {
                self.groups.insert(*member, group.clone());
                self.live.insert(*member);
            }
            Fact::Leaves { member } | Fact::Killed { member } => {
                self.live.remove(member);
            }
            Fact::Assigned(membership) if membership.epoch > 0 => self.assigned(membership),
            Fact::State(membership) => {
                self.stated.insert(membership.member);
            }
            _ => {}
        }
    }

    fn assigned(&mut self, membership: &Membership) {
        let Some(group) = self.groups.get(&membership.member).cloned() else { return };
        for partition in membership.partitions.iter().copied() {
            let before = self.owners.entry((group.clone(), partition)).or_insert_with(|| membership.clone());
            if before.epoch >= membership.epoch {
                continue;
            }
            let before = std::mem::replace(before, membership.clone());
            if before.id != membership.id {
                let (group, id, epoch) = (group.clone(), before.id, before.epoch);
                self.forgeries.push(Forgery { group, id, epoch, partition });
            }
        }
    }
}
