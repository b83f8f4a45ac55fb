//! Requests.

use kafka_protocol::messages as theirs;
use ottla_wire::{StrBytes, fetch, list_offsets, offset_commit, offset_fetch, produce, write_txn_markers};

use crate::random::{Random, for_versions, ours, read_by_them, theirs as bytes_of};

fn name(name: &Option<StrBytes>) -> theirs::TopicName {
    name.clone().unwrap_or_default().into()
}

#[test]
fn produce() {
    use theirs::produce_request::{PartitionProduceData, TopicProduceData};
    for_versions(3..=13, |version, random| {
        let request = produce::ProduceRequest {
            transactional_id: random.maybe(Random::text),
            acks: random.int16(),
            timeout_ms: random.int32(),
            topics: random.list(|random| {
                let (name, topic_id) = random.topic(version >= 13);
                let partitions = random.list(|random| produce::ProducePartition {
                    index: random.int32(),
                    records: random.maybe(Random::bytes),
                });
                produce::ProduceTopic { name, topic_id, partitions }
            }),
        };
        let topic = |topic: &produce::ProduceTopic| {
            let partition = |partition: &produce::ProducePartition| {
                PartitionProduceData::default()
                    .with_index(partition.index)
                    .with_records(partition.records.clone())
            };
            TopicProduceData::default()
                .with_name(name(&topic.name))
                .with_topic_id(topic.topic_id.0.to_vec().try_into().expect("16 bytes"))
                .with_partition_data(topic.partitions.iter().map(partition).collect())
        };
        let same = theirs::ProduceRequest::default()
            .with_transactional_id(request.transactional_id.clone().map(Into::into))
            .with_acks(request.acks)
            .with_timeout_ms(request.timeout_ms)
            .with_topic_data(request.topics.iter().map(topic).collect());
        assert_eq!(produce::decode_request(version, &bytes_of(version, &same)), Ok(request), "v{version}");
    });
}

#[test]
fn records_are_not_copied() {
    use theirs::produce_request::{PartitionProduceData, TopicProduceData};
    let partition = PartitionProduceData::default().with_records(Some(vec![7; 1000].into()));
    let topic = TopicProduceData::default().with_partition_data(vec![partition]);
    let body = bytes_of(9, &theirs::ProduceRequest::default().with_topic_data(vec![topic]));
    let request = produce::decode_request(9, &body).expect("valid");
    let records = request.topics[0].partitions[0].records.clone().expect("records");
    assert!(body.as_ptr_range().contains(&records.as_ptr()));
}

fn fetch_request(version: i16, random: &mut Random) -> fetch::FetchRequest {
    let from = |first, value, default| if version >= first { value } else { default };
    let partition = |random: &mut Random| fetch::FetchPartition {
        index: random.int32(),
        current_leader_epoch: from(9, random.int32(), -1),
        fetch_offset: random.int64(),
        last_fetched_epoch: from(12, random.int32(), -1),
        max_bytes: random.int32(),
    };
    let topics = random.list(|random| {
        let (name, topic_id) = random.topic(version >= 13);
        fetch::FetchTopic { name, topic_id, partitions: random.list(partition) }
    });
    let forgotten_topics = random.list(|random| {
        let (name, topic_id) = random.topic(version >= 13);
        fetch::ForgottenTopic { name, topic_id, partitions: random.list(Random::int32) }
    });
    fetch::FetchRequest {
        replica_id: random.int32(),
        max_wait_ms: random.int32(),
        min_bytes: random.int32(),
        max_bytes: random.int32(),
        isolation_level: random.int8(),
        session_id: from(7, random.int32(), 0),
        session_epoch: from(7, random.int32(), -1),
        topics,
        forgotten_topics: if version >= 7 { forgotten_topics } else { Vec::new() },
        rack_id: if version >= 11 { random.text() } else { StrBytes::new() },
    }
}

/// The same partition, with what only followers send, which must not end up in another field.
fn same_fetch_partition(
    random: &mut Random,
    partition: &fetch::FetchPartition,
) -> theirs::fetch_request::FetchPartition {
    theirs::fetch_request::FetchPartition::default()
        .with_partition(partition.index)
        .with_current_leader_epoch(partition.current_leader_epoch)
        .with_fetch_offset(partition.fetch_offset)
        .with_last_fetched_epoch(partition.last_fetched_epoch)
        .with_partition_max_bytes(partition.max_bytes)
        .with_log_start_offset(random.int64())
        .with_replica_directory_id(random.topic_id().0.to_vec().try_into().expect("16 bytes"))
        .with_high_watermark(random.int64())
}

#[test]
fn fetch() {
    use theirs::fetch_request::{FetchTopic, ForgottenTopic, ReplicaState};
    for_versions(4..=18, |version, random| {
        let request = fetch_request(version, random);
        let topics = request.topics.iter().map(|topic| {
            let partitions = topic.partitions.iter().map(|one| same_fetch_partition(random, one));
            FetchTopic::default()
                .with_topic(name(&topic.name))
                .with_topic_id(topic.topic_id.0.to_vec().try_into().expect("16 bytes"))
                .with_partitions(partitions.collect())
        });
        let topics = topics.collect();
        let forgotten = request.forgotten_topics.iter().map(|topic| {
            ForgottenTopic::default()
                .with_topic(name(&topic.name))
                .with_topic_id(topic.topic_id.0.to_vec().try_into().expect("16 bytes"))
                .with_partitions(topic.partitions.clone())
        });
        let mut same = theirs::FetchRequest::default()
            .with_max_wait_ms(request.max_wait_ms)
            .with_min_bytes(request.min_bytes)
            .with_max_bytes(request.max_bytes)
            .with_isolation_level(request.isolation_level)
            .with_session_id(request.session_id)
            .with_session_epoch(request.session_epoch)
            .with_topics(topics)
            .with_forgotten_topics_data(forgotten.collect())
            .with_rack_id(request.rack_id.clone());
        if version >= 12 {
            same.cluster_id = random.maybe(Random::text);
        }
        let replica_id = request.replica_id.into();
        if version >= 15 {
            same.replica_state =
                ReplicaState::default().with_replica_id(replica_id).with_replica_epoch(random.int64());
        } else {
            same.replica_id = replica_id;
        }
        assert_eq!(fetch::decode_request(version, &bytes_of(version, &same)), Ok(request), "v{version}");
    });
}

fn list_offsets_request(version: i16, random: &mut Random) -> list_offsets::Request {
    list_offsets::Request {
        replica_id: random.int32(),
        isolation_level: if version >= 2 { random.int8() } else { 0 },
        timeout_ms: if version >= 10 { random.int32() } else { 0 },
        topics: random.list(|random| list_offsets::RequestTopic {
            name: random.text(),
            partitions: random.list(|random| list_offsets::RequestPartition {
                index: random.int32(),
                current_leader_epoch: if version >= 4 { random.int32() } else { -1 },
                timestamp: random.int64(),
            }),
        }),
    }
}

#[test]
fn list_offsets() {
    use theirs::list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
    for_versions(1..=11, |version, random| {
        let request = list_offsets_request(version, random);
        let bytes = ours(list_offsets::encode_request, version, &request);
        assert_eq!(list_offsets::decode_request(version, &bytes), Ok(request.clone()), "v{version}");
        let topic = |topic: &list_offsets::RequestTopic| {
            let partition = |partition: &list_offsets::RequestPartition| {
                ListOffsetsPartition::default()
                    .with_partition_index(partition.index)
                    .with_current_leader_epoch(partition.current_leader_epoch)
                    .with_timestamp(partition.timestamp)
            };
            ListOffsetsTopic::default()
                .with_name(topic.name.clone().into())
                .with_partitions(topic.partitions.iter().map(partition).collect())
        };
        let same = theirs::ListOffsetsRequest::default()
            .with_replica_id(request.replica_id.into())
            .with_isolation_level(request.isolation_level)
            .with_timeout_ms(request.timeout_ms)
            .with_topics(request.topics.iter().map(topic).collect());
        // Version 11 differs from 10 in its meaning only, and kafka-protocol ends with 10.
        let version = version.min(10);
        assert_eq!(bytes_of(version, &same), bytes, "v{version}");
        assert_eq!(read_by_them::<theirs::ListOffsetsRequest>(version, &bytes), same, "v{version}");
    });
}

#[test]
fn offset_commit() {
    use theirs::offset_commit_request::{OffsetCommitRequestPartition, OffsetCommitRequestTopic};
    for_versions(2..=10, |version, random| {
        let request = offset_commit::Request {
            group_id: random.text(),
            generation_id_or_member_epoch: random.int32(),
            member_id: random.text(),
            group_instance_id: if version >= 7 { random.maybe(Random::text) } else { None },
            retention_time_ms: if version <= 4 { random.int64() } else { -1 },
            topics: random.list(|random| {
                let (name, topic_id) = random.topic(version >= 10);
                let partitions = random.list(|random| offset_commit::RequestPartition {
                    index: random.int32(),
                    committed_offset: random.int64(),
                    committed_leader_epoch: if version >= 6 { random.int32() } else { -1 },
                    committed_metadata: random.maybe(Random::text),
                });
                offset_commit::RequestTopic { name, topic_id, partitions }
            }),
        };
        let bytes = ours(offset_commit::encode_request, version, &request);
        assert_eq!(offset_commit::decode_request(version, &bytes), Ok(request.clone()), "v{version}");
        if version > 9 {
            return; // kafka-protocol ends there; `vectors.rs` has the rest.
        }
        let topic = |topic: &offset_commit::RequestTopic| {
            let partition = |partition: &offset_commit::RequestPartition| {
                OffsetCommitRequestPartition::default()
                    .with_partition_index(partition.index)
                    .with_committed_offset(partition.committed_offset)
                    .with_committed_leader_epoch(partition.committed_leader_epoch)
                    .with_committed_metadata(partition.committed_metadata.clone())
            };
            OffsetCommitRequestTopic::default()
                .with_name(name(&topic.name))
                .with_partitions(topic.partitions.iter().map(partition).collect())
        };
        let same = theirs::OffsetCommitRequest::default()
            .with_group_id(request.group_id.into())
            .with_generation_id_or_member_epoch(request.generation_id_or_member_epoch)
            .with_member_id(request.member_id)
            .with_group_instance_id(request.group_instance_id)
            .with_retention_time_ms(request.retention_time_ms)
            .with_topics(request.topics.iter().map(topic).collect());
        assert_eq!(bytes_of(version, &same), bytes, "v{version}");
        assert_eq!(read_by_them::<theirs::OffsetCommitRequest>(version, &bytes), same, "v{version}");
    });
}

fn offset_fetch_group(version: i16, random: &mut Random) -> offset_fetch::RequestGroup {
    let topics = random.list(|random| {
        let (name, topic_id) = random.topic(version >= 10);
        offset_fetch::RequestTopic { name, topic_id, partitions: random.list(Random::int32) }
    });
    offset_fetch::RequestGroup {
        group_id: random.text(),
        member_id: if version >= 9 { random.maybe(Random::text) } else { None },
        member_epoch: if version >= 9 { random.int32() } else { -1 },
        topics: if version < 2 || random.boolean() { Some(topics) } else { None },
    }
}

#[test]
fn offset_fetch() {
    for_versions(1..=10, |version, random| {
        let request = offset_fetch::Request {
            groups: if version >= 8 {
                random.list(|random| offset_fetch_group(version, random))
            } else {
                vec![offset_fetch_group(version, random)]
            },
            require_stable: version >= 7 && random.boolean(),
        };
        let bytes = ours(offset_fetch::encode_request, version, &request);
        assert_eq!(offset_fetch::decode_request(version, &bytes), Ok(request.clone()), "v{version}");
        if version > 9 {
            return; // kafka-protocol ends there; `vectors.rs` has the rest.
        }
        let same = if version >= 8 { groups_of(&request) } else { group_of(&request) };
        assert_eq!(bytes_of(version, &same), bytes, "v{version}");
        assert_eq!(read_by_them::<theirs::OffsetFetchRequest>(version, &bytes), same, "v{version}");
    });
}

fn groups_of(request: &offset_fetch::Request) -> theirs::OffsetFetchRequest {
    use theirs::offset_fetch_request::{OffsetFetchRequestGroup, OffsetFetchRequestTopics};
    let topic = |topic: &offset_fetch::RequestTopic| {
        OffsetFetchRequestTopics::default()
            .with_name(name(&topic.name))
            .with_partition_indexes(topic.partitions.clone())
    };
    let group = |group: &offset_fetch::RequestGroup| {
        OffsetFetchRequestGroup::default()
            .with_group_id(group.group_id.clone().into())
            .with_member_id(group.member_id.clone())
            .with_member_epoch(group.member_epoch)
            .with_topics(group.topics.as_ref().map(|topics| topics.iter().map(topic).collect()))
    };
    theirs::OffsetFetchRequest::default()
        .with_require_stable(request.require_stable)
        .with_groups(request.groups.iter().map(group).collect())
}

fn group_of(request: &offset_fetch::Request) -> theirs::OffsetFetchRequest {
    use theirs::offset_fetch_request::OffsetFetchRequestTopic;
    let topic = |topic: &offset_fetch::RequestTopic| {
        OffsetFetchRequestTopic::default()
            .with_name(name(&topic.name))
            .with_partition_indexes(topic.partitions.clone())
    };
    let group = &request.groups[0];
    theirs::OffsetFetchRequest::default()
        .with_require_stable(request.require_stable)
        .with_group_id(group.group_id.clone().into())
        .with_topics(group.topics.as_ref().map(|topics| topics.iter().map(topic).collect()))
}

#[test]
fn write_txn_markers() {
    use theirs::write_txn_markers_request::{WritableTxnMarker, WritableTxnMarkerTopic};
    for_versions(1..=2, |version, random| {
        let request = write_txn_markers::Request {
            markers: random.list(|random| write_txn_markers::Marker {
                producer_id: random.int64(),
                producer_epoch: random.int16(),
                committed: random.int32() > 0,
                topics: random.list(|random| write_txn_markers::MarkerTopic {
                    name: random.text(),
                    partitions: random.list(Random::int32),
                }),
                coordinator_epoch: random.int32(),
                transaction_version: if version >= 2 { random.int16() as i8 } else { 0 },
            }),
        };
        let bytes = ours(write_txn_markers::encode_request, version, &request);
        assert_eq!(write_txn_markers::decode_request(version, &bytes), Ok(request.clone()), "v{version}");
        if version > 1 {
            return; // kafka-protocol ends there; `vectors.rs` has the rest.
        }
        let topic = |topic: &write_txn_markers::MarkerTopic| {
            WritableTxnMarkerTopic::default()
                .with_name(topic.name.clone().into())
                .with_partition_indexes(topic.partitions.clone())
        };
        let marker = |marker: &write_txn_markers::Marker| {
            WritableTxnMarker::default()
                .with_producer_id(marker.producer_id.into())
                .with_producer_epoch(marker.producer_epoch)
                .with_transaction_result(marker.committed)
                .with_topics(marker.topics.iter().map(topic).collect())
                .with_coordinator_epoch(marker.coordinator_epoch)
        };
        let markers = request.markers.iter().map(marker).collect();
        let same = theirs::WriteTxnMarkersRequest::default().with_markers(markers);
        assert_eq!(bytes_of(version, &same), bytes, "v{version}");
    });
}
