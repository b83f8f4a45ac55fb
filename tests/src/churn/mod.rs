//! Groups whose members come and go: about a hundred real clients join, leave, are killed and are paused for longer than
//! their sessions, while the broker is killed and started again, and a producer goes on and on.
//!
//! A [`plan`] follows from a seed. The members are in a few processes, several in each ([`HOSTS`]), which tell what they
//! see in lines (`tests/clients/CHURN.md`); a watcher looks at the groups from outside, and commits in the name of
//! members that have lost a partition. All of this becomes a history of [`Event`]s, which
//! [`check_members`](crate::check::check_members) judges.

mod ask;
mod cast;
mod entry;
mod event;
mod host;
mod line;
mod offsets_log;
mod plan;
mod prepare;
mod record;
mod run;
mod watch;

pub use cast::{CONSUMER_PROTOCOL, GROUPS, Group, HOSTS, PARTITIONS, TOPIC};
pub use entry::{Done, Entry};
pub use event::{Event, Fact, Membership, Seen, SeenMember, read_events};
pub use plan::{Deed, Newcomer, Step, plan};
pub use prepare::{build_clients, chosen_broker, missing_toolchain};
pub use run::{Churn, Outcome, run};
