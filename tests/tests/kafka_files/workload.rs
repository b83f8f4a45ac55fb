//! What is written to a broker, and what must be read from it afterwards.

use std::time::Duration;

use bytes::Bytes;
use kafka_protocol::messages::create_topics_request::{CreatableTopic, CreatableTopicConfig};
use kafka_protocol::messages::fetch_request::{FetchPartition, FetchTopic};
use kafka_protocol::messages::offset_commit_request::{
    OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use kafka_protocol::messages::produce_request::{PartitionProduceData, TopicProduceData};
use kafka_protocol::messages::{
    CreateTopicsRequest, FetchRequest, FindCoordinatorRequest, GroupId, InitProducerIdRequest,
    OffsetCommitRequest, ProduceRequest, TopicName,
};
use kafka_protocol::protocol::StrBytes;
use kafka_protocol::records::Compression;
use ottla_tests::broker::Broker;

use super::codec::Codec;
use super::records::{Plain, Producer, decode, encode};
use super::wire::Connection;

/// Versions that name topics by name and that both brokers have.
const PRODUCE: i16 = 12;
const FETCH: i16 = 12;
const CREATE_TOPICS: i16 = 7;
const FIND_COORDINATOR: i16 = 4;
const INIT_PRODUCER_ID: i16 = 4;
const OFFSET_COMMIT: i16 = 9;

const REQUEST_LIMIT_MS: i32 = 10_000;
const PARTITIONS: i32 = 2;
/// Batches that one turn of work writes to each partition, of so many records at most.
const BATCHES: i64 = 150;
const RECORDS_MAX: i64 = 6;
/// Small ones, so that there are many, and entries in each index.
const SEGMENT_BYTES: &str = "8192";
const INDEX_INTERVAL_BYTES: &str = "1000";
pub(crate) const GROUPS: [&str; 3] = ["first", "second", "third"];

/// What a broker answers while it gets to know a topic or a group, or ends a transaction: LEADER_NOT_AVAILABLE and its like.
const NOT_YET: [i16; 7] = [3, 5, 6, 14, 15, 16, 51];
const TRIES_MAX: u32 = 200;
const TRY_INTERVAL: Duration = Duration::from_millis(50);

/// A topic of the workload.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Topic {
    pub(crate) name: &'static str,
    codec: Codec,
    is_idempotent: bool,
}

const fn topic(name: &'static str, codec: Codec) -> Topic {
    Topic { name, codec, is_idempotent: false }
}

pub(crate) const TOPICS: [Topic; 7] = [
    topic("none", Codec::framed(Compression::None)),
    topic("gzip", Codec::framed(Compression::Gzip)),
    topic("snappy", Codec::framed(Compression::Snappy)),
    topic("snappy.raw", Codec { compression: Compression::Snappy, raw: true }),
    topic("lz4", Codec::framed(Compression::Lz4)),
    topic("zstd", Codec::framed(Compression::Zstd)),
    Topic { name: "idempotent", codec: Codec::framed(Compression::None), is_idempotent: true },
];

/// What was written and acknowledged.
#[derive(Debug, Clone)]
pub(crate) struct Workload {
    producer: Producer,
    /// Records of each partition, the same in all.
    count: i64,
    commits: i64,
}

pub(crate) fn name(topic: &str) -> TopicName {
    TopicName(StrBytes::from_string(topic.to_owned()))
}

impl Workload {
    /// Creates the topics.
    pub(crate) fn begin(broker: &mut Broker) -> Self {
        let mut connection = Connection::open(&broker.address());
        let config = |name, value| {
            CreatableTopicConfig::default()
                .with_name(StrBytes::from_static_str(name))
                .with_value(Some(StrBytes::from_static_str(value)))
        };
        let topics = TOPICS.map(|topic| {
            CreatableTopic::default()
                .with_name(name(topic.name))
                .with_num_partitions(PARTITIONS)
                .with_replication_factor(1)
                .with_configs(vec![
                    config("internal.segment.bytes", SEGMENT_BYTES),
                    config("index.interval.bytes", INDEX_INTERVAL_BYTES),
                    // The records are from another year.
                    config("retention.ms", "-1"),
                ])
        });
        let request =
            CreateTopicsRequest::default().with_topics(topics.to_vec()).with_timeout_ms(REQUEST_LIMIT_MS);
        for topic in connection.call(CREATE_TOPICS, &request).topics {
            assert_eq!(topic.error_code, 0, "{topic:?}");
        }
        let producer = until_ready(broker, || {
            let request = InitProducerIdRequest::default().with_transactional_id(None);
            let answer = connection.call(INIT_PRODUCER_ID, &request);
            (answer.error_code, Producer { id: answer.producer_id.0, epoch: answer.producer_epoch })
        });
        Self { producer, count: 0, commits: 0 }
    }

    /// The topics' partitions and the records that they must have.
    pub(crate) fn partitions(&self) -> impl Iterator<Item = (Topic, i32, Vec<Plain>)> {
        let records = |topic: Topic| {
            (0..self.count).map(move |offset| Plain::new(offset, topic.is_idempotent)).collect::<Vec<_>>()
        };
        TOPICS
            .into_iter()
            .flat_map(move |topic| (0..PARTITIONS).map(move |index| (topic, index, records(topic))))
    }

    /// Writes to every partition, in batches of different sizes.
    pub(crate) fn work(&mut self, broker: &mut Broker) {
        let mut connection = Connection::open(&broker.address());
        for round in 0..BATCHES {
            let next = self.count + 1 + round % RECORDS_MAX;
            for topic in TOPICS {
                let records: Vec<Plain> =
                    (self.count..next).map(|offset| Plain::new(offset, topic.is_idempotent)).collect();
                let producer = topic.is_idempotent.then_some(self.producer);
                let batch = encode(&records, producer, topic.codec);
                for index in 0..PARTITIONS {
                    let base =
                        until_ready(broker, || produce(&mut connection, topic.name, index, batch.clone()));
                    assert_eq!(base, self.count, "{} {index}", topic.name);
                }
            }
            self.count = next;
        }
    }

    /// Commits offsets for each group and partition. The last ones are those that count.
    pub(crate) fn commit(&mut self, broker: &mut Broker) {
        let mut connection = Connection::open(&broker.address());
        self.commits += 1;
        for group in GROUPS {
            let key = StrBytes::from_static_str(group);
            let find = FindCoordinatorRequest::default().with_coordinator_keys(vec![key.clone()]);
            until_ready(broker, || {
                (connection.call(FIND_COORDINATOR, &find).coordinators.first().unwrap().error_code, ())
            });
            let partitions = |_| {
                (0..PARTITIONS).map(|index| {
                    OffsetCommitRequestPartition::default()
                        .with_partition_index(index)
                        .with_committed_offset(self.committed(index))
                        .with_committed_metadata(Some(StrBytes::from_static_str("by a test")))
                })
            };
            let topics = TOPICS.map(|topic| {
                OffsetCommitRequestTopic::default()
                    .with_name(name(topic.name))
                    .with_partitions(partitions(topic).collect())
            });
            let request = OffsetCommitRequest::default()
                .with_group_id(GroupId(key))
                .with_generation_id_or_member_epoch(-1)
                .with_topics(topics.to_vec());
            until_ready(broker, || {
                let answer = connection.call(OFFSET_COMMIT, &request);
                let errors = answer.topics.iter().flat_map(|topic| &topic.partitions);
                (errors.map(|partition| partition.error_code).find(|error| *error != 0).unwrap_or(0), ())
            });
        }
    }

    /// The offset that was committed last for a partition of that number.
    pub(crate) fn committed(&self, index: i32) -> i64 {
        1000 * self.commits + i64::from(index)
    }

    /// Reads every partition from its beginning, and tells how many records that were.
    pub(crate) fn check_all_is_there(&self, broker: &mut Broker) -> usize {
        let mut connection = Connection::open(&broker.address());
        let mut count = 0;
        for (topic, index, expected) in self.partitions() {
            let mut read: Vec<Plain> = Vec::new();
            while read.len() < expected.len() {
                let next = i64::try_from(read.len()).unwrap();
                let bytes = fetch(&mut connection, topic.name, index, next);
                assert!(!bytes.is_empty(), "{} {index} ends at {next}", topic.name);
                read.extend(decode(bytes).into_iter().filter(|record| record.offset >= next));
            }
            assert_eq!(read, expected, "{} {index}", topic.name);
            count += read.len();
        }
        count
    }
}

/// Asks again while the broker is not ready for it.
pub(crate) fn until_ready<T>(broker: &mut Broker, mut ask: impl FnMut() -> (i16, T)) -> T {
    for _ in 0..TRIES_MAX {
        match ask() {
            (0, answer) => return answer,
            (error, _) => assert!(NOT_YET.contains(&error), "error {error}"),
        }
        broker.idle(TRY_INTERVAL).unwrap();
    }
    panic!("the broker was not ready after {TRIES_MAX} tries");
}

fn produce(connection: &mut Connection, topic: &str, index: i32, batch: Bytes) -> (i16, i64) {
    let data = PartitionProduceData::default().with_index(index).with_records(Some(batch));
    let topic = TopicProduceData::default().with_name(name(topic)).with_partition_data(vec![data]);
    let request = ProduceRequest::default()
        .with_acks(-1)
        .with_timeout_ms(REQUEST_LIMIT_MS)
        .with_topic_data(vec![topic]);
    let answer = connection.call(PRODUCE, &request);
    let partition = answer.responses.first().unwrap().partition_responses.first().unwrap();
    (partition.error_code, partition.base_offset)
}

fn fetch(connection: &mut Connection, topic: &str, index: i32, offset: i64) -> Bytes {
    let partition = FetchPartition::default()
        .with_partition(index)
        .with_fetch_offset(offset)
        .with_partition_max_bytes(1 << 20);
    let topic = FetchTopic::default().with_topic(name(topic)).with_partitions(vec![partition]);
    let request = FetchRequest::default().with_max_bytes(1 << 20).with_topics(vec![topic]);
    let answer = connection.call(FETCH, &request);
    let partition = answer.responses.first().unwrap().partitions.first().unwrap();
    assert_eq!(partition.error_code, 0);
    partition.records.clone().unwrap_or_default()
}
