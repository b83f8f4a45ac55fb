//! Memory after much has gone in and out.

use std::time::Duration;

use ottla_tests::measure::Memory;
use ottla_tests::problem::{Doing, Problem};

use super::measure::{Measure, Quantity};
use super::shape::{IN_FLIGHT, Shape};
use crate::contender::Kind;
use crate::figures::{Figures, megabytes};
use crate::lean::{ConsumeLoad, FetchLimits, ProduceLoad, Until, consume, produce};
use crate::size::Size;
use crate::stage::Stage;

/// What no file stands behind, and all that is resident.
pub(super) struct MemoryAfter;

const SHAPE: Shape = Shape {
    name: "10 GB in and out",
    value_bytes: 1000,
    batch_records: 16,
    partitions: 4,
    connections: 4,
    batches_per_request: 1,
    bytes: 10_000_000_000,
};
/// How long the broker does nothing before its memory is read.
const CALM: Duration = Duration::from_secs(1);

impl Measure for MemoryAfter {
    fn name(&self) -> &'static str {
        "memory"
    }

    fn about(&self) -> &'static str {
        "memory after 10 GB were produced and then consumed"
    }

    fn contenders(&self) -> &'static [Kind] {
        &[Kind::Ottla, Kind::KafkaCold]
    }

    fn points(&self, _size: Size) -> Vec<String> {
        vec![SHAPE.name.to_owned()]
    }

    fn quantities(&self) -> Vec<Quantity> {
        vec![
            Quantity::less("anonymous_mb", "anonymous memory, MB", 1),
            Quantity::less("peak_anonymous_mb", "peak of anonymous memory, MB", 1),
            Quantity::less("resident_mb", "resident memory with mapped files, MB", 1),
        ]
    }

    fn measure(&self, stage: &mut Stage, _point: &str) -> Result<Figures, Problem> {
        let topic = stage.topic(SHAPE.partitions, &[])?;
        let batch = SHAPE.batch()?;
        let batch_bytes = batch.len();
        let partitions = u64::from(SHAPE.partitions.unsigned_abs());
        let each = stage.size.count(SHAPE.bytes, 1).div_ceil(batch_bytes as u64).div_ceil(partitions);
        let producing = ProduceLoad {
            topic: topic.clone(),
            partitions: SHAPE.partitions,
            batch,
            batches_per_request: SHAPE.batches_per_request,
            connections: SHAPE.connections,
            in_flight: IN_FLIGHT,
            acks: -1,
            threads: 1,
            until: Until::Count(each.saturating_mul(partitions)),
        };
        let consuming = ConsumeLoad {
            topic: topic.clone(),
            partitions: SHAPE.partitions,
            connections: SHAPE.connections,
            all_each: false,
            sessions: true,
            limits: FetchLimits {
                bytes_max: 50 << 20,
                partition_bytes_max: 1 << 20,
                bytes_min: 1,
                wait_ms: 50,
            },
            batch_bytes,
            batch_records: SHAPE.batch_records,
            end: None,
            threads: 1,
            until: Until::Count(each.saturating_mul(partitions).saturating_mul(batch_bytes as u64)),
        };
        let metered = stage.metered(|address| {
            let produced = produce(address, &producing)?;
            consume(address, &consuming)?;
            Ok(produced.bytes)
        })?;
        let mut figures = metered.per_gigabyte(metered.value, metered.took);
        stage.broker.idle(stage.size.time(CALM)).doing("let the broker calm down")?;
        let memory = Memory::of_process(stage.broker.process_id())?;
        figures.set("anonymous_mb", megabytes(memory.anonymous_kib));
        figures.set("resident_mb", megabytes(memory.resident_kib));
        stage.remove_topic(&topic)?;
        Ok(figures)
    }
}
