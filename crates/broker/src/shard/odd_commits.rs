//! Tells of commits that look like mistakes: in the broker's log, so often and no more, and as counts.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use ottla_control::group::OddCommit;
use ottla_control::machine::Caller;
use ottla_model::Monotonic;
use tracing::warn;

/// Lines of the log that odd commits may fill in each interval; further ones are counted.
const LINES_PER_INTERVAL_MAX: u32 = 20;

/// See [`LINES_PER_INTERVAL_MAX`].
const INTERVAL: Duration = Duration::from_secs(10);

/// Counts and limits what is told.
#[derive(Debug, Default)]
pub(crate) struct OddCommits {
    went_backward: AtomicU64,
    past_end: AtomicU64,
    not_owner: AtomicU64,
    told: Mutex<Told>,
}

/// What was told in the present interval.
#[derive(Debug, Default)]
struct Told {
    since: Monotonic,
    lines: u32,
    left_out: u64,
}

/// How many odd commits there were, by what is odd.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct OddCommitCounts {
    /// Below the offset before.
    pub(crate) went_backward: u64,
    /// Past the end of the partition.
    pub(crate) past_end: u64,
    /// By a member that does not own the partition.
    pub(crate) not_owner: u64,
}

impl OddCommits {
    /// Takes note of what one request committed. Most requests commit nothing odd.
    pub(crate) fn tell(&self, group: &str, member: &str, caller: &Caller, odd: &[OddCommit], now: Monotonic) {
        for commit in odd {
            for (is_so, count) in [
                (commit.oddities.went_backward, &self.went_backward),
                (commit.oddities.past_end, &self.past_end),
                (commit.oddities.not_owner, &self.not_owner),
            ] {
                count.fetch_add(u64::from(is_so), Ordering::Relaxed);
            }
            let Some(left_out) = self.may_tell(now) else { continue };
            warn!(
                group,
                member,
                client = caller.client_id.as_deref().unwrap_or_default(),
                host = &*caller.client_host,
                topic = %commit.topic,
                partition = commit.partition,
                previous = commit.previous,
                committed = commit.offset,
                log_end = commit.log_end,
                went_backward = commit.oddities.went_backward,
                past_end = commit.oddities.past_end,
                not_owner = commit.oddities.not_owner,
                left_out,
                "an odd commit of an offset was taken"
            );
        }
    }

    /// How many lines were left out since the last one, if another may be told now.
    fn may_tell(&self, now: Monotonic) -> Option<u64> {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if now.since(told.since) >= INTERVAL {
            *told = Told { since: now, lines: 0, left_out: told.left_out };
        }
        if told.lines >= LINES_PER_INTERVAL_MAX {
            told.left_out = told.left_out.saturating_add(1);
            return None;
        }
        told.lines = told.lines.saturating_add(1);
        Some(std::mem::take(&mut told.left_out))
    }

    /// The counts since the start.
    #[cfg_attr(not(test), expect(dead_code, reason = "the metrics listener exports them"))]
    pub(crate) fn counts(&self) -> OddCommitCounts {
        OddCommitCounts {
            went_backward: self.went_backward.load(Ordering::Relaxed),
            past_end: self.past_end.load(Ordering::Relaxed),
            not_owner: self.not_owner.load(Ordering::Relaxed),
        }
    }
}

#[cfg(test)]
mod tests {
    use ottla_control::codec::CommitOddities;
    use ottla_model::TopicName;

    use super::*;

    #[test]
    fn all_are_counted_and_some_are_told() {
        let odd = OddCommit {
            topic: TopicName::new("orders").expect("fits"),
            partition: 0,
            previous: Some(5),
            offset: 4,
            log_end: Some(3),
            oddities: CommitOddities { went_backward: true, past_end: true, not_owner: false },
        };
        let commits = OddCommits::default();
        let caller = Caller { client_id: None, client_host: "/".into() };
        let now = Monotonic::default();
        commits.tell("g", "m", &caller, &vec![odd; 50], now);
        let expected = OddCommitCounts { went_backward: 50, past_end: 50, not_owner: 0 };
        assert_eq!(commits.counts(), expected);
        assert_eq!(commits.may_tell(now), None);
        assert_eq!(commits.may_tell(now.plus_millis(10_000)), Some(31), "30 and the one just asked for");
        assert_eq!(commits.may_tell(now.plus_millis(10_000)), Some(0));
    }
}
