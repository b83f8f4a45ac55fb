//! A transactional producer whose requests are made by hand, so that each can be sent when the test wants it.

use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use kafka_protocol::messages::add_partitions_to_txn_request::AddPartitionsToTxnTopic;
use kafka_protocol::messages::fetch_request::{FetchPartition, FetchTopic};
use kafka_protocol::messages::offset_fetch_request::{OffsetFetchRequestGroup, OffsetFetchRequestTopics};
use kafka_protocol::messages::produce_request::{PartitionProduceData, TopicProduceData};
use kafka_protocol::messages::txn_offset_commit_request::{
    TxnOffsetCommitRequestPartition, TxnOffsetCommitRequestTopic,
};
use kafka_protocol::messages::*;
use kafka_protocol::protocol::{Request, StrBytes};
use kafka_protocol::records::{
    Compression, Record, RecordBatchDecoder, RecordBatchEncoder, RecordEncodeOptions, TimestampType,
};
use ottla_tests::broker::Broker;
use ottla_tests::measure::Connection;
use ottla_tests::schedule::BrokerChoice;

pub(crate) const TOPIC: &str = "orders";
pub(crate) const GROUP: &str = "readers";
const PATIENCE: Duration = Duration::from_secs(30);
pub(crate) const CONCURRENT_TRANSACTIONS: i16 = 51;

/// Which version of transactions a producer goes by (KIP-890).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flavor {
    One,
    Two,
}

fn text(text: &str) -> StrBytes {
    StrBytes::from_string(text.to_owned())
}

/// A broker with the topic, and the directory of its log.
pub(crate) struct Served {
    pub(crate) broker: Broker,
    _logs: tempfile::TempDir,
}

pub(crate) fn serve() -> Served {
    let logs = tempfile::tempdir().unwrap();
    let choice = BrokerChoice::from_environment().unwrap();
    let broker = Broker::start(choice.obtain().unwrap(), &logs.path().join("broker")).unwrap();
    let mut connection = Connection::open(&broker.address()).unwrap();
    create(&mut connection);
    Served { broker, _logs: logs }
}

fn create(connection: &mut Connection) {
    let topic = create_topics_request::CreatableTopic::default()
        .with_name(TopicName(text(TOPIC)))
        .with_num_partitions(2)
        .with_replication_factor(1);
    let request = CreateTopicsRequest::default().with_topics(vec![topic]).with_timeout_ms(10_000);
    assert_eq!(connection.call(7, &request).unwrap().topics[0].error_code, 0);
}

/// The producer, and the values that it sends next.
pub(crate) struct Producer {
    pub(crate) connection: Connection,
    flavor: Flavor,
    pub(crate) id: i64,
    pub(crate) epoch: i16,
    sequences: [i32; 2],
}

impl Producer {
    pub(crate) fn begin(served: &Served, flavor: Flavor) -> Self {
        let mut connection = Connection::open(&served.broker.address()).unwrap();
        for (kind, key) in [(0, GROUP), (1, "t")] {
            until(|| {
                let request = FindCoordinatorRequest::default()
                    .with_key_type(kind)
                    .with_coordinator_keys(vec![text(key)]);
                connection.call(4, &request).unwrap().coordinators[0].error_code == 0
            });
        }
        let mut producer = Self { connection, flavor, id: -1, epoch: -1, sequences: [0; 2] };
        let request = InitProducerIdRequest::default()
            .with_transactional_id(Some(TransactionalId(text("t"))))
            .with_transaction_timeout_ms(60_000)
            .with_producer_id((-1).into())
            .with_producer_epoch(-1);
        until(|| {
            let given = producer.connection.call(4, &request).unwrap();
            (producer.id, producer.epoch) = (given.producer_id.0, given.producer_epoch);
            given.error_code == 0
        });
        producer
    }

    /// The request that sends a value as the next one of its partition.
    pub(crate) fn batch(&mut self, index: i32, value: &str) -> ProduceRequest {
        let sequence = &mut self.sequences[usize::try_from(index).unwrap()];
        let record = Record {
            transactional: true,
            control: false,
            delete_horizon: false,
            partition_leader_epoch: -1,
            producer_id: self.id,
            producer_epoch: self.epoch,
            timestamp_type: TimestampType::Creation,
            offset: 0,
            sequence: *sequence,
            timestamp: 1,
            key: None,
            value: Some(Bytes::from(value.to_owned())),
            headers: Default::default(),
        };
        *sequence += 1;
        let mut bytes = BytesMut::new();
        let options = RecordEncodeOptions { version: 2, compression: Compression::None };
        RecordBatchEncoder::encode(&mut bytes, [&record], &options).unwrap();
        let data = PartitionProduceData::default().with_index(index).with_records(Some(bytes.freeze()));
        let topic =
            TopicProduceData::default().with_name(TopicName(text(TOPIC))).with_partition_data(vec![data]);
        ProduceRequest::default()
            .with_transactional_id(Some(TransactionalId(text("t"))))
            .with_acks(-1)
            .with_timeout_ms(10_000)
            .with_topic_data(vec![topic])
    }

    /// Says that the next batch is to have the sequence of the last one, which was never answered.
    pub(crate) fn forget_last(&mut self, index: i32) {
        self.sequences[usize::try_from(index).unwrap()] -= 1;
    }

    pub(crate) fn produce_version(&self) -> i16 {
        if self.flavor == Flavor::One { 11 } else { 12 }
    }

    /// Adds a partition to the transaction, as a client of version 1 does.
    pub(crate) fn add(&mut self, index: i32) -> i16 {
        let topic =
            AddPartitionsToTxnTopic::default().with_name(TopicName(text(TOPIC))).with_partitions(vec![index]);
        let request = AddPartitionsToTxnRequest::default()
            .with_v3_and_below_transactional_id(TransactionalId(text("t")))
            .with_v3_and_below_producer_id(self.id.into())
            .with_v3_and_below_producer_epoch(self.epoch)
            .with_v3_and_below_topics(vec![topic]);
        let mut error = CONCURRENT_TRANSACTIONS;
        until(|| {
            let added = self.connection.call(3, &request).unwrap();
            error = added.results_by_topic_v3_and_below[0].results_by_partition[0].partition_error_code;
            error != CONCURRENT_TRANSACTIONS
        });
        error
    }

    /// Sends a value, in whatever way its version has, and gives the error.
    pub(crate) fn send(&mut self, index: i32, value: &str) -> i16 {
        if self.flavor == Flavor::One {
            let error = self.add(index);
            if error != 0 {
                return error;
            }
        }
        let request = self.batch(index, value);
        let version = self.produce_version();
        let mut error = CONCURRENT_TRANSACTIONS;
        until(|| {
            error = produced(&self.connection.call(version, &request).unwrap());
            error != CONCURRENT_TRANSACTIONS
        });
        error
    }

    /// The request that commits an offset of the group.
    pub(crate) fn offset(&self, offset: i64) -> TxnOffsetCommitRequest {
        let part = TxnOffsetCommitRequestPartition::default().with_committed_offset(offset);
        let topic = TxnOffsetCommitRequestTopic::default()
            .with_name(TopicName(text(TOPIC)))
            .with_partitions(vec![part]);
        TxnOffsetCommitRequest::default()
            .with_transactional_id(TransactionalId(text("t")))
            .with_group_id(GroupId(text(GROUP)))
            .with_producer_id(self.id.into())
            .with_producer_epoch(self.epoch)
            .with_generation_id(-1)
            .with_topics(vec![topic])
    }

    pub(crate) fn send_offset(&mut self, offset: i64) -> i16 {
        let request = self.offset(offset);
        let mut error = CONCURRENT_TRANSACTIONS;
        until(|| {
            error = committed(&self.connection.call(5, &request).unwrap());
            error != CONCURRENT_TRANSACTIONS
        });
        error
    }

    /// The request that ends the transaction.
    pub(crate) fn end_request(&self, committed: bool) -> EndTxnRequest {
        EndTxnRequest::default()
            .with_transactional_id(TransactionalId(text("t")))
            .with_producer_id(self.id.into())
            .with_producer_epoch(self.epoch)
            .with_committed(committed)
    }

    pub(crate) fn end_version(&self) -> i16 {
        if self.flavor == Flavor::One { 4 } else { 5 }
    }

    /// Ends the transaction and takes the epoch of the next.
    pub(crate) fn end(&mut self, committed: bool) -> i16 {
        let request = self.end_request(committed);
        let version = self.end_version();
        let mut error = CONCURRENT_TRANSACTIONS;
        until(|| {
            let ended = self.connection.call(version, &request).unwrap();
            error = ended.error_code;
            if error == 0 && version >= 5 {
                (self.id, self.epoch) = (ended.producer_id.0, ended.producer_epoch);
                self.sequences = [0; 2];
            }
            error != CONCURRENT_TRANSACTIONS
        });
        error
    }

    /// The state that the coordinator tells.
    pub(crate) fn state(&mut self) -> String {
        let request =
            DescribeTransactionsRequest::default().with_transactional_ids(vec![TransactionalId(text("t"))]);
        self.connection.call(0, &request).unwrap().transaction_states[0].transaction_state.to_string()
    }

    /// Waits until no transaction is being ended.
    pub(crate) fn settle(&mut self) {
        until(|| !self.state().starts_with("Prepare"));
    }
}

pub(crate) fn produced(response: &ProduceResponse) -> i16 {
    response.responses[0].partition_responses[0].error_code
}

pub(crate) fn committed(response: &TxnOffsetCommitResponse) -> i16 {
    response.topics[0].partitions[0].error_code
}

/// Sends a request over a connection of its own, as one that was held up comes.
pub(crate) fn late<R: Request>(served: &Served, version: i16, request: &R) -> R::Response {
    Connection::open(&served.broker.address()).unwrap().call(version, request).unwrap()
}

fn until(mut done: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !done() {
        assert!(Instant::now() < deadline, "it takes too long");
        std::thread::yield_now();
    }
}

/// What a reader of committed data is given of a partition, in which nothing is undecided.
pub(crate) fn read(served: &Served, index: i32) -> Vec<String> {
    let mut connection = Connection::open(&served.broker.address()).unwrap();
    let (mut seen, mut offset) = (Vec::new(), 0);
    loop {
        let partition = FetchPartition::default()
            .with_partition(index)
            .with_fetch_offset(offset)
            .with_partition_max_bytes(1 << 20);
        let topic = FetchTopic::default().with_topic(TopicName(text(TOPIC))).with_partitions(vec![partition]);
        let request = FetchRequest::default()
            .with_replica_id((-1).into())
            .with_max_bytes(1 << 20)
            .with_isolation_level(1)
            .with_session_epoch(-1)
            .with_topics(vec![topic]);
        let fetched = connection.call(12, &request).unwrap().responses[0].partitions[0].clone();
        assert_eq!(fetched.error_code, 0);
        assert_eq!(fetched.last_stable_offset, fetched.high_watermark, "something is open");
        if offset >= fetched.high_watermark {
            return seen;
        }
        let mut aborted: Vec<_> = fetched.aborted_transactions.clone().unwrap_or_default();
        let mut hidden = Vec::new();
        let mut bytes = fetched.records.clone().unwrap_or_default();
        for record in
            RecordBatchDecoder::decode_all(&mut bytes).unwrap().into_iter().flat_map(|set| set.records)
        {
            aborted.retain(|one| {
                let begun = one.first_offset <= record.offset;
                hidden.extend(Some(one.producer_id.0).filter(|_| begun));
                !begun
            });
            if record.control {
                hidden.retain(|id| *id != record.producer_id);
            } else if !hidden.contains(&record.producer_id) {
                seen.push(String::from_utf8(record.value.unwrap().to_vec()).unwrap());
            }
            offset = record.offset + 1;
        }
    }
}

/// The offset that the group has committed, once it is decided.
pub(crate) fn offset(served: &Served) -> i64 {
    let mut connection = Connection::open(&served.broker.address()).unwrap();
    let topic =
        OffsetFetchRequestTopics::default().with_name(TopicName(text(TOPIC))).with_partition_indexes(vec![0]);
    let group =
        OffsetFetchRequestGroup::default().with_group_id(GroupId(text(GROUP))).with_topics(Some(vec![topic]));
    let request = OffsetFetchRequest::default().with_groups(vec![group]).with_require_stable(true);
    let mut committed = -1;
    until(|| {
        let read = connection.call(8, &request).unwrap();
        let part = &read.groups[0].topics[0].partitions[0];
        committed = part.committed_offset;
        part.error_code == 0
    });
    committed
}
