//! One round over the partitions of a Fetch.

use std::sync::Arc;

use ottla_log::{Isolation, ReadError};
use ottla_model::{ErrorCode, NO_LEADER_EPOCH};
use ottla_wire::fetch::{AbortedTransaction, EpochEndOffset, FetchPartitionResponse, FetchRequest};
use tracing::warn;

use super::refused;
use super::session::{Target, TopicKey};
use crate::error_codes;
use crate::settings::Settings;
use crate::shard::{Ask, Partition, Shard, isolation_of};

/// How much a Fetch may and must return.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    max_bytes: usize,
    min_bytes: usize,
    isolation: Isolation,
    as_follower: bool,
}

impl Limits {
    pub(super) fn of(request: &FetchRequest, settings: &Settings) -> Self {
        let max_bytes = request.max_bytes.min(settings.fetch_max_bytes);
        let max_bytes = usize::try_from(max_bytes).unwrap_or(0);
        let min_bytes = usize::try_from(request.min_bytes).unwrap_or(0).min(max_bytes);
        let isolation = isolation_of(request.isolation_level);
        Self { max_bytes, min_bytes, isolation, as_follower: request.replica_id >= 0 }
    }
}

impl Limits {
    /// Reads at most so much.
    pub(super) fn lower_to(&mut self, bytes: usize) {
        self.max_bytes = self.max_bytes.min(bytes);
        self.min_bytes = self.min_bytes.min(self.max_bytes);
    }
}

/// What one round found.
pub(super) struct Round {
    /// One a target, in their order; `None` once the answer leaves it out.
    pub(super) responses: Vec<Option<FetchPartitionResponse>>,
    /// Of records.
    pub(super) bytes: usize,
    /// Something that the client should hear of now.
    urgent: bool,
}

impl Round {
    /// True when there is no reason to wait.
    pub(super) fn is_enough(&self, limits: &Limits) -> bool {
        self.urgent || self.bytes >= limits.min_bytes
    }
}

/// Which reads a round may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reads {
    /// Those that need nothing but memory.
    Hot,
    /// Also those that wait for the disk. The thread may block.
    All,
}

/// Reads every target once; `None` when one of them would have to wait for the disk and may not. The first batch of the
/// first partition that has one is returned even if it is larger than the limit, so that a consumer always gets on (KIP-74).
pub(super) fn round(shard: &Shard, targets: &[Target], limits: &Limits, reads: Reads) -> Option<Round> {
    let mut round = Round { responses: Vec::with_capacity(targets.len()), bytes: 0, urgent: false };
    let mut readable = false;
    for target in targets {
        let left = limits.max_bytes.saturating_sub(round.bytes);
        let response = match read(shard, target, limits, reads, left, round.bytes == 0) {
            Ok(Some(response)) => response,
            Ok(None) => return None,
            Err(error) => refused(target.fetch.index, error),
        };
        round.bytes = round.bytes.saturating_add(response.records.len());
        let missing =
            matches!(response.error, ErrorCode::UnknownTopicId | ErrorCode::UnknownTopicOrPartition);
        readable |= !missing;
        round.urgent |= (response.error.is_error() && !missing) || response.diverging_epoch.is_some();
        round.responses.push(Some(response));
    }
    // A partition that is gone is no reason to hurry, as long as there is another one to wait for.
    round.urgent |= !readable;
    Some(round)
}

/// The partition that a target names.
pub(super) fn look_up(shard: &Shard, target: &Target) -> Result<Arc<Partition>, ErrorCode> {
    let live = match &target.topic {
        // A topic that was there when the request or its session named it is one that was deleted.
        TopicKey::Id(id) if target.was_there => {
            shard.topic_by_id(*id).ok_or(ErrorCode::UnknownTopicOrPartition)?
        }
        TopicKey::Id(id) => shard.topic_by_id(*id).ok_or(ErrorCode::UnknownTopicId)?,
        TopicKey::Name(name) => shard.topic(name).ok_or(ErrorCode::UnknownTopicOrPartition)?,
    };
    shard.partition(&live, target.fetch.index)
}

fn read(
    shard: &Shard,
    target: &Target,
    limits: &Limits,
    reads: Reads,
    left: usize,
    nothing_yet: bool,
) -> Result<Option<FetchPartitionResponse>, ErrorCode> {
    let fetch = &target.fetch;
    let partition = look_up(shard, target)?;
    if limits.as_follower {
        // There are no followers: nobody but a client that pretends asks so.
        return Err(ErrorCode::NotLeaderOrFollower);
    }
    check_leader_epoch(fetch.current_leader_epoch, partition.leader_epoch())?;
    let high_watermark = partition.high_watermark();
    let max_bytes = left.min(usize::try_from(fetch.max_bytes).unwrap_or(0));
    let mut response = FetchPartitionResponse { index: fetch.index, ..FetchPartitionResponse::default() };
    if let Some(diverging) = diverging_epoch(&partition, fetch.last_fetched_epoch, fetch.fetch_offset)? {
        response.diverging_epoch = Some(diverging);
        response.last_stable_offset = partition.log().last_stable_offset(high_watermark);
        response.aborted_transactions = (limits.isolation == Isolation::ReadCommitted).then(Vec::new);
    } else {
        let asked = Ask {
            from: fetch.fetch_offset,
            max_bytes,
            at_least_one: nothing_yet,
            high_watermark,
            isolation: limits.isolation,
        };
        let fetched = match reads {
            Reads::Hot => partition.fetch_hot(&asked),
            Reads::All => partition.fetch_cold(&asked).map(Some),
        };
        let fetched = match fetched {
            Ok(Some(fetched)) => fetched,
            Ok(None) => return Ok(None),
            Err(error) => {
                if let ReadError::Storage(error) = &error {
                    warn!(partition = %partition.name(), offset = fetch.fetch_offset, %error, "cannot read a log");
                }
                return Err(error_codes::of_read(&error));
            }
        };
        response.records = fetched.read.bytes;
        response.last_stable_offset = fetched.last_stable_offset;
        let aborted = |aborted: &ottla_log::AbortedTransaction| AbortedTransaction {
            producer_id: aborted.producer_id,
            first_offset: aborted.first_offset,
        };
        response.aborted_transactions = fetched.aborted.map(|all| all.iter().map(aborted).collect());
    }
    response.high_watermark = high_watermark;
    response.log_start_offset = partition.log().start_offset();
    Ok(Some(response))
}

/// Refuses a client that knows another epoch than this broker leads in (KIP-320).
pub(in crate::api) fn check_leader_epoch(asked: i32, current: i32) -> Result<(), ErrorCode> {
    match asked {
        NO_LEADER_EPOCH => Ok(()),
        newer if newer > current => Err(ErrorCode::UnknownLeaderEpoch),
        older if older < current => Err(ErrorCode::FencedLeaderEpoch),
        _ => Ok(()),
    }
}

/// Where the log parted from what the reader has seen, if it did (KIP-595).
fn diverging_epoch(
    partition: &Partition,
    last_fetched_epoch: i32,
    fetch_offset: i64,
) -> Result<Option<EpochEndOffset>, ErrorCode> {
    if last_fetched_epoch < 0 {
        return Ok(None);
    }
    let (epoch, end_offset) = partition.log().epoch_end_offset(last_fetched_epoch, partition.leader_epoch());
    if epoch < 0 || end_offset < 0 {
        return Err(ErrorCode::OffsetOutOfRange);
    }
    let diverged = epoch < last_fetched_epoch || end_offset < fetch_offset;
    Ok(diverged.then_some(EpochEndOffset { epoch, end_offset }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leader_epochs_are_checked_as_kafka_does() {
        assert_eq!(check_leader_epoch(-1, 5), Ok(()));
        assert_eq!(check_leader_epoch(-2, 5), Err(ErrorCode::FencedLeaderEpoch));
        assert_eq!(check_leader_epoch(5, 5), Ok(()));
        assert_eq!(check_leader_epoch(6, 5), Err(ErrorCode::UnknownLeaderEpoch));
        assert_eq!(check_leader_epoch(4, 5), Err(ErrorCode::FencedLeaderEpoch));
    }
}
