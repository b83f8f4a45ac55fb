//! The records of consumer groups against bytes that Apache Kafka 4.3.1 wrote: its generated classes through
//! `MessageUtil` (`toCoordinatorTypePrefixedBytes`, `toVersionPrefixedBytes`), printed as hexadecimal digits.

use ottla_model::TopicId;
use proptest::prelude::*;

use super::*;
use crate::codec::Key;
use crate::codec::tests::{bytes, hex};

const FIRST: TopicId = TopicId(0x0102_0304_0506_0708_090a_0b0c_0d0e_0f10_u128.to_be_bytes());
const SECOND: TopicId = TopicId((0xffff_ffff_ffff_ffff_u128 << 64).to_be_bytes());

#[test]
fn keys() {
    let (group, member_id) = ("gé", "m-1");
    for (key, text) in [
        (ConsumerGroupKey::Metadata { group }, "0003000367c3a9"),
        (ConsumerGroupKey::PartitionMetadata { group }, "0004000367c3a9"),
        (ConsumerGroupKey::MemberMetadata { group, member_id }, "0005000367c3a900036d2d31"),
        (ConsumerGroupKey::TargetAssignmentMetadata { group }, "0006000367c3a9"),
        (ConsumerGroupKey::TargetAssignmentMember { group, member_id }, "0007000367c3a900036d2d31"),
        (ConsumerGroupKey::CurrentMemberAssignment { group, member_id }, "0008000367c3a900036d2d31"),
        (
            ConsumerGroupKey::RegularExpression { group, regular_expression: "o.*" },
            "0010000367c3a900036f2e2a",
        ),
    ] {
        assert_eq!(hex(&key.encode().unwrap()), text);
        let encoded = bytes(text);
        assert_eq!(Key::decode(&encoded), Ok(Key::ConsumerGroup(key)));
        assert_eq!(key.key_type(), i16::from(encoded[1]));
        assert_eq!(key.group(), group);
        for length in 0..encoded.len() {
            assert!(Key::decode(&encoded[..length]).is_err(), "{text} cut at {length}");
        }
    }
}

const GROUP: &str = "0000000000070100080123456789abcdef";
/// Without a hash, as before 4.1.
const GROUP_PLAIN: &str = "00000000000700";
/// With an unknown tagged field 5.
const GROUP_UNKNOWN: &str = "00000000000702000800000000000000090503010203";

#[test]
fn group_values() {
    let value = ConsumerGroupMetadataValue { epoch: 7, metadata_hash: 0x0123_4567_89ab_cdef };
    let plain = ConsumerGroupMetadataValue { metadata_hash: 0, ..value };
    for (text, value) in [(GROUP, value), (GROUP_PLAIN, plain)] {
        assert_eq!(ConsumerGroupMetadataValue::decode(&bytes(text)), Ok(value));
        assert_eq!(hex(&value.encode().unwrap()), text);
    }
    let unknown = ConsumerGroupMetadataValue { metadata_hash: 9, ..value };
    assert_eq!(ConsumerGroupMetadataValue::decode(&bytes(GROUP_UNKNOWN)), Ok(unknown));
    assert_eq!(ConsumerGroupMetadataValue::decode(&bytes("0001")), Err(DecodeError::UnknownVersion(1)));
}

const PARTITIONS: &str = "0000030102030405060708090a0b0c0d0e0f10076f7264657273000000020200000001030365750375730000ffffffffffffffff0000000000000000026200000001010000";

#[test]
fn partition_metadata_values() {
    let racks = PartitionRacks { partition: 1, racks: vec!["eu", "us"] };
    let topic = |topic_id, topic_name, partition_count, partition_racks| SubscribedTopicMetadata {
        topic_id,
        topic_name,
        partition_count,
        partition_racks,
    };
    let topics = vec![topic(FIRST, "orders", 2, vec![racks]), topic(SECOND, "b", 1, Vec::new())];
    let value = ConsumerGroupPartitionMetadataValue { topics };
    assert_eq!(ConsumerGroupPartitionMetadataValue::decode(&bytes(PARTITIONS)).as_ref(), Ok(&value));
    assert_eq!(hex(&value.encode().unwrap()), PARTITIONS);
}

const MEMBER: &str =
    "0000026903657502630b2f3132372e302e302e31030261076f7264657273046f2e2a000493e00672616e676501000100";
const MEMBER_PLAIN: &str = "0000000001010100ffffffff0001000100";
/// Without the field that a member of the new protocol has a null in.
const MEMBER_WITHOUT_CLASSIC: &str = "0000000001010101ffffffff0000";
const MEMBER_CLASSIC: &str = "000000000263052f3a3a3102026101000003e800010027010000afc8030672616e6765040102030013636f6f70657261746976652d737469636b79010000";

fn plain_member() -> ConsumerGroupMemberMetadataValue<'static> {
    ConsumerGroupMemberMetadataValue {
        instance_id: None,
        rack_id: None,
        client_id: "",
        client_host: "",
        subscribed_topic_names: Vec::new(),
        subscribed_topic_regex: None,
        rebalance_timeout_ms: -1,
        server_assignor: None,
        classic_member_metadata: None,
    }
}

#[test]
fn member_values() {
    let member = ConsumerGroupMemberMetadataValue {
        instance_id: Some("i"),
        rack_id: Some("eu"),
        client_id: "c",
        client_host: "/127.0.0.1",
        subscribed_topic_names: vec!["a", "orders"],
        subscribed_topic_regex: Some("o.*"),
        rebalance_timeout_ms: 300_000,
        server_assignor: Some("range"),
        classic_member_metadata: None,
    };
    let without_classic = ConsumerGroupMemberMetadataValue {
        subscribed_topic_regex: Some(""),
        classic_member_metadata: Some(ClassicMemberMetadata::default()),
        ..plain_member()
    };
    let protocols = vec![
        ClassicProtocol { name: "range", metadata: &[1, 2, 3] },
        ClassicProtocol { name: "cooperative-sticky", metadata: &[] },
    ];
    let classic = ConsumerGroupMemberMetadataValue {
        client_id: "c",
        client_host: "/::1",
        subscribed_topic_names: vec!["a"],
        subscribed_topic_regex: Some(""),
        rebalance_timeout_ms: 1_000,
        classic_member_metadata: Some(ClassicMemberMetadata {
            session_timeout_ms: 45_000,
            supported_protocols: protocols,
        }),
        ..plain_member()
    };
    for (text, value) in [
        (MEMBER, member),
        (MEMBER_PLAIN, plain_member()),
        (MEMBER_WITHOUT_CLASSIC, without_classic),
        (MEMBER_CLASSIC, classic),
    ] {
        assert_eq!(ConsumerGroupMemberMetadataValue::decode(&bytes(text)).as_ref(), Ok(&value));
        assert_eq!(hex(&value.encode().unwrap()), text);
    }
}

const TARGET_METADATA: &str = "0000000000070100080000018bcfe56800";
/// Without a time, as before 4.3.
const TARGET_METADATA_PLAIN: &str = "00000000000700";
const TARGET_MEMBER: &str =
    "0000030102030405060708090a0b0c0d0e0f1003000000000000000200ffffffffffffffff0000000000000000010000";
const TARGET_MEMBER_PLAIN: &str = "00000100";

#[test]
fn target_assignment_values() {
    let value = ConsumerGroupTargetAssignmentMetadataValue {
        assignment_epoch: 7,
        assignment_timestamp_ms: 1_700_000_000_000,
    };
    let plain = ConsumerGroupTargetAssignmentMetadataValue { assignment_timestamp_ms: 0, ..value };
    for (text, value) in [(TARGET_METADATA, value), (TARGET_METADATA_PLAIN, plain)] {
        assert_eq!(ConsumerGroupTargetAssignmentMetadataValue::decode(&bytes(text)), Ok(value));
        assert_eq!(hex(&value.encode().unwrap()), text);
    }
    let topic_partitions = vec![(FIRST, vec![0, 2]), (SECOND, Vec::new())];
    let member = ConsumerGroupTargetAssignmentMemberValue { topic_partitions };
    let plain = ConsumerGroupTargetAssignmentMemberValue { topic_partitions: Vec::new() };
    for (text, value) in [(TARGET_MEMBER, member), (TARGET_MEMBER_PLAIN, plain)] {
        assert_eq!(ConsumerGroupTargetAssignmentMemberValue::decode(&bytes(text)).as_ref(), Ok(&value));
        assert_eq!(hex(&value.encode().unwrap()), text);
    }
}

const CURRENT: &str = "0000000000070000000601020102030405060708090a0b0c0d0e0f1003000000000000000201000903000000050000000702ffffffffffffffff00000000000000000200000003010005020000000400";
const CURRENT_WITHOUT_EPOCHS: &str =
    "0000000000070000000600020102030405060708090a0b0c0d0e0f10030000000000000002000100";
const CURRENT_WITH_NULL_EPOCHS: &str =
    "0000000000070000000600020102030405060708090a0b0c0d0e0f10030000000000000002010001000100";

fn assigned(topic_id: TopicId, partitions: &[i32], epochs: &[i32]) -> AssignedPartitions {
    AssignedPartitions { topic_id, partitions: partitions.to_vec(), assignment_epochs: epochs.to_vec() }
}

#[test]
fn current_assignment_values() {
    let value = ConsumerGroupCurrentMemberAssignmentValue {
        member_epoch: 7,
        previous_member_epoch: 6,
        state: 1,
        assigned_partitions: vec![assigned(FIRST, &[0, 2], &[5, 7])],
        partitions_pending_revocation: vec![assigned(SECOND, &[3], &[4])],
    };
    let without_epochs = ConsumerGroupCurrentMemberAssignmentValue {
        member_epoch: 7,
        previous_member_epoch: 6,
        state: 0,
        assigned_partitions: vec![assigned(FIRST, &[0, 2], &[])],
        partitions_pending_revocation: Vec::new(),
    };
    for (text, value) in [(CURRENT, &value), (CURRENT_WITHOUT_EPOCHS, &without_epochs)] {
        assert_eq!(ConsumerGroupCurrentMemberAssignmentValue::decode(&bytes(text)).as_ref(), Ok(value));
        assert_eq!(hex(&value.encode().unwrap()), text);
    }
    let with_null = ConsumerGroupCurrentMemberAssignmentValue::decode(&bytes(CURRENT_WITH_NULL_EPOCHS));
    assert_eq!(with_null, Ok(without_epochs));
}

#[test]
fn partitions_without_epochs_of_their_own_have_the_default() {
    let with_epochs =
        |epochs: &[i32], default| assigned(FIRST, &[0, 2], epochs).with_epochs(default).collect::<Vec<_>>();
    assert_eq!(with_epochs(&[5, 7], 9), [(0, 5), (2, 7)]);
    assert_eq!(with_epochs(&[5], 9), [(0, 9), (2, 9)]);
    assert_eq!(with_epochs(&[], -2), [(0, 0), (2, 0)]);
}

const REGULAR_EXPRESSION: &str = "0000030261076f7264657273000000000000002a0000018bcfe5680000";

#[test]
fn regular_expression_values() {
    let value = ConsumerGroupRegularExpressionValue {
        topics: vec!["a", "orders"],
        version: 42,
        timestamp_ms: 1_700_000_000_000,
    };
    assert_eq!(ConsumerGroupRegularExpressionValue::decode(&bytes(REGULAR_EXPRESSION)).as_ref(), Ok(&value));
    assert_eq!(hex(&value.encode().unwrap()), REGULAR_EXPRESSION);
}

type Decodes = fn(&[u8]) -> bool;

/// Each vector with whether its decoder takes some bytes.
const VECTORS: [(&str, Decodes); 16] = [
    (GROUP, |bytes| ConsumerGroupMetadataValue::decode(bytes).is_ok()),
    (GROUP_PLAIN, |bytes| ConsumerGroupMetadataValue::decode(bytes).is_ok()),
    (GROUP_UNKNOWN, |bytes| ConsumerGroupMetadataValue::decode(bytes).is_ok()),
    (PARTITIONS, |bytes| ConsumerGroupPartitionMetadataValue::decode(bytes).is_ok()),
    (MEMBER, |bytes| ConsumerGroupMemberMetadataValue::decode(bytes).is_ok()),
    (MEMBER_PLAIN, |bytes| ConsumerGroupMemberMetadataValue::decode(bytes).is_ok()),
    (MEMBER_WITHOUT_CLASSIC, |bytes| ConsumerGroupMemberMetadataValue::decode(bytes).is_ok()),
    (MEMBER_CLASSIC, |bytes| ConsumerGroupMemberMetadataValue::decode(bytes).is_ok()),
    (TARGET_METADATA, |bytes| ConsumerGroupTargetAssignmentMetadataValue::decode(bytes).is_ok()),
    (TARGET_METADATA_PLAIN, |bytes| ConsumerGroupTargetAssignmentMetadataValue::decode(bytes).is_ok()),
    (TARGET_MEMBER, |bytes| ConsumerGroupTargetAssignmentMemberValue::decode(bytes).is_ok()),
    (TARGET_MEMBER_PLAIN, |bytes| ConsumerGroupTargetAssignmentMemberValue::decode(bytes).is_ok()),
    (CURRENT, |bytes| ConsumerGroupCurrentMemberAssignmentValue::decode(bytes).is_ok()),
    (CURRENT_WITHOUT_EPOCHS, |bytes| ConsumerGroupCurrentMemberAssignmentValue::decode(bytes).is_ok()),
    (CURRENT_WITH_NULL_EPOCHS, |bytes| ConsumerGroupCurrentMemberAssignmentValue::decode(bytes).is_ok()),
    (REGULAR_EXPRESSION, |bytes| ConsumerGroupRegularExpressionValue::decode(bytes).is_ok()),
];

#[test]
fn a_value_cut_anywhere_is_an_error() {
    for (text, decodes) in VECTORS {
        let whole = bytes(text);
        assert!(decodes(&whole), "{text}");
        for length in 0..whole.len() {
            assert!(!decodes(&whole[..length]), "{text} cut at {length}");
        }
    }
}

#[test]
fn a_value_with_any_byte_changed_does_no_harm() {
    for (text, decodes) in VECTORS {
        let whole = bytes(text);
        for at in 0..whole.len() {
            for value in 0..=u8::MAX {
                let mut changed = whole.clone();
                changed[at] = value;
                decodes(&changed);
            }
        }
    }
}

proptest! {
    #[test]
    fn random_bytes_do_no_harm(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let versioned = [&[0, 0], &bytes[..]].concat();
        for (_, decodes) in VECTORS {
            decodes(&versioned);
        }
        for key_type in 0..=20u8 {
            let _ = Key::decode(&[&[0, key_type], &bytes[..]].concat());
        }
    }

    #[test]
    fn a_member_reads_back(
        texts in prop::collection::vec(".{0,20}", 4),
        names in prop::collection::vec("[a-z.]{0,10}", 0..5),
        regex in prop::option::of(".{0,20}"),
        rebalance_timeout_ms in any::<i32>(),
        classic in prop::option::of((any::<i32>(), prop::collection::vec((".{0,9}", any::<Vec<u8>>()), 0..4))),
    ) {
        let value = ConsumerGroupMemberMetadataValue {
            instance_id: Some(&texts[0]),
            rack_id: None,
            client_id: &texts[1],
            client_host: &texts[2],
            subscribed_topic_names: names.iter().map(String::as_str).collect(),
            subscribed_topic_regex: regex.as_deref(),
            rebalance_timeout_ms,
            server_assignor: Some(&texts[3]),
            classic_member_metadata: classic.as_ref().map(|(session_timeout_ms, protocols)| {
                let protocols = protocols.iter();
                ClassicMemberMetadata {
                    session_timeout_ms: *session_timeout_ms,
                    supported_protocols: protocols.map(|(name, metadata)| ClassicProtocol { name, metadata }).collect(),
                }
            }),
        };
        let encoded = value.encode().unwrap();
        prop_assert_eq!(ConsumerGroupMemberMetadataValue::decode(&encoded), Ok(value));
    }

    #[test]
    fn an_assignment_reads_back(
        epochs in any::<(i32, i32, i8)>(),
        topics in prop::collection::vec(any::<([u8; 16], Vec<i32>, Vec<i32>)>(), 0..4),
    ) {
        let topics: Vec<AssignedPartitions> = topics
            .into_iter()
            .map(|(id, partitions, epochs)| assigned(TopicId(id), &partitions, &epochs))
            .collect();
        let (member_epoch, previous_member_epoch, state) = epochs;
        let target = ConsumerGroupTargetAssignmentMemberValue {
            topic_partitions: topics.iter().map(|topic| (topic.topic_id, topic.partitions.clone())).collect(),
        };
        let current = ConsumerGroupCurrentMemberAssignmentValue {
            member_epoch,
            previous_member_epoch,
            state,
            partitions_pending_revocation: topics.iter().take(1).cloned().collect(),
            assigned_partitions: topics,
        };
        let encoded = current.encode().unwrap();
        prop_assert_eq!(ConsumerGroupCurrentMemberAssignmentValue::decode(&encoded), Ok(current));
        let encoded = target.encode().unwrap();
        prop_assert_eq!(ConsumerGroupTargetAssignmentMemberValue::decode(&encoded), Ok(target));
    }
}
