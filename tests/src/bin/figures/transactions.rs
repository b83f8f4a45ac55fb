//! Transactions: how many a second, how long each takes, and what it costs the broker.
//!
//! Producers speak version 2 of transactions and commit one after the other, each to a partition of its own: small ones of
//! one record and one offset commit, and large ones of 1,000 records of 1 KB. The brokers take turns. Apache Kafka has
//! had the same load before, so that its virtual machine is warm.

use std::path::Path;
use std::time::{Duration, Instant};

use ottla_tests::broker::{Broker, Options};
use ottla_tests::measure::{
    NewTopic, Percentiles, Sample, Spread, Subject, TransactionShape, Transactor, Usage, create_topics,
    describe, load_average, repeat, subjects,
};
use ottla_tests::problem::{Doing, Problem};
use serde_json::{Value, json};

use crate::arguments::Arguments;
use crate::output::{Row, date, table, write};

const TOPIC: &str = "transactions";
const PRODUCERS: [i32; 2] = [1, 16];
const POINT_TIME: Duration = Duration::from_secs(5);
const WARM_UP: Duration = Duration::from_secs(10);

/// One record and one offset commit.
const SMALL: TransactionShape =
    TransactionShape { batches: 1, records_per_batch: 1, value_bytes: 100, with_offset: true };
/// 1,000 records in batches of the size that stock producers make when they are busy.
const LARGE: TransactionShape =
    TransactionShape { batches: 50, records_per_batch: 20, value_bytes: 1000, with_offset: false };

const KINDS: [(&str, TransactionShape); 2] = [(SMALL_KIND, SMALL), ("1,000 records of 1 KB", LARGE)];
const SMALL_KIND: &str = "a record and an offset commit";

/// One measurement.
struct Point {
    broker: &'static str,
    kind: &'static str,
    producers: i32,
    shape: TransactionShape,
    seconds: f64,
    latency: Percentiles,
    usage: Usage,
    /// Requests that were sent again, since the transaction before was still ending.
    repeated: u64,
    load_average: String,
}

/// A broker that runs.
struct Contender {
    subject: Subject,
    broker: Broker,
    turns: usize,
}

/// A row of the table: its name, digits behind the point, and what it tells of a point.
type Quantity = (&'static str, usize, fn(&Point) -> f64);

const MEGABYTES: &str = "MB a second";

const QUANTITIES: [Quantity; 5] = [
    ("transactions a second", 0, Point::rate),
    (MEGABYTES, 1, |point| point.rate() * point.megabytes()),
    ("p50, ms", 3, |point| point.latency.p50),
    ("p99, ms", 3, |point| point.latency.p99),
    ("broker CPU a transaction, µs", 1, |point| {
        point.usage.cpu_seconds() * 1e6 / point.latency.count as f64
    }),
];

pub(crate) fn measure(arguments: &Arguments) -> Result<(), Problem> {
    let machine = describe()?;
    let scratch = tempfile::tempdir().doing("make a directory for logs")?;
    let mut contenders = Vec::new();
    for subject in subjects(&arguments.brokers)? {
        contenders.push(Contender::start(subject, scratch.path())?);
    }
    for contender in &mut contenders {
        for (kind, shape) in KINDS {
            contender.measure(kind, shape, 16, arguments.scaled_time(WARM_UP))?;
        }
    }
    let time = arguments.scaled_time(POINT_TIME);
    let mut points = Vec::new();
    for round in 1..=arguments.rounds {
        for (kind, shape) in KINDS {
            for producers in PRODUCERS {
                for contender in &mut contenders {
                    let point = contender.measure(kind, shape, producers, time)?;
                    let (rate, p99) = (point.rate(), point.latency.p99);
                    let name = point.broker;
                    eprintln!(
                        "round {round} of {}: {name}, {producers} producers, {kind}: {rate:.0}/s, p99 {p99:.2} ms",
                        arguments.rounds
                    );
                    points.push(point);
                }
            }
        }
        contenders.reverse();
    }
    print!("{}", table_of(&arguments.brokers, &points)?);
    let figures = json!({
        "command": arguments.command,
        "machine": machine,
        "load_average_after": load_average()?,
        "seconds_of_a_point": time.as_secs_f64(),
        "brokers": contenders.iter().map(|contender| contender.subject.description.clone()).collect::<Vec<_>>(),
        "points": points.iter().map(Point::json).collect::<Vec<Value>>(),
    });
    write(&arguments.out, "transactions", date(&machine), &figures)
}

impl Contender {
    fn start(subject: Subject, logs: &Path) -> Result<Self, Problem> {
        let log = logs.join(format!("{}-transactions.log", subject.name));
        let mut broker = subject.start(&log, Options::default())?;
        let partitions = PRODUCERS.into_iter().max().unwrap_or(1);
        create_topics(&mut broker, &[NewTopic { name: TOPIC.to_owned(), partitions, settings: Vec::new() }])?;
        Ok(Self { subject, broker, turns: 0 })
    }

    fn measure(
        &mut self,
        kind: &'static str,
        shape: TransactionShape,
        producers: i32,
        time: Duration,
    ) -> Result<Point, Problem> {
        self.turns = self.turns.saturating_add(1);
        let address = self.broker.address();
        let mut transactors = Vec::new();
        for partition in 0..producers {
            let id = format!("producer-{}-{partition}", self.turns);
            // The parts of the coordinators' logs may still be read.
            repeat(&mut self.broker, || {
                let transactor = Transactor::begin(&address, &id, TOPIC, partition, shape)?;
                transactors.push(transactor);
                Ok(())
            })?;
        }
        let process = self.broker.process_id();
        let before = Usage::of_process(process)?;
        let began = Instant::now();
        let samples = all_commit_for(&mut transactors, time)?;
        let end = Instant::now();
        Ok(Point {
            broker: self.subject.name,
            kind,
            producers,
            shape,
            seconds: end.saturating_duration_since(began).as_secs_f64(),
            latency: Percentiles::between(&samples, began, end)?,
            usage: Usage::of_process(process)?.since(&before),
            repeated: transactors.iter().map(|transactor| transactor.repeated).sum(),
            load_average: load_average()?,
        })
    }
}

fn all_commit_for(transactors: &mut [Transactor], time: Duration) -> Result<Vec<Sample>, Problem> {
    std::thread::scope(|scope| {
        let commit = |transactor| scope.spawn(move || Transactor::commit_for(transactor, time));
        let threads: Vec<_> = transactors.iter_mut().map(commit).collect();
        let mut samples = Vec::new();
        for thread in threads {
            samples.extend(thread.join().map_err(|_| Problem::new("a producer ended by itself"))??);
        }
        Ok(samples)
    })
}

impl Point {
    /// Transactions a second.
    fn rate(&self) -> f64 {
        self.latency.count as f64 / self.seconds
    }

    /// Values of a transaction, in MB.
    fn megabytes(&self) -> f64 {
        let TransactionShape { batches, records_per_batch, value_bytes, .. } = self.shape;
        batches as f64 * f64::from(records_per_batch) * value_bytes as f64 / 1e6
    }

    fn json(&self) -> Value {
        json!({
            "broker": self.broker,
            "transaction": self.kind,
            "producers": self.producers,
            "seconds": self.seconds,
            "transactions_per_second": self.rate(),
            "megabytes_per_second": self.rate() * self.megabytes(),
            "latency": self.latency.json(),
            "usage": self.usage.json(),
            "requests_sent_again": self.repeated,
            "load_average_after": self.load_average,
        })
    }
}

fn table_of(names: &[String], points: &[Point]) -> Result<String, Problem> {
    let mut rows = Vec::new();
    for (kind, _) in KINDS {
        for producers in PRODUCERS {
            for (name, digits, quantity) in QUANTITIES {
                if kind == SMALL_KIND && name == MEGABYTES {
                    continue;
                }
                let of = |broker: &str| {
                    let matches = |point: &&Point| {
                        point.kind == kind && point.producers == producers && point.broker == broker
                    };
                    Spread::of(points.iter().filter(matches).map(quantity))
                };
                let spreads = names.iter().map(|name| of(name)).collect::<Result<_, _>>()?;
                rows.push(Row { name: format!("{kind}, {producers}: {name}"), digits, spreads });
            }
        }
    }
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    Ok(table("transaction, producers: quantity", &names, &rows))
}
