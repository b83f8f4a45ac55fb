//! What it costs to take batches in, and how fast that goes.

use std::sync::Arc;

use ottla_tests::broker::BrokerProgram;
use ottla_tests::problem::Problem;

use super::measure::{BROKERS_AND_FLOOR, Measure, Quantity};
use super::shape::{SMALL_BATCHES, SMALL_RECORDS, Shape, named};
use crate::contender::Kind;
use crate::figures::Figures;
use crate::floor::Floor;
use crate::lean::{produce, produce_answer};
use crate::size::Size;
use crate::stage::{COUNTED_PART, FLOOR_TOPIC, Stage};

/// acks=all, by the lean load.
pub(super) struct Produce;

const GIGABYTE: u64 = 1_000_000_000;

/// 16 KB is the size to which Java's producer fills batches, 1 MB that of librdkafka's under load.
const SHAPES: [Shape; 4] = [
    Shape { bytes: 2 * GIGABYTE, ..SMALL_BATCHES },
    Shape {
        name: "1 KB records, 16 KB batches, 12 in a request",
        value_bytes: 1000,
        batch_records: 16,
        partitions: 12,
        connections: 2,
        batches_per_request: 12,
        bytes: 2 * GIGABYTE,
    },
    Shape {
        name: "1 KB records, 1 MB batches",
        value_bytes: 1000,
        batch_records: 1000,
        partitions: 4,
        connections: 2,
        batches_per_request: 1,
        bytes: 2 * GIGABYTE,
    },
    Shape { bytes: GIGABYTE, ..SMALL_RECORDS },
];

impl Measure for Produce {
    fn name(&self) -> &'static str {
        "produce"
    }

    fn about(&self) -> &'static str {
        "batches with acks=all from the lean load, five requests under way on each connection"
    }

    fn contenders(&self) -> &'static [Kind] {
        BROKERS_AND_FLOOR
    }

    fn points(&self, _size: Size) -> Vec<String> {
        SHAPES.iter().map(|shape| shape.name.to_owned()).collect()
    }

    fn quantities(&self) -> Vec<Quantity> {
        vec![
            Quantity::less("cpu_s_per_gb", "broker CPU a GB, s", 3),
            Quantity::less("cpu_s_per_million", "broker CPU a million records, s", 3),
            Quantity::more("mb_per_s", "MB a second", 0),
            Quantity::less("p99_ms", "p99 of a request, ms", 2),
            Quantity::less("system_calls_per_gb", "system calls a GB", 0),
            Quantity::less("peak_anonymous_mb", "peak of anonymous memory, MB", 1),
        ]
    }

    fn floor(&self, point: &str, _size: Size) -> Result<Option<Arc<dyn BrokerProgram>>, Problem> {
        let shape = named(&SHAPES, point)?;
        let answer = produce_answer(FLOOR_TOPIC, shape.batches_per_request)?;
        Ok(Some(Arc::new(Floor::Sink { answer })))
    }

    fn measure(&self, stage: &mut Stage, point: &str) -> Result<Figures, Problem> {
        let shape = named(&SHAPES, point)?;
        let topic = stage.topic(shape.partitions, &[])?;
        let load = shape.producing(&topic, stage.size.count(shape.bytes, 1))?;
        let metered = stage.metered(|address| produce(address, &load))?;
        let produced = &metered.value;
        let mut figures = metered.per_gigabyte(produced.bytes, produced.took);
        figures.set_latency(&produced.latency);
        let records =
            produced.requests as f64 * shape.batches_per_request as f64 * f64::from(shape.batch_records);
        figures.set("cpu_s_per_million", metered.usage.cpu_seconds() * 1e6 / records);
        figures.set("records_per_s", records / produced.took.as_secs_f64());
        let part = shape.producing(&topic, produced.bytes.div_ceil(COUNTED_PART))?;
        stage.count_system_calls(&mut figures, "system_calls_per_gb", |address| {
            Ok(produce(address, &part)?.bytes as f64 / 1e9)
        })?;
        stage.remove_topic(&topic)?;
        Ok(figures)
    }
}
