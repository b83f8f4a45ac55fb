//! What `ottla group why` shows. Times are milliseconds since 1970.

use serde::{Deserialize, Serialize};

use super::List;

/// What happened in a group lately.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GroupWhy {
    /// The group.
    pub group: String,
    /// Kafka's name of the group's state; Dead when there is none any more.
    pub state: String,
    /// What happened, the newest first. A restart of the broker forgets it.
    pub events: List<TimedEvent>,
}

/// Something that happened, and when.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TimedEvent {
    /// When.
    pub time_ms: i64,
    /// What.
    #[serde(flatten)]
    pub event: GroupEvent,
}

/// Something that happened in a group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum GroupEvent {
    /// A member joined.
    Joined {
        /// Who.
        member: MemberName,
    },
    /// A member left, or somebody removed it.
    Left {
        /// Who.
        member: MemberName,
        /// The client that asked for it, when that is another than the member.
        removed_by: Option<String>,
        /// Why, in that client's words.
        reason: Option<String>,
    },
    /// A member was put out.
    Evicted {
        /// Who.
        member: MemberName,
        /// What it failed to do: `heartbeat`, `rejoin`, `sync` or `revocation`.
        missed: String,
        /// How long the group waited for that.
        waited_ms: u64,
        /// The API that its client asked last, if it was seen. Clients are told apart by client id and address.
        last_seen_in: Option<String>,
        /// How long before.
        last_seen_ms_ago: Option<u64>,
    },
    /// A process came under the instance id of a static member, whose old process is fenced.
    Replaced {
        /// The new one.
        member: MemberName,
        /// The member id of the old one.
        old_member_id: String,
    },
    /// A static member of a consumer group is away, and keeps its partitions.
    Away {
        /// Who.
        member: MemberName,
    },
    /// A rebalance began, or began anew; of a consumer group, it has a new epoch.
    RebalanceStarted {
        /// Why, as metrics name it.
        reason: String,
        /// The member that it is about, or empty.
        member_id: String,
        /// Why, in the client's words.
        words: Option<String>,
    },
    /// The members of a generation are known.
    Elected {
        /// The generation.
        generation: i32,
        /// Member id of the leader.
        leader: String,
        /// True when another led before.
        is_new: bool,
        /// How many members there are.
        members: usize,
        /// The protocol.
        protocol: Option<String>,
    },
    /// A consumer group knows what each of its members shall have.
    TargetMade {
        /// The group's epoch that it is for.
        epoch: i32,
        /// The assignor that made it.
        assignor: String,
        /// Who shall have what; nothing when that was too large to be kept.
        target: Option<Vec<MemberAssignment>>,
    },
    /// A rebalance ended with an assignment; of a consumer group, every member has what it shall have. Here and below,
    /// the generation of a consumer group is its epoch.
    RebalanceFinished {
        /// The generation.
        generation: i32,
        /// How long it took since it began.
        took_ms: u64,
        /// Who had what before; nothing when that is not known or cannot be read.
        before: Option<Vec<MemberAssignment>>,
        /// Who has what since.
        after: Option<Vec<MemberAssignment>>,
    },
    /// The last member is gone.
    Emptied {
        /// The generation.
        generation: i32,
    },
    /// The group came back with the broker.
    Restored {
        /// The generation.
        generation: i32,
        /// How many members it has.
        members: usize,
    },
    /// A classic group became a consumer group.
    Upgraded {
        /// How many members it has, not counting the one that did it.
        members: usize,
    },
    /// A consumer group became a classic group.
    Downgraded {
        /// How many members it has.
        members: usize,
    },
    /// The log did not take the last changes of a consumer group, and they have not been.
    TakenBack,
    /// The group was deleted.
    Deleted {
        /// The client that did it; nothing when the group was empty and its offsets had expired.
        by: Option<String>,
    },
    /// Something that this reader does not know yet.
    #[serde(other)]
    Other,
}

/// A member.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberName {
    /// Its id.
    pub member_id: String,
    /// Its instance id, of a static member.
    pub instance_id: Option<String>,
    /// Its client id.
    pub client_id: String,
    /// Its address.
    pub client_host: String,
}

/// What a member has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberAssignment {
    /// The member's id.
    pub member_id: String,
    /// Its partitions.
    pub topics: Vec<TopicPartitions>,
}

/// Partitions of a topic.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TopicPartitions {
    /// The topic.
    pub topic: String,
    /// The partitions of it.
    pub partitions: Vec<i32>,
}
