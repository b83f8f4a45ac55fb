//! One line of a history of group members, and the history.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::history::BrokerStep;
use crate::problem::{Doing, Problem};

/// What happened, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Microseconds since 1970 by the machine's clock, taken by the process that saw it: all of them share the machine.
    pub at: u64,
    /// What happened.
    pub fact: Fact,
}

/// What can happen. A member is a client; the number is its own and never given again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fact {
    /// A member was made, and begins to join its group.
    Joins {
        /// The member.
        member: u32,
        /// Its group.
        group: String,
        /// How it is a member: `eager`, `cooperative` or `consumer`.
        protocol: String,
        /// The client library.
        client: String,
    },
    /// The member was told what it owns.
    Assigned(Membership),
    /// The member was told that it does not own these any more.
    Gone {
        /// The member.
        member: u32,
        /// What it has lost.
        partitions: Vec<i32>,
    },
    /// The member has processed records with consecutive offsets and numbers.
    Processed {
        /// The member.
        member: u32,
        /// Its generation or member epoch.
        epoch: i32,
        /// The partition.
        partition: i32,
        /// The first record's offset.
        offset: i64,
        /// The first record's number.
        number: i64,
        /// How many records.
        count: i64,
    },
    /// The member is about to commit.
    Committing {
        /// The member.
        member: u32,
        /// Its generation or member epoch.
        epoch: i32,
        /// Partitions with their offsets.
        offsets: Vec<(i32, i64)>,
    },
    /// Its commit was acknowledged.
    Committed {
        /// The member.
        member: u32,
        /// The generation or member epoch of its client by then. It may have joined again meanwhile.
        epoch: i32,
    },
    /// Its commit was refused, at least in part, since it is not the member that it thinks it is.
    Refused {
        /// The member.
        member: u32,
        /// The client's words.
        error: String,
    },
    /// Nobody knows what came of its commit.
    Unknown {
        /// The member.
        member: u32,
        /// The client's words.
        error: String,
    },
    /// Everything is at rest, and this is what the member owns.
    State(Membership),
    /// The member is about to be told to leave.
    Leaves {
        /// The member.
        member: u32,
    },
    /// The member's client is closed; without being told to leave it gave up.
    Left {
        /// The member.
        member: u32,
    },
    /// The member was killed, and its group was not told.
    Killed {
        /// The member.
        member: u32,
    },
    /// The member was stopped and does nothing until it is resumed.
    Paused {
        /// The member.
        member: u32,
    },
    /// The member goes on.
    Resumed {
        /// The member.
        member: u32,
    },
    /// The member's client gave up for good, and it goes on with a new one, which has joined nothing yet.
    Renewed {
        /// The member.
        member: u32,
        /// The client's words.
        error: String,
    },
    /// A record was acknowledged.
    Sent {
        /// The partition.
        partition: i32,
        /// The record's number, counted by partition from 0.
        number: i64,
        /// The record's offset.
        offset: i64,
    },
    /// Something was done to the broker.
    Broker(BrokerStep),
    /// Somebody committed in the name of a member whose partition another member was known to own by then.
    Forged {
        /// The group.
        group: String,
        /// The id of the member that had owned it.
        id: String,
        /// The last generation or epoch in which it did.
        epoch: i32,
        /// The partition.
        partition: i32,
        /// What the broker said; 0 is yes.
        error: i16,
    },
    /// What the broker told about a group.
    Seen(Seen),
    /// A record of `__consumer_offsets`, in the order of the log.
    Logged {
        /// The group.
        group: String,
        /// The partition.
        partition: i32,
        /// The offset.
        offset: i64,
        /// The metadata, which tells who committed.
        metadata: String,
    },
    /// A record of `__consumer_offsets` with a group's generation or epoch, at the time of the record.
    Epoch {
        /// The group.
        group: String,
        /// Whether it is a group of the consumer protocol.
        modern: bool,
        /// The generation or epoch.
        epoch: i32,
    },
    /// From now on nobody joins, leaves, or is killed or paused.
    Calm,
}

/// What a member thinks it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Membership {
    /// The member.
    pub member: u32,
    /// Its member id.
    pub id: String,
    /// Its generation or member epoch; not above 0 when it has none.
    pub epoch: i32,
    /// All that it owns.
    pub partitions: Vec<i32>,
}

/// What the broker told about a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// The group.
    pub group: String,
    /// When it was asked.
    pub asked: u64,
    /// Whether it is a group of the consumer protocol.
    pub modern: bool,
    /// The state, as the broker names it.
    pub state: String,
    /// The members.
    pub members: Vec<SeenMember>,
    /// Partitions with what is committed for them.
    pub committed: Vec<(i32, i64)>,
    /// Partitions with their ends.
    pub ends: Vec<(i32, i64)>,
}

/// A member as the broker tells it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeenMember {
    /// Its id.
    pub id: String,
    /// Its epoch, in a group of the consumer protocol.
    pub epoch: Option<i32>,
    /// What it owns.
    pub partitions: Vec<i32>,
}

/// The events of a file, in their order.
///
/// # Errors
/// The file can not be read, or a line is no event.
pub fn read_events(file: &Path) -> Result<Vec<Event>, Problem> {
    let name = file.display();
    let opened = File::open(file).doing(format_args!("open {name}"))?;
    let mut events = Vec::new();
    for line in BufReader::new(opened).lines() {
        let line = line.doing(format_args!("read {name}"))?;
        events.push(serde_json::from_str(&line).doing(format_args!("read {name}"))?);
    }
    Ok(events)
}
