//! Who takes part: the groups, and the processes with members.

use std::time::Duration;

/// The topic that all groups read.
pub const TOPIC: &str = "churn";
/// Its partitions.
pub const PARTITIONS: i32 = 40;
/// A record goes to each partition every so many milliseconds.
pub(super) const RECORD_EVERY_MS: u64 = 100;

/// How the client programs call membership of the new protocol.
pub const CONSUMER_PROTOCOL: &str = "consumer";

/// A group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Group {
    /// Its name.
    pub name: &'static str,
    /// How its members are members at first: the client programs' word for it.
    pub first: &'static str,
    /// How those are that come later.
    pub later: &'static str,
    /// A client library that has no members in it.
    pub without: Option<&'static str>,
}

const LIBRDKAFKA: &str = "python-librdkafka";

/// The groups. Where librdkafka leads a group with the assignor cooperative-sticky, it puts user data into the
/// assignments, and brokers do not upgrade such a group.
pub const GROUPS: [Group; 5] = [
    Group { name: "eager", first: "eager", later: "eager", without: None },
    Group { name: "cooperative", first: "cooperative", later: "cooperative", without: None },
    Group { name: "modern", first: CONSUMER_PROTOCOL, later: CONSUMER_PROTOCOL, without: None },
    Group { name: "moving", first: "eager", later: CONSUMER_PROTOCOL, without: None },
    Group {
        name: "moving-gently",
        first: "cooperative",
        later: CONSUMER_PROTOCOL,
        without: Some(LIBRDKAFKA),
    },
];

/// The client of each process with members, by its directory.
pub const HOSTS: [&str; 6] = ["java-4.3.1", "java-4.3.1", "franz-go", "franz-go", LIBRDKAFKA, LIBRDKAFKA];

/// The client that produces.
pub(super) const PRODUCER: &str = "franz-go";

/// How many members of each group a process has at first.
pub(super) const MEMBERS_AT_FIRST: usize = 4;

/// The session timeout of both protocols; the client programs have it too.
const SESSION_MS: u64 = 6_000;
/// How long a process is paused: its members' sessions end meanwhile.
pub(super) const PAUSE: Duration = Duration::from_millis(SESSION_MS + 2_000);
/// How long the broker is down at most, besides its start.
pub(super) const BROKER_DOWN_MS_MAX: u64 = 2_000;

/// What the broker is set to.
pub(super) const SETTINGS: [(&str, &str); 5] = [
    ("group.consumer.min.heartbeat.interval.ms", "500"),
    ("group.consumer.heartbeat.interval.ms", "500"),
    ("group.consumer.min.session.timeout.ms", "6000"),
    ("group.consumer.session.timeout.ms", "6000"),
    ("offsets.topic.num.partitions", "3"),
];
