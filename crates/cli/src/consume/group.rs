//! Reads as a member of a consumer group.

use std::collections::BTreeMap;
use std::error::Error;
use std::time::{Duration, Instant};

use super::fetch::{Fetcher, check};
use super::membership::{Membership, Standing};
use super::output::Output;
use super::start::{Leaders, begins, ends, leaders};
use super::{Consume, Go};
use crate::client::{Cluster, Place, Problem};
use crate::patience::Patience;
use crate::signals::Stop;

/// Between two commits.
const COMMIT_INTERVAL: Duration = Duration::from_secs(5);

/// How long joining may fail for reasons that may pass.
const PATIENCE: Duration = Duration::from_secs(60);

/// How often a member that got no partitions looks whether that has changed.
const IDLE: Duration = Duration::from_millis(100);

/// Why reading ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ended {
    /// There is nothing more to do.
    Done,
    /// The member has to join again.
    Rejoin,
}

/// Reads until there is a reason to stop, then commits and leaves.
pub(super) fn consume(
    mut cluster: Cluster,
    options: &Consume,
    group: &str,
    output: &mut Output<'_>,
    stop: &Stop,
) -> Result<(), Box<dyn Error>> {
    check(&mut cluster)?;
    // That a topic is missing is told before anybody joins.
    leaders(&mut cluster, &options.topics, output.progress())?;
    let mut patience = Patience::new(PATIENCE);
    let membership = loop {
        match Membership::new(&mut cluster, group, &options.topics) {
            Ok(membership) => break membership,
            Err(problem) => patience.wait(problem, output.progress())?,
        }
    };
    let mut reader =
        Reader { cluster, options, membership, committed: BTreeMap::new(), last_commit: Instant::now() };
    while !(stop.is_asked() || output.is_enough()) {
        match reader.generation(output, stop) {
            Ok(Ended::Done) => break,
            Ok(Ended::Rejoin) => patience = Patience::new(PATIENCE),
            Err(error) => match error.downcast::<Problem>() {
                Ok(problem) => {
                    patience.wait(*problem, output.progress())?;
                    // Until it answers again, the next turn says so.
                    let _ = reader.membership.reconnect(&mut reader.cluster);
                }
                Err(error) => return Err(error),
            },
        }
    }
    reader.membership.leave().map_err(Into::into)
}

struct Reader<'a> {
    cluster: Cluster,
    options: &'a Consume,
    membership: Membership,
    /// What the group has committed, as far as this member knows.
    committed: BTreeMap<Place, i64>,
    last_commit: Instant,
}

impl Reader<'_> {
    /// Joins, and reads what it gets until that is taken away again.
    fn generation(&mut self, output: &mut Output<'_>, stop: &Stop) -> Result<Ended, Box<dyn Error>> {
        let Some(places) = self.membership.join(&mut self.cluster)? else { return Ok(Ended::Rejoin) };
        self.committed = self.membership.committed(&places)?;
        let mut fetcher = self.fetcher(&places, output)?;
        let is_bounded = self.options.exit || self.options.until().is_some();
        let mut written = fetcher.positions();
        self.last_commit = Instant::now();
        let ended = loop {
            if stop.is_asked() || output.is_enough() || (is_bounded && fetcher.is_at_end()) {
                break Ended::Done;
            }
            if places.is_empty() {
                std::thread::sleep(IDLE);
            }
            let go = fetcher.round(&mut self.cluster, output)?;
            if !output.is_closed() {
                written = fetcher.positions();
            }
            if go == Go::Ended {
                break Ended::Done;
            }
            let mut standing = self.membership.heartbeat()?;
            if standing == Standing::Good && self.last_commit.elapsed() >= COMMIT_INTERVAL {
                standing = self.commit(&written)?;
            }
            match standing {
                Standing::Good => {}
                Standing::Rebalance => break Ended::Rejoin,
                Standing::Lost => {
                    self.lost(standing, output);
                    return Ok(Ended::Rejoin);
                }
            }
        };
        let standing = self.commit(&written)?;
        if standing != Standing::Good {
            self.lost(standing, output);
        }
        Ok(ended)
    }

    fn fetcher(&mut self, places: &[Place], output: &Output<'_>) -> Result<Fetcher, Box<dyn Error>> {
        let read_committed = self.options.read_committed();
        let mut assigned: Leaders = leaders(&mut self.cluster, &self.options.topics, output.progress())?;
        assigned.retain(|place, _| places.contains(place));
        let until = self.options.until();
        let ends = ends(&mut self.cluster, &assigned, until, self.options.exit, read_committed)?;
        let mut new = assigned.clone();
        new.retain(|place, _| !self.committed.contains_key(place));
        let mut begins = begins(&mut self.cluster, &new, self.options.begin(), read_committed)?;
        begins.extend(self.committed.iter().map(|(place, offset)| (place.clone(), *offset)));
        Ok(Fetcher::new(&assigned, &begins, &ends, read_committed))
    }

    /// Commits the offsets that are not committed yet.
    fn commit(&mut self, written: &BTreeMap<Place, i64>) -> Result<Standing, Problem> {
        self.last_commit = Instant::now();
        let is_new = |(place, offset): &(&Place, &i64)| self.committed.get(*place) != Some(*offset);
        let new: BTreeMap<Place, i64> =
            written.iter().filter(is_new).map(|(place, offset)| (place.clone(), *offset)).collect();
        if new.is_empty() {
            return Ok(Standing::Good);
        }
        let standing = self.membership.commit(&new)?;
        if standing == Standing::Good {
            self.committed.extend(new);
        }
        Ok(standing)
    }

    /// Tells that the group did not take the last offsets.
    fn lost(&mut self, standing: Standing, output: &Output<'_>) {
        output.tell(
            "the group went on without this member; what it wrote since its last commit may be read again",
        );
        if standing == Standing::Lost {
            self.membership.forget();
        }
    }
}
