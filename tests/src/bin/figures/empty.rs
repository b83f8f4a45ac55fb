//! A broker with an empty data directory: its start, its memory, its size.

use std::path::Path;
use std::time::Duration;

use ottla_tests::broker::Options;
use ottla_tests::measure::{Fill, Memory, Shape, Spread, Subject, describe, fill, subjects};
use ottla_tests::problem::{Doing, Problem};
use serde_json::{Value, json};

use crate::arguments::Arguments;
use crate::output::{Row, date, table, write};

/// How long the broker does nothing before its memory counts as that of an idle one.
const IDLE_TIME: Duration = Duration::from_secs(2);

/// What the first producer needs.
const FIRST: Shape = Shape { topics: 1, partitions_per_topic: 1, records_per_batch: 1, value_bytes: 5 };

/// All that was measured of one broker.
struct Measured {
    subject: Subject,
    ready_ms: Vec<f64>,
    first_produce_ms: Vec<f64>,
    after_start: Vec<Memory>,
    idle: Vec<Memory>,
}

pub(crate) fn measure(arguments: &Arguments) -> Result<(), Problem> {
    let machine = describe()?;
    let scratch = tempfile::tempdir().doing("make a directory for logs")?;
    let log = scratch.path().join("broker.log");
    let new = |subject| Measured {
        subject,
        ready_ms: Vec::new(),
        first_produce_ms: Vec::new(),
        after_start: Vec::new(),
        idle: Vec::new(),
    };
    let mut brokers: Vec<Measured> = subjects(&arguments.brokers)?.into_iter().map(new).collect();
    for _ in 0..arguments.rounds {
        for broker in &mut brokers {
            broker.measure_start(&log)?;
            broker.measure_memory(&log)?;
        }
    }
    print!("{}", table_of(&brokers)?);
    let measured: Result<Vec<Value>, Problem> = brokers.iter().map(Measured::json).collect();
    let figures = json!({"command": arguments.command, "machine": machine, "brokers": measured?});
    write(&arguments.out, "empty", date(&machine), &figures)
}

impl Measured {
    /// The times from the exec to readiness and to the first acknowledgement of a record, for which a topic is created
    /// before.
    fn measure_start(&mut self, log: &Path) -> Result<(), Problem> {
        let (ready_ms, first_produce_ms) = times_of_start(&self.subject, log)?;
        self.ready_ms.push(ready_ms);
        self.first_produce_ms.push(first_produce_ms);
        Ok(())
    }

    fn measure_memory(&mut self, log: &Path) -> Result<(), Problem> {
        let mut broker = self.subject.start(log, Options::default())?;
        self.after_start.push(Memory::of_process(broker.process_id())?);
        broker.idle(IDLE_TIME)?;
        self.idle.push(Memory::of_process(broker.process_id())?);
        broker.stop()
    }

    /// The same quantities of every broker.
    fn quantities(&self) -> Result<[(&'static str, Spread); 5], Problem> {
        let mib = |memory: &[Memory], part: fn(&Memory) -> u64| {
            Spread::of(memory.iter().map(|memory| part(memory) as f64 / 1024.0))
        };
        Ok([
            ("exec to ready, ms", Spread::of(self.ready_ms.iter().copied())?),
            ("exec to first acknowledged produce, ms", Spread::of(self.first_produce_ms.iter().copied())?),
            ("resident memory after start, MiB", mib(&self.after_start, |memory| memory.resident_kib)?),
            ("resident memory, idle, MiB", mib(&self.idle, |memory| memory.resident_kib)?),
            ("anonymous memory, idle, MiB", mib(&self.idle, |memory| memory.anonymous_kib)?),
        ])
    }

    fn json(&self) -> Result<Value, Problem> {
        let figures = self.quantities()?.into_iter().map(|(name, spread)| (name.to_owned(), spread.json()));
        let figures: serde_json::Map<String, Value> = figures.collect();
        Ok(json!({"broker": self.subject.description, "figures": figures}))
    }
}

/// The milliseconds from the exec to readiness and to the first acknowledgement of a record.
pub(crate) fn times_of_start(subject: &Subject, log: &Path) -> Result<(f64, f64), Problem> {
    let mut broker = subject.start(log, Options::default())?;
    FIRST.create(&mut broker)?;
    fill(&broker.address(), &mut Fill::new(FIRST), 1)?;
    let acknowledged_after = broker.started().at.elapsed();
    let ready_after = broker.started().ready_after;
    broker.stop()?;
    Ok((milliseconds(ready_after), milliseconds(acknowledged_after)))
}

fn table_of(brokers: &[Measured]) -> Result<String, Problem> {
    let mut rows: Vec<Row> = Vec::new();
    for broker in brokers {
        for (place, (name, spread)) in broker.quantities()?.into_iter().enumerate() {
            match rows.get_mut(place) {
                Some(row) => row.spreads.push(spread),
                None => rows.push(Row { name: name.to_owned(), digits: 1, spreads: vec![spread] }),
            }
        }
    }
    let names: Vec<&str> = brokers.iter().map(|broker| broker.subject.name).collect();
    let sizes = brokers.iter().filter_map(|broker| {
        let bytes = broker.subject.description.get("binary_bytes")?.as_f64()?;
        Some(format!("\nbinary of {}: {:.1} MiB\n", broker.subject.name, bytes / 1024.0 / 1024.0))
    });
    Ok(table("empty data directory", &names, &rows) + &sizes.collect::<String>())
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}
