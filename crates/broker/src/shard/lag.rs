//! How far groups are behind, from one consistent view.
//!
//! The committed offsets are read first, through the coordinator, and the ends of the logs after that. A log only
//! grows, so an end is never older than a commit that was made below it, and lag is never negative. Both ends of a
//! partition, and what lies before them, are read under one hold of its log's lock.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use ottla_control::group::{Command, CommittedOffset, GroupOutline, OutlineMember, OutlineReply, Reply};
use ottla_control::machine::Caller;
use ottla_log::{Unread, UnreadLook};
use ottla_model::{ErrorCode, Offset, PartitionIndex, TopicName, WallMillis};

use super::partition::{Bounds, Looked};
use super::{Partition, Shard};
use crate::private::{GroupLag, GroupMember, Lag, LagNote, LagTotal, List, ListBuilder, PartitionLag};

/// How long one question may read segments that nobody has counted since the start, over all partitions. What is
/// counted stays so, and the next question goes on from there.
const COUNTING_PATIENCE: Duration = Duration::from_secs(5);

/// How often a partition is looked at again because a segment had to be counted, or compaction took one away.
const LOOKS_MAX: usize = 100_000;

/// How much of a group is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Detail {
    /// Totals.
    Summary,
    /// Members and partitions.
    Full,
}

/// What questions about lag have in common.
pub(crate) struct LagQuestion<'a> {
    shard: &'a Shard,
    /// Until when segments may be counted.
    until: Duration,
    /// The wall clock.
    pub(crate) now: WallMillis,
}

impl Shard {
    /// A group as it is now, or all of them in the order of their ids.
    pub(crate) async fn outlines(&self, group_id: Option<&str>) -> Result<Vec<GroupOutline>, ErrorCode> {
        let asked = match group_id {
            Some(group_id) => vec![self.group(group_id)?],
            None => self.all_groups().iter().collect(),
        };
        let caller = Caller { client_id: None, client_host: Arc::default() };
        let command = || Command::Outline { group_id: group_id.map(Arc::from) };
        let replies: Vec<_> =
            asked.into_iter().map(|coordinator| coordinator.submit(caller.clone(), command())).collect();
        let mut groups = Vec::new();
        for reply in replies {
            match reply.await {
                Ok(Reply::Outline(OutlineReply { error: ErrorCode::None, groups: more })) => {
                    groups.extend(more);
                }
                Ok(Reply::Outline(OutlineReply { error, .. })) => return Err(error),
                Ok(_) => return Err(ErrorCode::UnknownServerError),
                Err(_) => return Err(ErrorCode::NotCoordinator),
            }
        }
        groups.sort_unstable_by(|one, other| one.group_id.cmp(&other.group_id));
        Ok(groups)
    }

    /// Begins to answer how far groups are behind, whose outlines were read before.
    pub(crate) fn lag_question(&self) -> LagQuestion<'_> {
        let until = self.clock.monotonic().0.saturating_add(COUNTING_PATIENCE);
        LagQuestion { shard: self, until, now: self.clock.wall() }
    }
}

impl LagQuestion<'_> {
    /// How far a group is behind. It takes the locks of logs and may read from disk: call it where a thread may block.
    pub(crate) fn group(&self, outline: &GroupOutline, detail: Detail) -> GroupLag {
        let owners = owners(outline);
        let mut lag = about(outline);
        if detail == Detail::Full {
            let mut owned: HashMap<&str, u64> = HashMap::new();
            owners.values().for_each(|owner| *owned.entry(&owner.member_id).or_default() += 1);
            let mut members = ListBuilder::new();
            for member in &outline.members {
                let count = owned.get(&*member.member_id).copied().unwrap_or_default();
                members.push(about_member(member, count));
            }
            lag.members = members.finish();
        }
        let committed = outline.offsets.iter().flat_map(|(topic, partitions)| {
            partitions.iter().map(move |(&index, committed)| (topic.clone(), index, Some(committed)))
        });
        let is_committed = |topic: &TopicName, index: &PartitionIndex| {
            outline.offsets.get(topic).is_some_and(|partitions| partitions.contains_key(index))
        };
        let assigned = owners.keys().filter(|(topic, index)| !is_committed(topic, index));
        let assigned = assigned.map(|(topic, index)| (topic.clone(), *index, None));
        let mut places: Vec<_> = committed.chain(assigned).collect();
        places.sort_unstable_by(|one, other| (&one.0, one.1).cmp(&(&other.0, other.1)));
        let mut told = ListBuilder::new();
        for (topic, index, committed) in places {
            let mut partition = self.partition(&topic, index, committed);
            partition.owner = owners.get(&(topic, index)).map(|owner| owner.member_id.to_string());
            lag.commits = lag.commits.saturating_add(partition.commits);
            add(&mut lag.read_uncommitted, partition.read_uncommitted);
            add(&mut lag.read_committed, partition.read_committed);
            if detail == Detail::Full {
                told.push(partition);
            }
        }
        lag.partitions = told.finish();
        lag
    }

    /// How far somebody is behind who has committed that offset.
    fn partition(
        &self,
        topic: &TopicName,
        index: PartitionIndex,
        committed: Option<&CommittedOffset>,
    ) -> PartitionLag {
        let mut told = PartitionLag {
            topic: topic.to_string(),
            partition: index,
            owner: None,
            committed_offset: committed.map(|committed| committed.offset),
            committed_at_ms: committed.map(|committed| committed.commit_timestamp_ms),
            commits: committed.map_or(0, |committed| committed.commits),
            start_offset: None,
            high_watermark: None,
            last_stable_offset: None,
            read_uncommitted: None,
            read_committed: None,
            notes: Vec::new(),
        };
        let live = self.shard.topic(topic.as_str());
        let found = live.as_ref().and_then(|live| self.shard.partition(live, index).ok());
        let (Some(live), Some(partition)) = (live, found) else {
            return nothing_left(told, LagNote::NoPartition);
        };
        let Some(committed) = committed else {
            tell_bounds(&partition.bounds(), &mut told);
            told.notes.push(LagNote::NoCommit);
            return told;
        };
        if committed.is_of_another_topic(live.topic.id) {
            tell_bounds(&partition.bounds(), &mut told);
            return nothing_left(told, LagNote::OtherTopic);
        }
        self.count(&partition, committed.offset, &mut told);
        told
    }

    fn count(&self, partition: &Partition, committed: Offset, told: &mut PartitionLag) {
        match self.unread(partition, committed) {
            Ok((bounds, uncommitted, committed)) => {
                tell_bounds(&bounds, told);
                told.read_uncommitted = Some(self.lag(&uncommitted));
                told.read_committed = Some(self.lag(&committed));
            }
            Err(note) => {
                tell_bounds(&partition.bounds(), told);
                told.notes.push(note);
            }
        }
        let note = match (told.start_offset, told.high_watermark) {
            (Some(start), _) if committed < start => LagNote::BeforeStart,
            (_, Some(end)) if committed > end => LagNote::PastEnd,
            _ => return,
        };
        told.notes.push(note);
    }

    /// What readers of either kind have not seen, counting what has to be counted for it.
    fn unread(&self, partition: &Partition, from: Offset) -> Result<(Bounds, Unread, Unread), LagNote> {
        for _ in 0..LOOKS_MAX {
            let Looked { bounds, uncommitted, committed } =
                partition.unread(from).map_err(|_| LagNote::Unreadable)?;
            let segment = match (uncommitted, committed) {
                (UnreadLook::Known(uncommitted), UnreadLook::Known(committed)) => {
                    let counted = uncommitted.count().and_then(|one| Ok((one, committed.count()?)));
                    let (uncommitted, committed) = counted.map_err(|_| LagNote::Unreadable)?;
                    return Ok((bounds, uncommitted, committed));
                }
                (UnreadLook::Uncounted(segment), _) | (_, UnreadLook::Uncounted(segment)) => segment,
            };
            if self.shard.clock.monotonic().0 >= self.until {
                return Err(LagNote::Counting);
            }
            let counted = segment.count().map_err(|_| LagNote::Unreadable)?;
            partition.log().note_counted(counted).map_err(|_| LagNote::Unreadable)?;
        }
        Err(LagNote::Counting)
    }

    fn lag(&self, unread: &Unread) -> Lag {
        let timestamp = unread.next.map(|next| next.timestamp).filter(|&timestamp| timestamp >= 0);
        Lag {
            records: unread.records,
            bytes: unread.bytes,
            next_offset: unread.next.map(|next| next.offset),
            // A producer's clock may be ahead of this one.
            age_ms: timestamp.map(|timestamp| self.now.0.saturating_sub(timestamp).max(0)),
        }
    }
}

fn tell_bounds(bounds: &Bounds, told: &mut PartitionLag) {
    told.start_offset = Some(bounds.start);
    told.high_watermark = Some(bounds.high_watermark);
    told.last_stable_offset = Some(bounds.last_stable);
}

/// There is nothing that the group could read on from its offset.
fn nothing_left(told: PartitionLag, note: LagNote) -> PartitionLag {
    let nothing = told.committed_offset.map(|_| Lag::default());
    PartitionLag { read_uncommitted: nothing, read_committed: nothing, notes: vec![note], ..told }
}

fn add(total: &mut LagTotal, lag: Option<Lag>) {
    let Some(lag) = lag else {
        total.unknown_partitions = total.unknown_partitions.saturating_add(1);
        return;
    };
    total.records = total.records.saturating_add(lag.records);
    total.bytes = total.bytes.saturating_add(lag.bytes);
    total.age_ms = total.age_ms.max(lag.age_ms);
}

fn about(outline: &GroupOutline) -> GroupLag {
    let rebalances = outline.rebalances.iter().filter(|(_, count)| *count > 0);
    GroupLag {
        group: outline.group_id.to_string(),
        group_type: outline.group_type.to_owned(),
        state: outline.state.to_owned(),
        protocol_type: outline.protocol_type.to_string(),
        protocol: outline.protocol.to_string(),
        member_count: outline.members.len() as u64,
        members: List::default(),
        rebalances: rebalances.map(|(reason, count)| (reason.name().to_owned(), count)).collect(),
        commits: 0,
        read_uncommitted: LagTotal::default(),
        read_committed: LagTotal::default(),
        partitions: List::default(),
    }
}

fn about_member(member: &OutlineMember, partition_count: u64) -> GroupMember {
    GroupMember {
        member_id: member.member_id.to_string(),
        group_instance_id: member.group_instance_id.as_deref().map(str::to_owned),
        client_id: member.client_id.to_string(),
        client_host: member.client_host.to_string(),
        partition_count,
    }
}

/// Who owns which partition, as far as the coordinator can tell.
fn owners(outline: &GroupOutline) -> HashMap<(TopicName, PartitionIndex), &OutlineMember> {
    let mut owners = HashMap::new();
    for member in &outline.members {
        for (topic, partitions) in &member.partitions {
            owners.extend(partitions.iter().map(|index| ((topic.clone(), *index), member)));
        }
    }
    owners
}
