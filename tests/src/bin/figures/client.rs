//! The least client that can create a topic and send a record to it, so that its own work is not what is measured.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use bytes::{BufMut, Bytes, BytesMut};
use kafka_protocol::messages::create_topics_request::CreatableTopic;
use kafka_protocol::messages::produce_request::{PartitionProduceData, TopicProduceData};
use kafka_protocol::messages::{
    ApiKey, CreateTopicsRequest, CreateTopicsResponse, ProduceRequest, ProduceResponse, RequestHeader,
    ResponseHeader, TopicName,
};
use kafka_protocol::protocol::{Decodable, Encodable, StrBytes};
use kafka_protocol::records::{
    Compression, NO_PARTITION_LEADER_EPOCH, NO_PRODUCER_EPOCH, NO_PRODUCER_ID, NO_SEQUENCE, Record,
    RecordBatchEncoder, RecordEncodeOptions, TimestampType,
};
use ottla_tests::problem::{Doing, Problem};

const CREATE_TOPICS_VERSION: i16 = 7;
const PRODUCE_VERSION: i16 = 9;

/// The version of the request header that both use.
const REQUEST_HEADER_VERSION: i16 = 2;
/// The version of the response header that both use.
const RESPONSE_HEADER_VERSION: i16 = 1;

const ANSWER_LIMIT: Duration = Duration::from_secs(30);
const ANSWER_LIMIT_MS: i32 = 30_000;

/// Bounds the memory for an answer whose length is wrong.
const ANSWER_BYTES_MAX: u32 = 1 << 20;

/// One connection to a broker, with one request at a time.
pub(crate) struct Connection {
    stream: TcpStream,
    correlation_id: i32,
}

impl Connection {
    /// Connects to `HOST:PORT`.
    pub(crate) fn open(address: &str) -> Result<Self, Problem> {
        let stream = TcpStream::connect(address).doing(format_args!("connect to {address}"))?;
        stream.set_nodelay(true).doing("set TCP_NODELAY")?;
        stream.set_read_timeout(Some(ANSWER_LIMIT)).doing("set a time limit")?;
        Ok(Self { stream, correlation_id: 0 })
    }

    /// Creates a topic with one partition.
    pub(crate) fn create_topic(&mut self, name: &'static str) -> Result<(), Problem> {
        let topic = CreatableTopic::default()
            .with_name(TopicName(StrBytes::from_static_str(name)))
            .with_num_partitions(1)
            .with_replication_factor(1);
        let request =
            CreateTopicsRequest::default().with_topics(vec![topic]).with_timeout_ms(ANSWER_LIMIT_MS);
        let response: CreateTopicsResponse =
            self.call(ApiKey::CreateTopics, CREATE_TOPICS_VERSION, &request)?;
        check(response.topics.iter().map(|topic| topic.error_code), "CreateTopics")
    }

    /// Sends one record to partition 0 and waits for its acknowledgement (acks=all).
    pub(crate) fn produce(&mut self, topic: &'static str, value: &'static [u8]) -> Result<(), Problem> {
        let partition =
            PartitionProduceData::default().with_index(0).with_records(Some(batch_of_one(value)?));
        let topic = TopicProduceData::default()
            .with_name(TopicName(StrBytes::from_static_str(topic)))
            .with_partition_data(vec![partition]);
        let request = ProduceRequest::default()
            .with_acks(-1)
            .with_timeout_ms(ANSWER_LIMIT_MS)
            .with_topic_data(vec![topic]);
        let response: ProduceResponse = self.call(ApiKey::Produce, PRODUCE_VERSION, &request)?;
        let partitions = response.responses.iter().flat_map(|topic| &topic.partition_responses);
        check(partitions.map(|partition| partition.error_code), "Produce")
    }

    fn call<R: Decodable>(
        &mut self,
        api: ApiKey,
        version: i16,
        request: &impl Encodable,
    ) -> Result<R, Problem> {
        self.correlation_id = self.correlation_id.wrapping_add(1);
        let header = RequestHeader::default()
            .with_request_api_key(api as i16)
            .with_request_api_version(version)
            .with_correlation_id(self.correlation_id)
            .with_client_id(Some(StrBytes::from_static_str("figures")));
        let mut body = BytesMut::new();
        header.encode(&mut body, REQUEST_HEADER_VERSION).doing("encode a header")?;
        request.encode(&mut body, version).doing("encode a request")?;
        let mut frame = BytesMut::new();
        frame.put_u32(u32::try_from(body.len()).doing("encode a length")?);
        frame.put_slice(&body);
        self.stream.write_all(&frame).doing(format_args!("send {api:?}"))?;
        self.answer(version).map_err(|problem| Problem::new(format!("{api:?}: {problem}")))
    }

    fn answer<R: Decodable>(&mut self, version: i16) -> Result<R, Problem> {
        let mut length = [0; 4];
        self.stream.read_exact(&mut length).doing("read the length of an answer")?;
        let length = u32::from_be_bytes(length);
        if length > ANSWER_BYTES_MAX {
            return Err(Problem::new(format!(
                "the answer has {length} bytes, at most {ANSWER_BYTES_MAX} are read"
            )));
        }
        let mut frame = vec![0; length as usize];
        self.stream.read_exact(&mut frame).doing("read an answer")?;
        let mut frame = Bytes::from(frame);
        let header = ResponseHeader::decode(&mut frame, RESPONSE_HEADER_VERSION).doing("decode a header")?;
        if header.correlation_id != self.correlation_id {
            return Err(Problem::new("the answer belongs to another request"));
        }
        R::decode(&mut frame, version).doing("decode an answer")
    }
}

/// Checks that there is at least one error code and that all are 0.
fn check(error_codes: impl Iterator<Item = i16>, api: &str) -> Result<(), Problem> {
    let codes: Vec<i16> = error_codes.collect();
    if codes.is_empty() || codes.iter().any(|code| *code != 0) {
        return Err(Problem::new(format!("{api} was answered with the error codes {codes:?}")));
    }
    Ok(())
}

fn batch_of_one(value: &'static [u8]) -> Result<Bytes, Problem> {
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
        timestamp: 0,
        key: None,
        value: Some(Bytes::from_static(value)),
        headers: Default::default(),
    };
    let mut batch = BytesMut::new();
    let options = RecordEncodeOptions { version: 2, compression: Compression::None };
    RecordBatchEncoder::encode(&mut batch, [&record], &options).doing("encode a batch")?;
    Ok(batch.freeze())
}
