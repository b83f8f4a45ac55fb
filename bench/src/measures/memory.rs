//! Memory after much has gone in and out.

use std::time::Duration;

use ottla_tests::measure::Memory;
use ottla_tests::problem::{Doing, Problem};

use super::measure::{Measure, Quantity};
use super::shape::{SMALL_BATCHES, Shape};
use crate::contender::Kind;
use crate::figures::{Figures, megabytes};
use crate::lean::{consume, produce};
use crate::size::Size;
use crate::stage::Stage;

/// What no file stands behind, and all that is resident.
pub(super) struct MemoryAfter;

const SHAPE: Shape = Shape { name: "10 GB in and out", bytes: 10_000_000_000, ..SMALL_BATCHES };
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
        let producing = SHAPE.producing(&topic, stage.size.count(SHAPE.bytes, 1))?;
        let consuming = SHAPE.consuming_once(&producing)?;
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
