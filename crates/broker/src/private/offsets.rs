//! What `ottla group history`, `offsets`, `diff` and `undo` show. Times are milliseconds since 1970.

use serde::{Deserialize, Serialize};

use super::List;

/// What happened to the committed offsets of a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupHistory {
    /// The group.
    pub group: String,
    /// The broker's time.
    pub now_ms: i64,
    /// Since when changes were asked for; nothing for all that there are.
    pub since_ms: Option<i64>,
    /// Compaction may have taken changes away until then; nothing when none of what was asked for is missing.
    pub complete_from_ms: Option<i64>,
    /// The changes, the newest first.
    pub changes: List<OffsetChange>,
}

/// A change of one committed offset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OffsetChange {
    /// When it took effect.
    pub time_ms: i64,
    /// The topic.
    pub topic: String,
    /// The partition of it.
    pub partition: i32,
    /// Whether the old offset is known: records that were not written by Ottla do not tell.
    pub old_known: bool,
    /// The offset before; nothing when there was none.
    pub old: Option<i64>,
    /// The offset since; nothing when it was deleted.
    pub new: Option<i64>,
    /// What led to it: `commit`, `transactional commit`, `reset`, `offset delete`, `group delete`, `expiry`,
    /// `topic delete` or `undo`; nothing when the record does not tell.
    pub cause: Option<String>,
    /// The new offset is below the old one, by a commit.
    pub went_backward: bool,
    /// The new offset was past the end of the partition.
    pub past_end: bool,
    /// It was committed by a member that the partition was not assigned to.
    pub not_owner: bool,
    /// The generation or member epoch, or -1.
    pub generation: i32,
    /// The member, or empty.
    pub member_id: String,
    /// Its instance id, of a static member.
    pub instance_id: Option<String>,
    /// The client id of the request, if it had one.
    pub client_id: Option<String>,
    /// The address that the request came from, or empty for what the broker did by itself.
    pub client_host: String,
}

/// What was committed for a group at a time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupOffsetsAt {
    /// The group.
    pub group: String,
    /// The time.
    pub at_ms: i64,
    /// Compaction may have taken away what the answer needs from before then; nothing when it did not.
    pub complete_from_ms: Option<i64>,
    /// The offsets, by topic and partition.
    pub offsets: List<OffsetAt>,
}

/// A committed offset at a time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OffsetAt {
    /// The topic.
    pub topic: String,
    /// The partition of it.
    pub partition: i32,
    /// False when the next change does not tell what it replaced.
    pub known: bool,
    /// The offset.
    pub offset: Option<i64>,
}

/// What differs between what was committed for a group at two times.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupDiff {
    /// The group.
    pub group: String,
    /// The first time.
    pub from_ms: i64,
    /// The second time.
    pub to_ms: i64,
    /// As in [`GroupOffsetsAt::complete_from_ms`].
    pub complete_from_ms: Option<i64>,
    /// The partitions whose offset changed in between, by topic and partition.
    pub partitions: List<OffsetDifference>,
}

/// The offset of a partition at two times.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OffsetDifference {
    /// The topic.
    pub topic: String,
    /// The partition of it.
    pub partition: i32,
    /// False when one of the two offsets cannot be known.
    pub known: bool,
    /// The offset at the first time; nothing when there was none.
    pub from: Option<i64>,
    /// The offset at the second time; nothing when there was none.
    pub to: Option<i64>,
    /// How often it changed in between.
    pub changes: u64,
}

/// An administrative change that was taken back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupUndo {
    /// The group.
    pub group: String,
    /// True when it was only asked what would be taken back.
    pub dry_run: bool,
    /// What the change was, as in [`OffsetChange::cause`].
    pub cause: String,
    /// When it was made.
    pub time_ms: i64,
    /// The client id of who made it, if there was one.
    pub client_id: Option<String>,
    /// The address that it came from.
    pub client_host: String,
    /// The offsets, by topic and partition.
    pub offsets: List<OffsetRestored>,
}

/// An offset that got its old value back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OffsetRestored {
    /// The topic.
    pub topic: String,
    /// The partition of it.
    pub partition: i32,
    /// The offset that the change had made; nothing when it had deleted it.
    pub from: Option<i64>,
    /// The offset that is committed again; nothing when there was none.
    pub to: Option<i64>,
}
