//! The codecs against bytes that Apache Kafka 4.3.1 wrote: its generated classes through `MessageUtil`
//! (`toCoordinatorTypePrefixedBytes`, `toVersionPrefixedBytes`), printed as hexadecimal digits.

use ottla_model::{TopicId, TopicName};
use proptest::prelude::*;

use super::*;

pub(crate) fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

const COMMIT_KEY: &str = "0001000367c3a900066f726465727300000007";
const LEGACY_COMMIT_KEY: &str = "0000000367c3a900066f726465727300000007";
const GROUP_KEY: &str = "0002000367c3a9";
const CONSUMER_GROUP_KEY: &str = "0003000367c3a9";

#[test]
fn keys() {
    let orders = TopicName::new("orders").unwrap();
    let commit = Key::OffsetCommit { group: "gé", topic: orders.clone(), partition: 7 };
    assert_eq!(Key::decode(&bytes(COMMIT_KEY)), Ok(commit.clone()));
    assert_eq!(Key::decode(&bytes(LEGACY_COMMIT_KEY)), Ok(commit));
    assert_eq!(Key::decode(&bytes(GROUP_KEY)), Ok(Key::GroupMetadata { group: "gé" }));
    assert_eq!(
        Key::decode(&bytes(CONSUMER_GROUP_KEY)),
        Ok(Key::ConsumerGroup(ConsumerGroupKey::Metadata { group: "gé" }))
    );
    assert_eq!(Key::decode(&bytes("000a")), Ok(Key::Unknown { key_type: 10 }));
    assert_eq!(hex(&Key::offset_commit("gé", &orders, 7).unwrap()), COMMIT_KEY);
    assert_eq!(hex(&Key::group_metadata("gé").unwrap()), GROUP_KEY);
}

/// Offset 42 with metadata "mü" in versions 0 to 4, then version 4 with a topic id, then also with an unknown
/// tagged field 9.
const OFFSET_COMMIT_VALUES: [&str; 7] = [
    "0000000000000000002a00036dc3bc0000018bcfe56800",
    "0001000000000000002a00036dc3bc0000018bcfe568000000018bcfe65260",
    "0002000000000000002a00036dc3bc0000018bcfe56800",
    "0003000000000000002a0000000500036dc3bc0000018bcfe56800",
    "0004000000000000002a00000005046dc3bc0000018bcfe5680000",
    "0004000000000000002a00000005046dc3bc0000018bcfe568000100100123456789abcdef0fedcba987654321",
    "0004000000000000002a00000005046dc3bc0000018bcfe568000200100123456789abcdef0fedcba9876543210903010203",
];
const TOPIC_ID: TopicId = TopicId(0x0123_4567_89ab_cdef_0fed_cba9_8765_4321_u128.to_be_bytes());

#[test]
fn offset_commit_values_of_every_version() {
    for (index, text) in OFFSET_COMMIT_VALUES.iter().enumerate() {
        let expected = OffsetCommitValue {
            offset: 42,
            leader_epoch: if index >= 3 { 5 } else { -1 },
            metadata: "mü",
            commit_timestamp_ms: 1_700_000_000_000,
            expire_timestamp_ms: if index == 1 { 1_700_000_060_000 } else { -1 },
            topic_id: if index >= 5 { TOPIC_ID } else { TopicId::ZERO },
        };
        let encoded = bytes(text);
        assert_eq!(OffsetCommitValue::decode(&encoded), Ok(expected), "{text}");
        // Version 1 when there is an expiry, which has no room for the epoch; else version 4.
        if matches!(index, 1 | 4 | 5) {
            assert_eq!(hex(&expected.encode().unwrap()), *text);
        }
    }
    assert_eq!(OffsetCommitValue::decode(&bytes("0005")), Err(DecodeError::UnknownVersion(5)));
    assert_eq!(OffsetCommitValue::decode(&bytes("ffff")), Err(DecodeError::UnknownVersion(-1)));
}

/// A generation of two members, one of them static from version 3 on; the last with unknown tagged fields.
const GROUP_METADATA_VALUES: [&str; 6] = [
    "00000008636f6e73756d657200000003000572616e67650003632d31000000020003632d31000163000a2f3132372e302e302e3100\
     00afc800000002010200000001030003642d3200016400042f3a3a31000017700000000000000000",
    "00010008636f6e73756d657200000003000572616e67650003632d31000000020003632d31000163000a2f3132372e302e302e3100\
     0493e00000afc800000002010200000001030003642d3200016400042f3a3a310000ea60000017700000000000000000",
    "00020008636f6e73756d657200000003000572616e67650003632d310000018bcfe56800000000020003632d31000163000a2f3132\
     372e302e302e31000493e00000afc800000002010200000001030003642d3200016400042f3a3a310000ea6000001770000000000000\
     0000",
    "00030008636f6e73756d657200000003000572616e67650003632d310000018bcfe56800000000020003632d310004696e73740001\
     63000a2f3132372e302e302e31000493e00000afc800000002010200000001030003642d32ffff00016400042f3a3a310000ea600000\
     17700000000000000000",
    "000409636f6e73756d6572000000030672616e676504632d310000018bcfe568000304632d3105696e737402630b2f3132372e302e\
     302e31000493e00000afc803010202030004642d32000264052f3a3a310000ea600000177001010000",
    "000409636f6e73756d6572000000030672616e676504632d310000018bcfe568000304632d3105696e737402630b2f3132372e302e\
     302e31000493e00000afc803010202030102010704642d32000264052f3a3a310000ea60000017700101000100020809",
];
const EMPTY_GROUP_METADATA_VALUES: [&str; 5] = [
    "0000000000000000ffffffff00000000",
    "0001000000000000ffffffff00000000",
    "0002000000000000ffffffff0000018bcfe5680000000000",
    "0003000000000000ffffffff0000018bcfe5680000000000",
    "0004010000000000000000018bcfe568000100",
];

fn group_of_two(version: usize) -> GroupMetadataValue<'static> {
    let timeout = |millis| if version >= 1 { millis } else { -1 };
    let member = |member_id, client_id| GroupMetadataMember {
        member_id,
        group_instance_id: None,
        client_id,
        client_host: "/::1",
        rebalance_timeout_ms: timeout(60_000),
        session_timeout_ms: 6_000,
        subscription: &[],
        assignment: &[],
    };
    let first = GroupMetadataMember {
        group_instance_id: (version >= 3).then_some("inst"),
        client_host: "/127.0.0.1",
        rebalance_timeout_ms: timeout(300_000),
        session_timeout_ms: 45_000,
        subscription: &[1, 2],
        assignment: &[3],
        ..member("c-1", "c")
    };
    GroupMetadataValue {
        protocol_type: "consumer",
        generation: 3,
        protocol: Some("range"),
        leader: Some("c-1"),
        current_state_timestamp_ms: if version >= 2 { 1_700_000_000_000 } else { -1 },
        members: vec![first, member("d-2", "d")],
    }
}

#[test]
fn group_metadata_values_of_every_version() {
    for (version, text) in GROUP_METADATA_VALUES.iter().enumerate() {
        let encoded = bytes(text);
        assert_eq!(GroupMetadataValue::decode(&encoded), Ok(group_of_two(version)), "{text}");
    }
    for (version, text) in EMPTY_GROUP_METADATA_VALUES.iter().enumerate() {
        let encoded = bytes(text);
        let expected = GroupMetadataValue {
            protocol_type: "",
            generation: 0,
            protocol: None,
            leader: None,
            members: Vec::new(),
            ..group_of_two(version)
        };
        assert_eq!(GroupMetadataValue::decode(&encoded), Ok(expected.clone()), "{text}");
        if version == 3 {
            assert_eq!(hex(&expected.encode().unwrap()), *text);
        }
    }
    assert_eq!(hex(&group_of_two(3).encode().unwrap()), GROUP_METADATA_VALUES[3]);
    assert_eq!(GroupMetadataValue::decode(&bytes("0005")), Err(DecodeError::UnknownVersion(5)));
}

/// Topics "a" and "bb", in versions 0 to 3.
pub(crate) const SUBSCRIPTIONS: [&str; 4] = [
    "000000000002000161000262620000000105",
    "00010000000200016100026262000000010500000001000161000000020000000000000001",
    "0002000000020001610002626200000001050000000100016100000002000000000000000100000004",
    "0003000000020001610002626200000001050000000100016100000002000000000000000100000004000172",
];
const ASSIGNMENT: &str = "0000000000020001610000000200000000000000020002626200000000ffffffff";

#[test]
fn consumer_protocol_of_every_version() {
    for text in SUBSCRIPTIONS {
        let encoded = bytes(text);
        let subscription = ConsumerSubscription::decode(&encoded).unwrap();
        assert_eq!(subscription.topics, ["a", "bb"], "{text}");
    }
    for version in 0..=3 {
        let mut encoded = bytes(ASSIGNMENT);
        encoded[1] = version;
        let assignment = ConsumerProtocolAssignment::decode(&encoded).unwrap();
        assert_eq!(assignment.assigned_partitions, [("a", vec![0, 2]), ("bb", vec![])]);
    }
}

/// What all decoders make of `bytes` does not matter here, only that they come back.
fn decode_all(bytes: &[u8]) {
    let _ = Key::decode(bytes);
    let _ = OffsetCommitValue::decode(bytes);
    let _ = GroupMetadataValue::decode(bytes);
    let _ = ConsumerSubscription::decode(bytes);
    let _ = ConsumerProtocolAssignment::decode(bytes);
}

#[test]
fn a_message_cut_anywhere_is_an_error() {
    for text in OFFSET_COMMIT_VALUES {
        let whole = bytes(text);
        for length in 0..whole.len() {
            assert!(OffsetCommitValue::decode(&whole[..length]).is_err(), "{text} cut at {length}");
        }
    }
    for text in GROUP_METADATA_VALUES {
        let whole = bytes(text);
        for length in 0..whole.len() {
            assert!(GroupMetadataValue::decode(&whole[..length]).is_err(), "{text} cut at {length}");
        }
    }
}

#[test]
fn a_message_with_any_byte_changed_does_no_harm() {
    let vectors = OFFSET_COMMIT_VALUES.iter().chain(&GROUP_METADATA_VALUES).chain(&SUBSCRIPTIONS);
    for text in vectors.chain([&ASSIGNMENT, &COMMIT_KEY, &GROUP_KEY]) {
        let whole = bytes(text);
        for at in 0..whole.len() {
            for value in 0..=u8::MAX {
                let mut changed = whole.clone();
                changed[at] = value;
                decode_all(&changed);
            }
        }
    }
}

proptest! {
    #[test]
    fn random_bytes_do_no_harm(bytes in prop::collection::vec(any::<u8>(), 0..200), version in 0u8..6) {
        decode_all(&bytes);
        let mut versioned = vec![0, version];
        versioned.extend(&bytes);
        decode_all(&versioned);
    }

    #[test]
    fn what_is_written_reads_back(
        offset in any::<i64>(),
        leader_epoch in any::<i32>(),
        metadata in ".{0,40}",
        commit_timestamp_ms in any::<i64>(),
        topic_id in any::<[u8; 16]>(),
    ) {
        let value = OffsetCommitValue {
            offset,
            leader_epoch,
            metadata: &metadata,
            commit_timestamp_ms,
            expire_timestamp_ms: -1,
            topic_id: TopicId(topic_id),
        };
        let encoded = value.encode().unwrap();
        prop_assert_eq!(OffsetCommitValue::decode(&encoded), Ok(value));
    }
}
