//! The throughput that stock clients get, as their own performance programs tell it.

use ottla_tests::problem::Problem;

use super::measure::{Measure, Quantity};
use super::shape::{Shape, fill};
use crate::contender::Kind;
use crate::figures::Figures;
use crate::size::Size;
use crate::stage::Stage;
use crate::stock::{CLIENTS, Client, Task, run, run_both};

/// Each direction, and both at once, with the clients' defaults.
pub(super) struct Stock;

const IN: &str = "in";
const OUT: &str = "out";
const BOTH: &str = "in and out";

const RECORDS: u64 = 1_000_000;
const RECORDS_LEAST: u64 = 1000;

/// What consumers find.
const SHAPE: Shape = Shape {
    name: "",
    value_bytes: 1000,
    batch_records: 100,
    partitions: 4,
    connections: 1,
    batches_per_request: 1,
    bytes: 0,
};

impl Measure for Stock {
    fn name(&self) -> &'static str {
        "stock"
    }

    fn about(&self) -> &'static str {
        "records of 1 KB by the performance programs of stock clients, with their defaults"
    }

    fn contenders(&self) -> &'static [Kind] {
        &[Kind::Ottla, Kind::KafkaWarm, Kind::Kfake, Kind::Tansu]
    }

    fn points(&self, size: Size) -> Vec<String> {
        // The clients of a warm-up are all the same to the broker.
        let clients = CLIENTS.iter().take(if size == Size::WarmUp { 1 } else { CLIENTS.len() });
        clients.flat_map(|client| [IN, OUT, BOTH].map(|what| format!("{}, {what}", client.name()))).collect()
    }

    fn quantities(&self) -> Vec<Quantity> {
        vec![
            Quantity::more("per_s", "records a second", 0),
            Quantity::less("cpu_us_each", "broker CPU a record, µs", 2),
        ]
    }

    fn measure(&self, stage: &mut Stage, point: &str) -> Result<Figures, Problem> {
        let wrong = || Problem::new(format!("there is no point {point:?}"));
        let (name, what) = point.split_once(", ").ok_or_else(wrong)?;
        let client = CLIENTS.into_iter().find(|client| client.name() == name).ok_or_else(wrong)?;
        let records = stage.size.count(RECORDS, RECORDS_LEAST);
        let topic = if what == OUT {
            let batches = records.div_ceil(SHAPE.batch_records.into());
            let bytes = batches.saturating_mul(SHAPE.batch()?.len() as u64);
            fill(stage, &SHAPE, bytes)?.0
        } else {
            stage.topic(SHAPE.partitions, &[])?
        };
        let task = Task { address: stage.address(), topic, records, value_bytes: SHAPE.value_bytes };
        // Built before it is timed.
        let (producer, consumer) = (client.producer(&task)?, client.consumer(&task)?);
        let metered = stage.metered(|_| match what {
            IN => rate(client.produced(&run(producer)?)),
            OUT => rate(client.consumed(&run(consumer)?)),
            _ => both(client, producer, consumer),
        })?;
        let mut figures = metered.per_each(task.records, metered.took);
        // As the program tells it, whose start does not count.
        figures.set("per_s", metered.value);
        stage.remove_topic(&task.topic)?;
        Ok(figures)
    }
}

/// The slower of the two.
fn both(
    client: &dyn Client,
    producer: std::process::Command,
    consumer: std::process::Command,
) -> Result<f64, Problem> {
    let (produced, consumed) = run_both(producer, consumer)?;
    Ok(rate(client.produced(&produced))?.min(rate(client.consumed(&consumed))?))
}

fn rate(found: Option<f64>) -> Result<f64, Problem> {
    found.ok_or_else(|| Problem::new("a client's program did not tell how fast it was"))
}
