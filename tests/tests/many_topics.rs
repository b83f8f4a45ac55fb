//! 100,000 topics, made in requests of 1,000: each request takes as long as the first, the memory is bounded, all are told,
//! and all are there again soon after a kill.

#![allow(
    clippy::print_stdout,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "figures are printed; a test fails by a panic"
)]

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use kafka_protocol::messages::MetadataRequest;
use ottla_tests::broker::Broker;
use ottla_tests::measure::{Connection, Fill, Memory, NewTopic, Shape, fill, request_topics};
use ottla_tests::ottla::Ottla;

const TOPICS: usize = 100_000;
const TOPICS_PER_REQUEST: usize = 1_000;
/// Most anonymous memory for each topic of one partition that nobody uses yet.
const TOPIC_BYTES_MAX: u64 = 4096;
/// How much longer the last ten requests may take than the first ten.
const SLOWER_MAX: f64 = 8.0;
/// How long a start with all of them may take on a busy machine.
const START_LIMIT: Duration = Duration::from_secs(30);
const METADATA_VERSION: i16 = 12;

fn topics_told(broker: &Broker) -> usize {
    let mut connection = Connection::open(&broker.address()).unwrap();
    let told = connection.call(METADATA_VERSION, &MetadataRequest::default().with_topics(None)).unwrap();
    assert!(told.topics.iter().all(|topic| topic.error_code == 0 && topic.partitions.len() == 1));
    told.topics.len()
}

#[test]
fn a_hundred_thousand_topics_are_served() {
    let log = Path::new(env!("CARGO_TARGET_TMPDIR")).join("many-topics.log");
    let mut broker = Broker::start(Arc::new(Ottla::find().unwrap()), &log).unwrap();
    let before = Memory::of_process(broker.process_id()).unwrap();
    let mut connection = Connection::open(&broker.address()).unwrap();
    let mut took = Vec::new();
    for first in (0..TOPICS).step_by(TOPICS_PER_REQUEST) {
        let topic =
            |number| NewTopic { name: format!("topic-{number:06}"), partitions: 1, settings: Vec::new() };
        let topics: Vec<NewTopic> = (first..first + TOPICS_PER_REQUEST).map(topic).collect();
        let began = Instant::now();
        request_topics(&mut connection, &topics).unwrap();
        took.push(began.elapsed());
    }
    let memory = Memory::of_process(broker.process_id()).unwrap();
    let topic_bytes = (memory.anonymous_kib - before.anonymous_kib) * 1024 / TOPICS as u64;
    let seconds = |part: &[Duration]| part.iter().sum::<Duration>().as_secs_f64();
    let slower = seconds(&took[took.len() - 10..]) / seconds(&took[..10]);
    println!(
        "{TOPICS} topics in {:.1} s, the last requests {slower:.1} times as long as the first; {topic_bytes} bytes each, \
         {} MiB resident",
        seconds(&took),
        memory.resident_kib / 1024
    );
    assert!(topic_bytes <= TOPIC_BYTES_MAX, "{topic_bytes} bytes for each topic");
    assert!(slower <= SLOWER_MAX, "the last requests took {slower} times as long as the first");
    assert_eq!(topics_told(&broker), TOPICS);

    broker.kill().unwrap();
    println!("ready {:?} after a kill", broker.started().ready_after);
    assert!(broker.started().ready_after < START_LIMIT, "{:?}", broker.started().ready_after);
    assert_eq!(topics_told(&broker), TOPICS);
    // It is as usable as an empty one.
    let one = Shape { topics: 1, partitions_per_topic: 1, records_per_batch: 1, value_bytes: 5 };
    one.create(&mut broker).unwrap();
    fill(&broker.address(), &mut Fill::new(one), 1).unwrap();
    broker.stop().unwrap();
}
