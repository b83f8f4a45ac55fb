//! Keys of the records of consumer groups.

use bytes::Bytes;

use crate::codec::{DecodeError, EncodeError, Reader, Writer};

/// The key of a record of a consumer group, borrowed from its bytes or from the group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ConsumerGroupKey<'a> {
    /// Type 3 (`ConsumerGroupMetadataKey`): the group's epoch.
    Metadata {
        /// The group.
        group: &'a str,
    },
    /// Type 4 (`ConsumerGroupPartitionMetadataKey`): the topics that the group knew. Kafka writes it until 4.0; since
    /// 4.1 only its tombstone, when the group's epoch record has taken the hash of them over (KIP-1101).
    PartitionMetadata {
        /// The group.
        group: &'a str,
    },
    /// Type 5 (`ConsumerGroupMemberMetadataKey`): a member and its subscription.
    MemberMetadata {
        /// The group.
        group: &'a str,
        /// The member.
        member_id: &'a str,
    },
    /// Type 6 (`ConsumerGroupTargetAssignmentMetadataKey`): the epoch of the target assignment.
    TargetAssignmentMetadata {
        /// The group.
        group: &'a str,
    },
    /// Type 7 (`ConsumerGroupTargetAssignmentMemberKey`): what a member shall have.
    TargetAssignmentMember {
        /// The group.
        group: &'a str,
        /// The member.
        member_id: &'a str,
    },
    /// Type 8 (`ConsumerGroupCurrentMemberAssignmentKey`): what a member has.
    CurrentMemberAssignment {
        /// The group.
        group: &'a str,
        /// The member.
        member_id: &'a str,
    },
    /// Type 16 (`ConsumerGroupRegularExpressionKey`): the topics that an expression matches.
    RegularExpression {
        /// The group.
        group: &'a str,
        /// The expression, as the member sent it.
        regular_expression: &'a str,
    },
}

const METADATA: i16 = 3;
const PARTITION_METADATA: i16 = 4;
const MEMBER_METADATA: i16 = 5;
const TARGET_ASSIGNMENT_METADATA: i16 = 6;
const TARGET_ASSIGNMENT_MEMBER: i16 = 7;
const CURRENT_MEMBER_ASSIGNMENT: i16 = 8;
const REGULAR_EXPRESSION: i16 = 16;

impl<'a> ConsumerGroupKey<'a> {
    /// Reads what follows the type's number; `None` when the type is none of these.
    pub(in crate::codec) fn decode(
        key_type: i16,
        reader: &mut Reader<'a>,
    ) -> Result<Option<Self>, DecodeError> {
        Ok(Some(match key_type {
            METADATA => Self::Metadata { group: reader.string()? },
            PARTITION_METADATA => Self::PartitionMetadata { group: reader.string()? },
            MEMBER_METADATA => Self::MemberMetadata { group: reader.string()?, member_id: reader.string()? },
            TARGET_ASSIGNMENT_METADATA => Self::TargetAssignmentMetadata { group: reader.string()? },
            TARGET_ASSIGNMENT_MEMBER => {
                Self::TargetAssignmentMember { group: reader.string()?, member_id: reader.string()? }
            }
            CURRENT_MEMBER_ASSIGNMENT => {
                Self::CurrentMemberAssignment { group: reader.string()?, member_id: reader.string()? }
            }
            REGULAR_EXPRESSION => {
                Self::RegularExpression { group: reader.string()?, regular_expression: reader.string()? }
            }
            _ => return Ok(None),
        }))
    }

    /// Writes the key.
    ///
    /// # Errors
    /// [`EncodeError`] when a text is longer than 32767 bytes.
    pub fn encode(&self) -> Result<Bytes, EncodeError> {
        let mut writer = Writer::new();
        writer.i16(self.key_type());
        writer.string(self.group());
        match *self {
            Self::Metadata { .. }
            | Self::PartitionMetadata { .. }
            | Self::TargetAssignmentMetadata { .. } => {}
            Self::MemberMetadata { member_id, .. }
            | Self::TargetAssignmentMember { member_id, .. }
            | Self::CurrentMemberAssignment { member_id, .. } => writer.string(member_id),
            Self::RegularExpression { regular_expression, .. } => writer.string(regular_expression),
        }
        writer.finish()
    }

    /// The number of its type (`CoordinatorRecordType`).
    #[must_use]
    pub fn key_type(&self) -> i16 {
        match self {
            Self::Metadata { .. } => METADATA,
            Self::PartitionMetadata { .. } => PARTITION_METADATA,
            Self::MemberMetadata { .. } => MEMBER_METADATA,
            Self::TargetAssignmentMetadata { .. } => TARGET_ASSIGNMENT_METADATA,
            Self::TargetAssignmentMember { .. } => TARGET_ASSIGNMENT_MEMBER,
            Self::CurrentMemberAssignment { .. } => CURRENT_MEMBER_ASSIGNMENT,
            Self::RegularExpression { .. } => REGULAR_EXPRESSION,
        }
    }

    /// The group that the record is of.
    #[must_use]
    pub fn group(&self) -> &'a str {
        match self {
            Self::Metadata { group }
            | Self::PartitionMetadata { group }
            | Self::MemberMetadata { group, .. }
            | Self::TargetAssignmentMetadata { group }
            | Self::TargetAssignmentMember { group, .. }
            | Self::CurrentMemberAssignment { group, .. }
            | Self::RegularExpression { group, .. } => group,
        }
    }
}
