//! The image, its binary, and the memory that this takes: idle, with many topics, with many connections.

use std::path::Path;
use std::time::Duration;

use kafka_protocol::messages::MetadataRequest;
use ottla_tests::broker::{Broker, Options};
use ottla_tests::image::{Image, missing};
use ottla_tests::measure::{
    Connection, Fill, Memory, Shape, Spread, Subject, describe, fill, first_record, raise_descriptor_limit,
};
use ottla_tests::ottla::Ottla;
use ottla_tests::problem::{Doing, Problem};
use serde_json::{Value, json};

use crate::arguments::Arguments;
use crate::output::{Row, date, table, write};

/// How long the broker does nothing before its memory is read.
const IDLE_TIME: Duration = Duration::from_secs(2);
const TOPICS: u32 = 1000;
const CONNECTIONS: usize = 1000;
const METADATA_VERSION: i16 = 12;

/// A topic with a partition, in which a record of five bytes is enough to have a log opened.
const MANY: Shape = Shape { topics: TOPICS, partitions_per_topic: 1, records_per_batch: 1, value_bytes: 5 };

/// The quantities, in the order of a round's figures.
const NAMES: [&str; 10] = [
    "exec to ready, ms",
    "exec to first acknowledged produce, ms",
    "resident memory, idle, MiB",
    "anonymous memory, idle, MiB",
    "resident memory, 1,000 topics, MiB",
    "anonymous memory, 1,000 topics, MiB",
    "resident memory, 1,000 topics with a record each, MiB",
    "anonymous memory, 1,000 topics with a record each, MiB",
    "resident memory, 1,000 connections, MiB",
    "anonymous memory, 1,000 connections, MiB",
];

pub(crate) fn measure(arguments: &Arguments) -> Result<(), Problem> {
    let machine = describe()?;
    raise_descriptor_limit()?;
    if let Some(lacks) = missing() {
        return Err(Problem::new(lacks));
    }
    let image = Image::build()?;
    let image_bytes = image.layer_bytes()?;
    let subject = |name: &String| match name.as_str() {
        "kafka" => Subject::kafka(),
        _ => Subject::of(Ottla::at(image.binary())?),
    };
    let subjects: Vec<Subject> = arguments.brokers.iter().map(subject).collect::<Result<_, _>>()?;
    let scratch = tempfile::tempdir().doing("make a directory for logs")?;
    let log = scratch.path().join("broker.log");
    let mut rounds = vec![Vec::new(); subjects.len()];
    for _ in 0..arguments.rounds {
        for (subject, rounds) in subjects.iter().zip(&mut rounds) {
            rounds.push(round(subject, &log)?);
        }
    }
    let mut rows = Vec::new();
    for (place, name) in NAMES.iter().enumerate() {
        let spread = |rounds: &Vec<[f64; NAMES.len()]>| {
            Spread::of(rounds.iter().filter_map(|round| round.get(place).copied()))
        };
        let spreads = rounds.iter().map(spread).collect::<Result<_, _>>()?;
        rows.push(Row { name: (*name).to_owned(), digits: 1, spreads });
    }
    let names: Vec<&str> = subjects.iter().map(|subject| subject.name).collect();
    print!("{}", table("footprint", &names, &rows));
    println!("\nimage: {image_bytes} bytes");
    let brokers = subjects.iter().enumerate().map(|(place, subject)| json_of(place, subject, &rows));
    let figures = json!({
        "command": arguments.command,
        "machine": machine,
        "image_bytes": image_bytes,
        "brokers": brokers.collect::<Vec<Value>>(),
    });
    write(&arguments.out, "footprint", date(&machine), &figures)
}

fn json_of(place: usize, subject: &Subject, rows: &[Row]) -> Value {
    let figure = |row: &Row| Some((row.name.clone(), row.spreads.get(place)?.json()));
    let figures: serde_json::Map<String, Value> = rows.iter().filter_map(figure).collect();
    json!({"broker": subject.description, "figures": figures})
}

/// One figure for each of [`NAMES`].
fn round(subject: &Subject, log: &Path) -> Result<[f64; NAMES.len()], Problem> {
    let mut broker = subject.start(log, Options::default())?;
    let ready = milliseconds(broker.started().ready_after);
    let first_produce = milliseconds(first_record(&mut broker)?);
    broker.stop()?;

    let mut broker = subject.start(log, Options::default())?;
    let idle = memory(&mut broker)?;
    MANY.create(&mut broker)?;
    let topics = memory(&mut broker)?;
    fill(&broker.address(), &mut Fill::new(MANY), 1)?;
    let records = memory(&mut broker)?;
    broker.stop()?;

    let mut broker = subject.start(log, Options::default())?;
    let mut connections = Vec::with_capacity(CONNECTIONS);
    for _ in 0..CONNECTIONS {
        let mut connection = Connection::open(&broker.address())?;
        connection.call(METADATA_VERSION, &MetadataRequest::default().with_topics(None))?;
        connections.push(connection);
    }
    let connected = memory(&mut broker)?;
    drop(connections);
    broker.stop()?;

    let [idle, topics, records, connected] = [idle, topics, records, connected].map(mebibytes);
    Ok([
        ready,
        first_produce,
        idle.0,
        idle.1,
        topics.0,
        topics.1,
        records.0,
        records.1,
        connected.0,
        connected.1,
    ])
}

fn memory(broker: &mut Broker) -> Result<Memory, Problem> {
    broker.idle(IDLE_TIME)?;
    Memory::of_process(broker.process_id())
}

/// All of it, and the part that no file stands behind.
fn mebibytes(memory: Memory) -> (f64, f64) {
    (memory.resident_kib as f64 / 1024.0, memory.anonymous_kib as f64 / 1024.0)
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
