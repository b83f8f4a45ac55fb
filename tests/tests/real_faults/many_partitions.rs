//! 10,000 partitions in one broker that may open 1,024 files: all are served, before a kill and after it, and one that
//! nobody uses costs little memory. The disk is one in memory, so that the time goes into the broker and not into 50,000
//! syncs.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use kafka_protocol::messages::create_topics_request::CreatableTopic;
use kafka_protocol::messages::fetch_request::{FetchPartition, FetchTopic};
use kafka_protocol::messages::produce_request::{PartitionProduceData, TopicProduceData};
use kafka_protocol::messages::{BrokerId, CreateTopicsRequest, FetchRequest, ProduceRequest, TopicName};
use kafka_protocol::protocol::StrBytes;
use kafka_protocol::records::{
    Compression, NO_PARTITION_LEADER_EPOCH, NO_PRODUCER_EPOCH, NO_PRODUCER_ID, NO_SEQUENCE, Record,
    RecordBatchEncoder, RecordEncodeOptions, TimestampType,
};
use ottla_tests::broker::{Broker, BrokerProgram, DATA_DIRECTORY};
use ottla_tests::history::Recorder;
use ottla_tests::load::{Connection, OPERATOR, World};
use ottla_tests::ottla::Ottla;
use ottla_tests::problem::Problem;

use crate::mounts::Tmpfs;

const DISK_MEGABYTES: u32 = 1024;
const TOPICS: i32 = 100;
const PARTITIONS: i32 = 100;
const DESCRIPTORS_MAX: usize = 1024;
/// Memory that is the process's own, for each partition that nobody uses.
const IDLE_BYTES_MAX: u64 = 2048;
/// What a topic of 50 partitions may make on disk.
const FILES_MAX: usize = 49;
const LIMIT_MS: i32 = 30_000;
/// After this a log that nobody uses is idle.
const IDLE_TIME: Duration = Duration::from_secs(2);
const CREATE_TOPICS_VERSION: i16 = 7;
const PRODUCE_VERSION: i16 = 9;
const FETCH_VERSION: i16 = 12;

/// The command of a broker with few descriptors, and its data on a disk of the test.
fn limited(ottla: &Ottla, disk: &Path, port: u16) -> Command {
    let served = ottla.serve(disk, port);
    let mut command = Command::new("prlimit");
    command.arg(format!("--nofile={DESCRIPTORS_MAX}:{DESCRIPTORS_MAX}")).arg("--");
    command.arg(served.get_program()).args(served.get_args());
    // A log keeps its descriptor until its bytes are on disk: here that is before they are acknowledged.
    ottla.set(&mut command, "log.flush.interval.messages", "1");
    command
}

struct Scene {
    broker: Broker,
    world: Arc<World>,
}

impl Scene {
    fn connect(&self) -> Connection {
        Connection::open(Arc::clone(&self.world), OPERATOR).unwrap()
    }

    fn create(&self, names: impl Iterator<Item = String>, partitions: i32) {
        let topic = |name: String| {
            CreatableTopic::default()
                .with_name(TopicName(StrBytes::from_string(name)))
                .with_num_partitions(partitions)
                .with_replication_factor(1)
        };
        let topics = names.map(topic).collect();
        let request = CreateTopicsRequest::default().with_topics(topics).with_timeout_ms(LIMIT_MS);
        let response = self.connect().call(CREATE_TOPICS_VERSION, &request).unwrap();
        assert!(response.topics.iter().all(|topic| topic.error_code == 0), "{response:?}");
    }

    /// Appends a record to every partition, which must get this offset.
    fn produce(&self, offset: i64) {
        let mut connection = self.connect();
        for topic in 0..TOPICS {
            produce(&mut connection, topic, offset);
        }
    }

    /// Reads every partition from its beginning, which must hold so many records in batches of one.
    fn fetch(&self, records: usize) {
        let mut connection = self.connect();
        let bytes = records * batch().len();
        for topic in 0..TOPICS {
            let partition =
                |index| FetchPartition::default().with_partition(index).with_partition_max_bytes(1 << 20);
            let wanted = FetchTopic::default()
                .with_topic(name(topic))
                .with_partitions((0..PARTITIONS).map(partition).collect());
            let request = FetchRequest::default()
                .with_replica_id(BrokerId(-1))
                .with_max_bytes(64 << 20)
                .with_session_epoch(-1)
                .with_topics(vec![wanted]);
            let response = connection.call(FETCH_VERSION, &request).unwrap();
            let parts = &response.responses[0].partitions;
            assert_eq!(parts.len(), usize::try_from(PARTITIONS).unwrap());
            for part in parts {
                let read = part.records.as_ref().map_or(0, Bytes::len);
                assert_eq!((part.error_code, read), (0, bytes), "{topic}-{}", part.partition_index);
            }
        }
    }

    fn descriptors(&self) -> usize {
        std::fs::read_dir(format!("/proc/{}/fd", self.broker.process_id())).unwrap().count()
    }

    /// Memory that is the process's own, in bytes.
    fn memory(&self) -> u64 {
        let text =
            std::fs::read_to_string(format!("/proc/{}/smaps_rollup", self.broker.process_id())).unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix("Anonymous:")).unwrap();
        line.trim().trim_end_matches("kB").trim().parse::<u64>().unwrap() * 1024
    }
}

/// Appends a record to every partition of a topic.
fn produce(connection: &mut Connection, topic: i32, offset: i64) {
    let partition = |index| PartitionProduceData::default().with_index(index).with_records(Some(batch()));
    let data = TopicProduceData::default()
        .with_name(name(topic))
        .with_partition_data((0..PARTITIONS).map(partition).collect());
    let request =
        ProduceRequest::default().with_acks(-1).with_timeout_ms(LIMIT_MS).with_topic_data(vec![data]);
    let response = connection.call(PRODUCE_VERSION, &request).unwrap();
    let parts = &response.responses[0].partition_responses;
    assert_eq!(parts.len(), usize::try_from(PARTITIONS).unwrap());
    for part in parts {
        assert_eq!((part.error_code, part.base_offset), (0, offset), "{topic}-{}", part.index);
    }
}

fn name(topic: i32) -> TopicName {
    TopicName(StrBytes::from_string(format!("many-{topic}")))
}

fn batch() -> Bytes {
    let record = Record {
        transactional: false,
        control: false,
        delete_horizon: false,
        partition_leader_epoch: NO_PARTITION_LEADER_EPOCH,
        producer_id: NO_PRODUCER_ID,
        producer_epoch: NO_PRODUCER_EPOCH,
        timestamp_type: TimestampType::Creation,
        offset: 0,
        sequence: NO_SEQUENCE,
        timestamp: 1,
        key: None,
        value: Some(Bytes::from_static(b"one of ten thousand")),
        headers: Default::default(),
    };
    let mut batch = BytesMut::new();
    let options = RecordEncodeOptions { version: 2, compression: Compression::None };
    RecordBatchEncoder::encode(&mut batch, [&record], &options).unwrap();
    batch.freeze()
}

/// Files and folders below a directory.
fn files(directory: &Path) -> usize {
    let entries = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    entries.map(|path| 1 + if path.is_dir() { files(&path) } else { 0 }).sum()
}

pub(crate) fn few_descriptors(directory: &Path) -> Result<(), Problem> {
    let disk = Tmpfs::mount(&directory.join("disk"), DISK_MEGABYTES)?;
    let place = disk.directory().to_owned();
    let program = Ottla::find()?.served_by(move |ottla, _, port| limited(ottla, &place, port));
    let broker = Broker::start(Arc::new(program), &directory.join("broker.log"))?;
    let recorder = Recorder::create(&directory.join("history.ndjson"))?;
    let world = Arc::new(World::new(broker.address(), 0, recorder));
    let mut scene = Scene { broker, world };

    let data = disk.directory().join(DATA_DIRECTORY);
    let before = files(&data);
    scene.create(["fifty".to_owned()].into_iter(), 50);
    let made = files(&data) - before;
    assert!(made <= FILES_MAX, "a topic of 50 partitions made {made} files");

    let count = u64::try_from(TOPICS * PARTITIONS).unwrap();
    let empty = scene.memory();
    for topic in 0..TOPICS {
        scene.create([name(topic).to_string()].into_iter(), PARTITIONS);
    }
    let unused = scene.memory().saturating_sub(empty) / count;
    let began = Instant::now();
    scene.produce(0);
    let produced = began.elapsed();
    let most = scene.descriptors();
    scene.broker.idle(IDLE_TIME).unwrap();
    let idle = scene.memory().saturating_sub(empty) / count;
    scene.fetch(1);

    scene.broker.kill().unwrap();
    let started = scene.broker.started().ready_after;
    let restarted = scene.memory().saturating_sub(empty) / count;
    scene.fetch(1);
    scene.produce(1);
    scene.fetch(2);
    println!(
        "{count} partitions: {unused} bytes of memory each when empty, {idle} idle with one record, {restarted} after \
         a kill; one record to each in {produced:?}, {most} descriptors then, {made} files for 50 \
         partitions; start after the kill in {started:?}"
    );
    assert!(unused <= IDLE_BYTES_MAX, "{unused} bytes a partition without records");
    assert!(idle <= IDLE_BYTES_MAX, "{idle} bytes a partition with one record");
    assert!(restarted <= IDLE_BYTES_MAX, "{restarted} bytes a partition after a restart");
    Ok(())
}
