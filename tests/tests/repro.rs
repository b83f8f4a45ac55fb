//! Bugs that kill runs have found, each as the shortest way to it.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "the functions around the tests fail as the tests do"
)]

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use bytes::{Bytes, BytesMut};
use kafka_protocol::messages::create_topics_request::{CreatableTopic, CreatableTopicConfig};
use kafka_protocol::messages::produce_request::{PartitionProduceData, TopicProduceData};
use kafka_protocol::messages::{
    CreateTopicsRequest, InitProducerIdRequest, ProduceRequest, ProducerId, TopicName,
};
use kafka_protocol::protocol::StrBytes;
use kafka_protocol::records::{
    Compression, NO_PARTITION_LEADER_EPOCH, Record, RecordBatchEncoder, RecordEncodeOptions, TimestampType,
};
use ottla_tests::broker::Broker;
use ottla_tests::history::Recorder;
use ottla_tests::load::{Connection, OPERATOR, World};
use ottla_tests::ottla::Ottla;
use tempfile::TempDir;

const CREATE_TOPICS_VERSION: i16 = 7;
const INIT_PRODUCER_ID_VERSION: i16 = 4;
const PRODUCE_VERSION: i16 = 9;
const LIMIT_MS: i32 = 10_000;
const TOPIC: &str = "repro";

/// A broker with one topic of one partition, whose segments hold one batch each.
struct Scene {
    broker: Broker,
    world: Arc<World>,
    _directory: TempDir,
}

impl Scene {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let broker = Broker::start(Arc::new(Ottla::find().unwrap()), &directory.path().join("log")).unwrap();
        let recorder = Recorder::create(&directory.path().join("history")).unwrap();
        let world = Arc::new(World::new(broker.address(), 0, recorder));
        let scene = Self { broker, world, _directory: directory };
        let text = StrBytes::from_static_str;
        let config = CreatableTopicConfig::default()
            .with_name(text("internal.segment.bytes"))
            .with_value(Some(text("100")));
        let topic = CreatableTopic::default()
            .with_name(TopicName(text(TOPIC)))
            .with_num_partitions(1)
            .with_replication_factor(1)
            .with_configs(vec![config]);
        let request = CreateTopicsRequest::default().with_topics(vec![topic]).with_timeout_ms(LIMIT_MS);
        let response = scene.connect().call(CREATE_TOPICS_VERSION, &request).unwrap();
        assert_eq!(response.topics[0].error_code, 0);
        scene
    }

    fn connect(&self) -> Connection {
        Connection::open(Arc::clone(&self.world), OPERATOR).unwrap()
    }
}

fn producer_id(connection: &mut Connection) -> i64 {
    let request = InitProducerIdRequest::default()
        .with_transactional_id(None)
        .with_producer_id(ProducerId(-1))
        .with_producer_epoch(-1);
    connection.call(INIT_PRODUCER_ID_VERSION, &request).unwrap().producer_id.0
}

/// Sends a batch of one record; gives error code and offset.
fn produce(connection: &mut Connection, producer_id: i64, sequence: i32) -> (i16, i64) {
    let partition =
        PartitionProduceData::default().with_index(0).with_records(Some(batch(producer_id, sequence)));
    let topic = TopicProduceData::default()
        .with_name(TopicName(StrBytes::from_static_str(TOPIC)))
        .with_partition_data(vec![partition]);
    let request =
        ProduceRequest::default().with_acks(-1).with_timeout_ms(LIMIT_MS).with_topic_data(vec![topic]);
    let response = connection.call(PRODUCE_VERSION, &request).unwrap();
    let partition = &response.responses[0].partition_responses[0];
    (partition.error_code, partition.base_offset)
}

fn batch(producer_id: i64, sequence: i32) -> Bytes {
    let record = Record {
        transactional: false,
        control: false,
        delete_horizon: false,
        partition_leader_epoch: NO_PARTITION_LEADER_EPOCH,
        producer_id,
        producer_epoch: 0,
        timestamp_type: TimestampType::Creation,
        offset: 0,
        sequence,
        timestamp: now_ms(),
        key: None,
        value: Some(Bytes::from_static(b"a value of some thirty bytes..")),
        headers: Default::default(),
    };
    let mut batch = BytesMut::new();
    let options = RecordEncodeOptions { version: 2, compression: Compression::None };
    RecordBatchEncoder::encode(&mut batch, [&record], &options).unwrap();
    batch.freeze()
}

fn now_ms() -> i64 {
    i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap()
}

/// A producer has five batches in flight when the broker is killed, and no answer to any; all are in the log, each in a
/// segment of its own. It sends them again. The snapshot of the producers that the last roll left holds the newest batch
/// only, so the others were refused as out of order.
#[test]
fn repro_001_batches_in_flight_over_a_roll_are_known_again_after_a_kill() {
    let mut scene = Scene::new();
    let mut connection = scene.connect();
    let id = producer_id(&mut connection);
    let first: Vec<(i16, i64)> = (0..5).map(|sequence| produce(&mut connection, id, sequence)).collect();
    assert_eq!(first, [(0, 0), (0, 1), (0, 2), (0, 3), (0, 4)]);
    scene.broker.kill().unwrap();
    let mut connection = scene.connect();
    let again: Vec<(i16, i64)> = (0..5).map(|sequence| produce(&mut connection, id, sequence)).collect();
    assert_eq!(again, first);
}
