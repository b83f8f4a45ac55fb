//! Checked names.

use std::fmt;
use std::sync::Arc;

use crate::{CONSUMER_OFFSETS, PartitionIndex, SHARE_GROUP_STATE, TRANSACTION_STATE};

/// A topic name that Kafka would accept: 1 to 249 of `[a-zA-Z0-9._-]`, not `.` or `..`
/// (`org.apache.kafka.common.internals.Topic`). Cheap to clone.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TopicName(Arc<str>);

/// Why a text is no topic name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IllegalName {
    /// No characters at all.
    Empty,
    /// `.` or `..`.
    Dots,
    /// More than 249 characters.
    TooLong,
    /// A character outside `[a-zA-Z0-9._-]`.
    Character,
}

impl fmt::Display for IllegalName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "the empty string is not allowed",
            Self::Dots => "'.' or '..' is not allowed",
            Self::TooLong => "is longer than the max allowed length 249",
            Self::Character => {
                "contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'"
            }
        })
    }
}

impl std::error::Error for IllegalName {}

impl TopicName {
    /// Longest name, in bytes (and characters): leaves room for `-PARTITION` and a suffix in a file name.
    pub const LENGTH_MAX: usize = 249;

    /// Checks and copies `text`, so that the name does not keep a request's frame alive.
    ///
    /// # Errors
    /// [`IllegalName`] when Kafka would refuse it.
    pub fn new(text: &str) -> Result<Self, IllegalName> {
        if text.is_empty() {
            return Err(IllegalName::Empty);
        }
        if text == "." || text == ".." {
            return Err(IllegalName::Dots);
        }
        if text.len() > Self::LENGTH_MAX {
            return Err(IllegalName::TooLong);
        }
        if !text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte)) {
            return Err(IllegalName::Character);
        }
        Ok(Self(text.into()))
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// True for the topics that belong to the broker (`Topic.isInternal`).
    #[must_use]
    pub fn is_internal(&self) -> bool {
        matches!(self.as_str(), CONSUMER_OFFSETS | TRANSACTION_STATE | SHARE_GROUP_STATE)
    }

    /// True when metrics could not tell the two names apart, since `.` and `_` are the same there
    /// (`Topic.hasCollision`).
    #[must_use]
    pub fn collides_with(&self, other: &Self) -> bool {
        let same = |byte: u8| if byte == b'.' { b'_' } else { byte };
        self.0.len() == other.0.len() && self.0.bytes().map(same).eq(other.0.bytes().map(same))
    }
}

impl fmt::Display for TopicName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for TopicName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl std::borrow::Borrow<str> for TopicName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

/// A partition by name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TopicPartition {
    /// The topic.
    pub topic: TopicName,
    /// The partition of it.
    pub partition: PartitionIndex,
}

impl fmt::Display for TopicPartition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.topic, self.partition)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_as_kafka_takes_them() {
        for good in ["a", "A.b_c-9", &"x".repeat(249), "..."] {
            assert!(TopicName::new(good).is_ok(), "{good}");
        }
        for (bad, why) in [
            ("", IllegalName::Empty),
            (".", IllegalName::Dots),
            ("..", IllegalName::Dots),
            ("a/b", IllegalName::Character),
            ("../x", IllegalName::Character),
            ("a b", IllegalName::Character),
            ("é", IllegalName::Character),
            ("a\0", IllegalName::Character),
        ] {
            assert_eq!(TopicName::new(bad), Err(why), "{bad:?}");
        }
        assert_eq!(TopicName::new(&"x".repeat(250)), Err(IllegalName::TooLong));
    }

    #[test]
    fn dots_and_underscores_collide() {
        let name = |text| TopicName::new(text).expect("legal");
        assert!(name("a.b").collides_with(&name("a_b")));
        assert!(!name("a.b").collides_with(&name("a-b")));
    }
}
