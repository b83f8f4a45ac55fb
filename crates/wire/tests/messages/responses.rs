//! Responses.

use bytes::Bytes;
use kafka_protocol::messages as theirs;
use ottla_model::ErrorCode;
use ottla_wire::message::{CurrentLeader, NodeEndpoint};
use ottla_wire::{
    Rope, StrBytes, Unencodable, describe_log_dirs, fetch, list_offsets, offset_commit, offset_fetch,
    produce, response_header_version, write_txn_markers,
};

use crate::random::{Random, for_versions, ours, read_by_them, theirs as bytes_of};

fn name(name: &Option<StrBytes>) -> theirs::TopicName {
    name.clone().unwrap_or_default().into()
}

fn leader(random: &mut Random) -> CurrentLeader {
    random
        .maybe(|random| CurrentLeader { leader_id: random.int32(), leader_epoch: random.int32() })
        .unwrap_or_default()
}

fn endpoint(random: &mut Random) -> NodeEndpoint {
    NodeEndpoint {
        node_id: random.int32(),
        host: random.text(),
        port: random.int32(),
        rack: random.maybe(Random::text),
    }
}

fn produce_response(version: i16, random: &mut Random) -> produce::ProduceResponse {
    let partition = |random: &mut Random| produce::ProducePartitionResponse {
        index: random.int32(),
        error: random.error(),
        base_offset: random.int64(),
        log_append_time_ms: random.int64(),
        log_start_offset: if version >= 5 { random.int64() } else { -1 },
        record_errors: if version >= 8 {
            random.list(|random| produce::RecordError {
                batch_index: random.int32(),
                message: random.maybe(Random::text),
            })
        } else {
            Vec::new()
        },
        error_message: if version >= 8 { random.maybe(Random::text) } else { None },
        current_leader: if version >= 10 { leader(random) } else { CurrentLeader::default() },
    };
    produce::ProduceResponse {
        topics: random.list(|random| {
            let (name, topic_id) = random.topic(version >= 13);
            produce::ProduceTopicResponse { name, topic_id, partitions: random.list(partition) }
        }),
        throttle_time_ms: random.int32(),
        node_endpoints: if version >= 10 { random.list(endpoint) } else { Vec::new() },
    }
}

fn same_produce_partition(
    partition: &produce::ProducePartitionResponse,
) -> theirs::produce_response::PartitionProduceResponse {
    use theirs::produce_response::{BatchIndexAndErrorMessage, LeaderIdAndEpoch, PartitionProduceResponse};
    let record = |record: &produce::RecordError| {
        BatchIndexAndErrorMessage::default()
            .with_batch_index(record.batch_index)
            .with_batch_index_error_message(record.message.clone())
    };
    let leader = LeaderIdAndEpoch::default()
        .with_leader_id(partition.current_leader.leader_id.into())
        .with_leader_epoch(partition.current_leader.leader_epoch);
    PartitionProduceResponse::default()
        .with_index(partition.index)
        .with_error_code(partition.error.code())
        .with_base_offset(partition.base_offset)
        .with_log_append_time_ms(partition.log_append_time_ms)
        .with_log_start_offset(partition.log_start_offset)
        .with_record_errors(partition.record_errors.iter().map(record).collect())
        .with_error_message(partition.error_message.clone())
        .with_current_leader(leader)
}

#[test]
fn produce() {
    use theirs::produce_response::{NodeEndpoint as TheirEndpoint, TopicProduceResponse};
    for_versions(3..=13, |version, random| {
        let response = produce_response(version, random);
        let topic = |topic: &produce::ProduceTopicResponse| {
            TopicProduceResponse::default()
                .with_name(name(&topic.name))
                .with_topic_id(topic.topic_id.0.to_vec().try_into().expect("16 bytes"))
                .with_partition_responses(topic.partitions.iter().map(same_produce_partition).collect())
        };
        let endpoint = |endpoint: &NodeEndpoint| {
            TheirEndpoint::default()
                .with_node_id(endpoint.node_id.into())
                .with_host(endpoint.host.clone())
                .with_port(endpoint.port)
                .with_rack(endpoint.rack.clone())
        };
        let same = theirs::ProduceResponse::default()
            .with_responses(response.topics.iter().map(topic).collect())
            .with_throttle_time_ms(response.throttle_time_ms)
            .with_node_endpoints(response.node_endpoints.iter().map(endpoint).collect());
        let bytes = ours(produce::encode_response, version, &response);
        assert_eq!(bytes_of(version, &same), bytes, "v{version}");
    });
}

fn fetch_response(version: i16, random: &mut Random) -> fetch::FetchResponse {
    let transaction = |random: &mut Random| fetch::AbortedTransaction {
        producer_id: random.int64(),
        first_offset: random.int64(),
    };
    let diverging =
        |random: &mut Random| fetch::EpochEndOffset { epoch: random.int32(), end_offset: random.int64() };
    let partition = |random: &mut Random| fetch::FetchPartitionResponse {
        index: random.int32(),
        error: random.error(),
        high_watermark: random.int64(),
        last_stable_offset: random.int64(),
        log_start_offset: if version >= 5 { random.int64() } else { -1 },
        diverging_epoch: if version >= 12 { random.maybe(diverging) } else { None },
        current_leader: if version >= 12 { leader(random) } else { CurrentLeader::default() },
        aborted_transactions: random.maybe(|random| random.list(transaction)),
        preferred_read_replica: if version >= 11 { random.int32() } else { -1 },
        records: random.bytes(),
    };
    fetch::FetchResponse {
        throttle_time_ms: random.int32(),
        error: if version >= 7 { random.error() } else { ErrorCode::None },
        session_id: if version >= 7 { random.int32() } else { 0 },
        topics: random.list(|random| {
            let (name, topic_id) = random.topic(version >= 13);
            fetch::FetchTopicResponse { name, topic_id, partitions: random.list(partition) }
        }),
        node_endpoints: if version >= 16 { random.list(endpoint) } else { Vec::new() },
    }
}

fn same_fetch_partition(partition: &fetch::FetchPartitionResponse) -> theirs::fetch_response::PartitionData {
    use theirs::fetch_response::{AbortedTransaction, EpochEndOffset, LeaderIdAndEpoch, PartitionData};
    let transaction = |transaction: &fetch::AbortedTransaction| {
        AbortedTransaction::default()
            .with_producer_id(transaction.producer_id.into())
            .with_first_offset(transaction.first_offset)
    };
    let aborted = partition.aborted_transactions.as_ref();
    let leader = LeaderIdAndEpoch::default()
        .with_leader_id(partition.current_leader.leader_id.into())
        .with_leader_epoch(partition.current_leader.leader_epoch);
    let mut same = PartitionData::default()
        .with_partition_index(partition.index)
        .with_error_code(partition.error.code())
        .with_high_watermark(partition.high_watermark)
        .with_last_stable_offset(partition.last_stable_offset)
        .with_log_start_offset(partition.log_start_offset)
        .with_current_leader(leader)
        .with_aborted_transactions(aborted.map(|aborted| aborted.iter().map(transaction).collect()))
        .with_preferred_read_replica(partition.preferred_read_replica.into())
        .with_records(Some(partition.records.clone()));
    if let Some(diverging) = partition.diverging_epoch {
        same.diverging_epoch =
            EpochEndOffset::default().with_epoch(diverging.epoch).with_end_offset(diverging.end_offset);
    }
    same
}

fn same_fetch(response: &fetch::FetchResponse) -> theirs::FetchResponse {
    use theirs::fetch_response::{FetchableTopicResponse, NodeEndpoint as TheirEndpoint};
    let topic = |topic: &fetch::FetchTopicResponse| {
        FetchableTopicResponse::default()
            .with_topic(name(&topic.name))
            .with_topic_id(topic.topic_id.0.to_vec().try_into().expect("16 bytes"))
            .with_partitions(topic.partitions.iter().map(same_fetch_partition).collect())
    };
    let endpoint = |endpoint: &NodeEndpoint| {
        TheirEndpoint::default()
            .with_node_id(endpoint.node_id.into())
            .with_host(endpoint.host.clone())
            .with_port(endpoint.port)
            .with_rack(endpoint.rack.clone())
    };
    theirs::FetchResponse::default()
        .with_throttle_time_ms(response.throttle_time_ms)
        .with_error_code(response.error.code())
        .with_session_id(response.session_id)
        .with_responses(response.topics.iter().map(topic).collect())
        .with_node_endpoints(response.node_endpoints.iter().map(endpoint).collect())
}

#[test]
fn fetch() {
    for_versions(4..=18, |version, random| {
        let response = fetch_response(version, random);
        let same = same_fetch(&response);
        let mut rope = Rope::new();
        fetch::encode_response(version, &response, &mut rope).expect("Ottla encodes");
        let length = rope.len();
        let parts = rope.into_parts();
        assert!(parts.iter().all(|part| !part.is_empty()));
        let bytes = Bytes::from(parts.concat());
        assert_eq!(bytes.len(), length);
        assert_eq!(bytes_of(version, &same), bytes, "v{version}");
    });
}

#[test]
fn fetch_frames_carry_their_length_and_their_records_uncopied() {
    for_versions(4..=18, |version, random| {
        let response = fetch_response(version, random);
        let correlation_id = random.int32();
        let rope = fetch::encode_response_frame(version, correlation_id, &response).expect("Ottla encodes");
        let length = rope.len();
        let parts = rope.into_parts();
        for topic in &response.topics {
            for partition in topic.partitions.iter().filter(|partition| !partition.records.is_empty()) {
                let records = partition.records.as_ptr();
                assert!(parts.iter().any(|part| part.as_ptr() == records), "v{version}: copied");
            }
        }
        let frame = parts.concat();
        let header_bytes = 8 + usize::from(response_header_version(1, version) == 1);
        assert_eq!(frame.len(), length);
        assert_eq!(frame[..4], (length as i32 - 4).to_be_bytes());
        assert_eq!(frame[4..8], correlation_id.to_be_bytes());
        assert_eq!(frame[header_bytes..], bytes_of(version, &same_fetch(&response)));
    });
}

#[test]
fn list_offsets() {
    use theirs::list_offsets_response::{ListOffsetsPartitionResponse, ListOffsetsTopicResponse};
    for_versions(1..=11, |version, random| {
        let response = list_offsets::Response {
            throttle_time_ms: if version >= 2 { random.int32() } else { 0 },
            topics: random.list(|random| list_offsets::ResponseTopic {
                name: random.text(),
                partitions: random.list(|random| list_offsets::ResponsePartition {
                    index: random.int32(),
                    error: random.error(),
                    timestamp: random.int64(),
                    offset: random.int64(),
                    leader_epoch: if version >= 4 { random.int32() } else { -1 },
                }),
            }),
        };
        let bytes = ours(list_offsets::encode_response, version, &response);
        assert_eq!(list_offsets::decode_response(version, &bytes), Ok(response.clone()), "v{version}");
        let topic = |topic: &list_offsets::ResponseTopic| {
            let partition = |partition: &list_offsets::ResponsePartition| {
                ListOffsetsPartitionResponse::default()
                    .with_partition_index(partition.index)
                    .with_error_code(partition.error.code())
                    .with_timestamp(partition.timestamp)
                    .with_offset(partition.offset)
                    .with_leader_epoch(partition.leader_epoch)
            };
            ListOffsetsTopicResponse::default()
                .with_name(topic.name.clone().into())
                .with_partitions(topic.partitions.iter().map(partition).collect())
        };
        let same = theirs::ListOffsetsResponse::default()
            .with_throttle_time_ms(response.throttle_time_ms)
            .with_topics(response.topics.iter().map(topic).collect());
        // Version 11 differs from 10 in its meaning only, and kafka-protocol ends with 10.
        let version = version.min(10);
        assert_eq!(bytes_of(version, &same), bytes, "v{version}");
        assert_eq!(read_by_them::<theirs::ListOffsetsResponse>(version, &bytes), same, "v{version}");
    });
}

#[test]
fn offset_commit() {
    use theirs::offset_commit_response::{OffsetCommitResponsePartition, OffsetCommitResponseTopic};
    for_versions(2..=10, |version, random| {
        let response = offset_commit::Response {
            throttle_time_ms: if version >= 3 { random.int32() } else { 0 },
            topics: random.list(|random| {
                let (name, topic_id) = random.topic(version >= 10);
                let partitions = random.list(|random| offset_commit::ResponsePartition {
                    index: random.int32(),
                    error: random.error(),
                });
                offset_commit::ResponseTopic { name, topic_id, partitions }
            }),
        };
        let bytes = ours(offset_commit::encode_response, version, &response);
        assert_eq!(offset_commit::decode_response(version, &bytes), Ok(response.clone()), "v{version}");
        let topic = |topic: &offset_commit::ResponseTopic| {
            let partition = |partition: &offset_commit::ResponsePartition| {
                OffsetCommitResponsePartition::default()
                    .with_partition_index(partition.index)
                    .with_error_code(partition.error.code())
            };
            OffsetCommitResponseTopic::default()
                .with_name(name(&topic.name))
                .with_topic_id(topic.topic_id.0.to_vec().try_into().expect("16 bytes"))
                .with_partitions(topic.partitions.iter().map(partition).collect())
        };
        let same = theirs::OffsetCommitResponse::default()
            .with_throttle_time_ms(response.throttle_time_ms)
            .with_topics(response.topics.iter().map(topic).collect());
        assert_eq!(bytes_of(version, &same), bytes, "v{version}");
        assert_eq!(read_by_them::<theirs::OffsetCommitResponse>(version, &bytes), same, "v{version}");
    });
}

fn offset_fetch_group(version: i16, random: &mut Random) -> offset_fetch::ResponseGroup {
    let partition = |random: &mut Random| offset_fetch::ResponsePartition {
        index: random.int32(),
        committed_offset: random.int64(),
        committed_leader_epoch: if version >= 5 { random.int32() } else { -1 },
        metadata: random.maybe(Random::text),
        error: random.error(),
    };
    offset_fetch::ResponseGroup {
        group_id: if version >= 8 { random.text() } else { StrBytes::new() },
        topics: random.list(|random| {
            let (name, topic_id) = random.topic(version >= 10);
            offset_fetch::ResponseTopic { name, topic_id, partitions: random.list(partition) }
        }),
        error: if version >= 2 { random.error() } else { ErrorCode::None },
    }
}

#[test]
fn offset_fetch() {
    for_versions(1..=10, |version, random| {
        let response = offset_fetch::Response {
            throttle_time_ms: if version >= 3 { random.int32() } else { 0 },
            groups: if version >= 8 {
                random.list(|random| offset_fetch_group(version, random))
            } else {
                vec![offset_fetch_group(version, random)]
            },
        };
        let bytes = ours(offset_fetch::encode_response, version, &response);
        assert_eq!(offset_fetch::decode_response(version, &bytes), Ok(response.clone()), "v{version}");
        let same = if version >= 8 { groups_of(&response) } else { group_of(&response) };
        assert_eq!(bytes_of(version, &same), bytes, "v{version}");
        assert_eq!(read_by_them::<theirs::OffsetFetchResponse>(version, &bytes), same, "v{version}");
    });
}

fn groups_of(response: &offset_fetch::Response) -> theirs::OffsetFetchResponse {
    use theirs::offset_fetch_response::{
        OffsetFetchResponseGroup, OffsetFetchResponsePartitions, OffsetFetchResponseTopics,
    };
    let partition = |partition: &offset_fetch::ResponsePartition| {
        OffsetFetchResponsePartitions::default()
            .with_partition_index(partition.index)
            .with_committed_offset(partition.committed_offset)
            .with_committed_leader_epoch(partition.committed_leader_epoch)
            .with_metadata(partition.metadata.clone())
            .with_error_code(partition.error.code())
    };
    let topic = |topic: &offset_fetch::ResponseTopic| {
        OffsetFetchResponseTopics::default()
            .with_name(name(&topic.name))
            .with_topic_id(topic.topic_id.0.to_vec().try_into().expect("16 bytes"))
            .with_partitions(topic.partitions.iter().map(partition).collect())
    };
    let group = |group: &offset_fetch::ResponseGroup| {
        OffsetFetchResponseGroup::default()
            .with_group_id(group.group_id.clone().into())
            .with_topics(group.topics.iter().map(topic).collect())
            .with_error_code(group.error.code())
    };
    theirs::OffsetFetchResponse::default()
        .with_throttle_time_ms(response.throttle_time_ms)
        .with_groups(response.groups.iter().map(group).collect())
}

fn group_of(response: &offset_fetch::Response) -> theirs::OffsetFetchResponse {
    use theirs::offset_fetch_response::{OffsetFetchResponsePartition, OffsetFetchResponseTopic};
    let partition = |partition: &offset_fetch::ResponsePartition| {
        OffsetFetchResponsePartition::default()
            .with_partition_index(partition.index)
            .with_committed_offset(partition.committed_offset)
            .with_committed_leader_epoch(partition.committed_leader_epoch)
            .with_metadata(partition.metadata.clone())
            .with_error_code(partition.error.code())
    };
    let topic = |topic: &offset_fetch::ResponseTopic| {
        OffsetFetchResponseTopic::default()
            .with_name(name(&topic.name))
            .with_partitions(topic.partitions.iter().map(partition).collect())
    };
    let group = &response.groups[0];
    theirs::OffsetFetchResponse::default()
        .with_throttle_time_ms(response.throttle_time_ms)
        .with_topics(group.topics.iter().map(topic).collect())
        .with_error_code(group.error.code())
}

#[test]
fn what_a_version_cannot_express_is_an_error() {
    let mut buffer = bytes::BytesMut::new();
    let two = offset_fetch::Response { throttle_time_ms: 0, groups: vec![Default::default(); 2] };
    assert_eq!(offset_fetch::encode_response(7, &two, &mut buffer), Err(Unencodable::Field));
    assert_eq!(offset_fetch::encode_response(8, &two, &mut buffer), Ok(()));
    assert_eq!(offset_fetch::encode_response(11, &two, &mut buffer), Err(Unencodable::Version));
    let nameless = offset_commit::Response { topics: vec![Default::default()], ..Default::default() };
    assert_eq!(offset_commit::encode_response(9, &nameless, &mut buffer), Err(Unencodable::Field));
    assert_eq!(offset_commit::encode_response(10, &nameless, &mut buffer), Ok(()));
    let name = StrBytes::from_string("x".repeat(0x8000));
    let topics = vec![list_offsets::ResponseTopic { name, partitions: Vec::new() }];
    let long = list_offsets::Response { topics, ..Default::default() };
    for version in 1..=11 {
        assert_eq!(list_offsets::encode_response(version, &long, &mut buffer), Err(Unencodable::TooLong));
    }
}

fn log_dirs_response(version: i16, random: &mut Random) -> describe_log_dirs::Response {
    let partition = |random: &mut Random| describe_log_dirs::Partition {
        index: random.int32(),
        size_bytes: random.int64(),
        offset_lag: random.int64(),
        is_future: random.boolean(),
    };
    let topic = |random: &mut Random| describe_log_dirs::Topic {
        name: random.text(),
        partitions: random.list(partition),
    };
    let (tells_error, tells_space) = (version >= 3, version >= 4);
    describe_log_dirs::Response {
        throttle_time_ms: random.int32(),
        error: if tells_error { random.error() } else { ErrorCode::None },
        results: random.list(|random| describe_log_dirs::LogDir {
            error: random.error(),
            path: random.text(),
            topics: random.list(topic),
            total_bytes: if tells_space { random.int64() } else { -1 },
            usable_bytes: if tells_space { random.int64() } else { -1 },
            is_cordoned: version >= 5 && random.boolean(),
        }),
    }
}

#[test]
fn describe_log_dirs() {
    use theirs::describe_log_dirs_response::{
        DescribeLogDirsPartition, DescribeLogDirsResult, DescribeLogDirsTopic,
    };
    for_versions(1..=5, |version, random| {
        let response = log_dirs_response(version, random);
        let bytes = ours(describe_log_dirs::encode_response, version, &response);
        assert_eq!(describe_log_dirs::decode_response(version, &bytes), Ok(response.clone()));
        if version > 4 {
            return;
        }
        let partition = |partition: &describe_log_dirs::Partition| {
            DescribeLogDirsPartition::default()
                .with_partition_index(partition.index)
                .with_partition_size(partition.size_bytes)
                .with_offset_lag(partition.offset_lag)
                .with_is_future_key(partition.is_future)
        };
        let topic = |topic: &describe_log_dirs::Topic| {
            DescribeLogDirsTopic::default()
                .with_name(topic.name.clone().into())
                .with_partitions(topic.partitions.iter().map(partition).collect())
        };
        let log_dir = |log_dir: &describe_log_dirs::LogDir| {
            DescribeLogDirsResult::default()
                .with_error_code(log_dir.error.code())
                .with_log_dir(log_dir.path.clone())
                .with_topics(log_dir.topics.iter().map(topic).collect())
                .with_total_bytes(log_dir.total_bytes)
                .with_usable_bytes(log_dir.usable_bytes)
        };
        let same = theirs::DescribeLogDirsResponse::default()
            .with_throttle_time_ms(response.throttle_time_ms)
            .with_error_code(response.error.code())
            .with_results(response.results.iter().map(log_dir).collect());
        assert_eq!(bytes_of(version, &same), bytes, "v{version}");
    });
}

#[test]
fn write_txn_markers() {
    use theirs::write_txn_markers_response::{
        WritableTxnMarkerPartitionResult, WritableTxnMarkerResult, WritableTxnMarkerTopicResult,
    };
    for_versions(1..=2, |version, random| {
        let response = write_txn_markers::Response {
            markers: random.list(|random| write_txn_markers::MarkerResult {
                producer_id: random.int64(),
                topics: random.list(|random| write_txn_markers::TopicResult {
                    name: random.text(),
                    partitions: random.list(|random| (random.int32(), random.error())),
                }),
            }),
        };
        let bytes = ours(write_txn_markers::encode_response, version, &response);
        assert_eq!(write_txn_markers::decode_response(version, &bytes), Ok(response.clone()), "v{version}");
        let topic = |topic: &write_txn_markers::TopicResult| {
            let partition = |(index, error): &(i32, ErrorCode)| {
                WritableTxnMarkerPartitionResult::default()
                    .with_partition_index(*index)
                    .with_error_code(error.code())
            };
            WritableTxnMarkerTopicResult::default()
                .with_name(topic.name.clone().into())
                .with_partitions(topic.partitions.iter().map(partition).collect())
        };
        let marker = |marker: &write_txn_markers::MarkerResult| {
            WritableTxnMarkerResult::default()
                .with_producer_id(marker.producer_id.into())
                .with_topics(marker.topics.iter().map(topic).collect())
        };
        let markers = response.markers.iter().map(marker).collect();
        // Version 2 differs from 1 in its request only, and kafka-protocol ends with 1.
        assert_eq!(bytes_of(1, &theirs::WriteTxnMarkersResponse::default().with_markers(markers)), bytes);
    });
}
