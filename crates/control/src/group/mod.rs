//! Consumer groups and committed offsets: one [`Groups`] machine for each partition of `__consumer_offsets`.
//!
//! [`partition_for`] says in which partition a group lives. A [`Command`] holds the fields of one of Kafka's
//! requests, a [`Reply`] those of the response; the API modules of the broker translate. The records are Apache
//! Kafka's own ([`crate::codec`]), and so is every decision: the classes that a file follows are named in it.
//!
//! What is durable here are the committed offsets ([`OffsetStore`]), of each classic group the value of its last record,
//! and consumer groups as their records make them. Everything else is soft: see [`crate::machine`] for what that means
//! and `classic` for why it is cut there.
//!
//! | file | holds |
//! |---|---|
//! | `groups` | the machine: dispatch and time |
//! | `durable` | replay and undo |
//! | `failure` | what follows from a failed append, a start, a stop |
//! | `membership` | JoinGroup, SyncGroup, Heartbeat, LeaveGroup: finds or makes the group |
//! | `classic/` | classic groups themselves |
//! | `consumer/` | consumer groups, of the new protocol |
//! | `assignor/` | the server-side assignors of the new consumer protocol |
//! | `topics_image`, `metadata_hash`, `topic_pattern` | the topics, as groups see them and subscribe to them |
//! | `commit`, `fetch`, `offsets` | committed offsets, for groups of any kind |
//! | `pending` | offsets whose transactions are open |
//! | `kind` | what is asked of a group of any kind |
//! | `expiry` | what goes because it is old |
//! | `events`, `rebalances` | what happened in groups lately |
//! | `author`, `restore` | who changes offsets, and taking a change back |
//! | `admin` | list, describe, delete |
//! | `outline` | what observers are told |

mod admin;
pub mod assignor;
mod author;
mod classic;
mod command;
mod commit;
mod config;
mod consumer;
mod durable;
mod events;
mod expiry;
mod failure;
mod fetch;
mod groups;
mod kind;
mod membership;
mod metadata_hash;
mod offsets;
mod outline;
mod partition;
mod pending;
mod rebalances;
mod reply;
mod restore;
#[cfg(test)]
mod tests;
mod topic_pattern;
mod topics_image;
mod turn;
mod wakes;

pub use command::*;
pub use config::{ConsumerGroupConfig, ConsumerGroupOverrides, GroupConfig, MigrationPolicy};
pub use durable::{PassedOver, Undo};
pub use events::{
    Assignments, EventClient, EventMember, GroupEvent, Happening, Missed, RebalanceCounts, RebalanceReason,
    Trigger,
};
pub use groups::Groups;
pub use offsets::{CommittedOffset, GroupOffsets, OffsetStore};
pub use outline::{GroupOutline, OutlineMember};
pub use partition::partition_for;
pub use reply::*;
pub use topic_pattern::{InvalidRegularExpression, TopicPattern};
pub use topics_image::{TopicMetadata, TopicsImage};

/// Longest text that groups take from a client, in bytes. A record holds at most 32767, and a member's id is the
/// client's or instance's id with a dash and 36 characters behind it.
const TEXT_BYTES_MAX: usize = 32_767 - 37;
