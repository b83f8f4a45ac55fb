//! `flush.messages=1`: every batch is on the disk before it is acknowledged.

use std::time::Duration;

use ottla_tests::measure::batch_of;
use ottla_tests::problem::{Doing, Problem};

use super::measure::{Measure, Quantity};
use crate::contender::Kind;
use crate::figures::Figures;
use crate::lean::{ProduceLoad, Until, produce};
use crate::size::Size;
use crate::stage::Stage;

/// Producers that wait for each acknowledgement, each with a partition of its own.
pub(super) struct Flush;

const PRODUCERS: [i32; 3] = [1, 16, 128];
const VALUE_BYTES: usize = 100;
const TIME: Duration = Duration::from_secs(6);

impl Measure for Flush {
    fn name(&self) -> &'static str {
        "flush"
    }

    fn about(&self) -> &'static str {
        "records of 100 B with flush.messages=1, one to a batch, each producer waiting for its acknowledgement"
    }

    fn contenders(&self) -> &'static [Kind] {
        &[Kind::Ottla, Kind::KafkaWarm]
    }

    fn points(&self, _size: Size) -> Vec<String> {
        PRODUCERS.iter().map(|producers| format!("{producers} producers")).collect()
    }

    fn quantities(&self) -> Vec<Quantity> {
        vec![
            Quantity::more("per_s", "records a second", 0),
            Quantity::less("p50_ms", "p50, ms", 3),
            Quantity::less("p99_ms", "p99, ms", 3),
            Quantity::less("cpu_us_each", "broker CPU a record, µs", 1),
        ]
    }

    fn measure(&self, stage: &mut Stage, point: &str) -> Result<Figures, Problem> {
        let producers: i32 =
            point.trim_end_matches(" producers").parse().doing("read a number of producers")?;
        let topic = stage.topic(producers, &[("flush.messages", "1")])?;
        let load = ProduceLoad {
            topic: topic.clone(),
            partitions: producers,
            batch: batch_of(1, VALUE_BYTES)?,
            batches_per_request: 1,
            connections: usize::try_from(producers).doing("count connections")?,
            in_flight: 1,
            acks: -1,
            threads: 1,
            until: Until::Time(stage.size.time(TIME)),
        };
        let metered = stage.metered(|address| produce(address, &load))?;
        let produced = &metered.value;
        let mut figures = metered.per_each(produced.requests, produced.took);
        figures.set_latency(&produced.latency);
        stage.remove_topic(&topic)?;
        Ok(figures)
    }
}
