//! The same load over more and more partitions.

use ottla_tests::problem::{Doing, Problem};

use super::measure::{Measure, Quantity};
use super::shape::{SMALL_BATCHES, Shape};
use crate::contender::Kind;
use crate::figures::Figures;
use crate::lean::{consume, produce};
use crate::size::Size;
use crate::stage::Stage;

/// Produced and then consumed once.
pub(super) struct Partitions;

const COUNTS: [i32; 5] = [1, 10, 100, 1000, 10_000];
const SMOKE_PARTITIONS_MAX: i32 = 100;

const SHAPE: Shape = Shape { name: "", partitions: 1, bytes: 2_000_000_000, ..SMALL_BATCHES };

impl Measure for Partitions {
    fn name(&self) -> &'static str {
        "partitions"
    }

    fn about(&self) -> &'static str {
        "the same bytes in 16 KB batches, produced to one topic of 1 to 10,000 partitions in turn and then consumed"
    }

    fn contenders(&self) -> &'static [Kind] {
        &[Kind::Ottla, Kind::KafkaWarm]
    }

    fn points(&self, size: Size) -> Vec<String> {
        let most = if matches!(size, Size::Smoke | Size::WarmUp) { SMOKE_PARTITIONS_MAX } else { i32::MAX };
        COUNTS.iter().filter(|count| **count <= most).map(ToString::to_string).collect()
    }

    fn quantities(&self) -> Vec<Quantity> {
        vec![
            Quantity::more("mb_per_s", "MB a second in", 0),
            Quantity::less("cpu_s_per_gb", "broker CPU a GB in, s", 3),
            Quantity::more("fetch_mb_per_s", "MB a second out", 0),
            Quantity::less("fetch_cpu_s_per_gb", "broker CPU a GB out, s", 3),
        ]
    }

    fn measure(&self, stage: &mut Stage, point: &str) -> Result<Figures, Problem> {
        let partitions: i32 = point.parse().doing("read a number of partitions")?;
        let topic = stage.topic(partitions, &[])?;
        let shape = Shape { partitions, ..SHAPE };
        let producing = shape.producing(&topic, stage.size.count(SHAPE.bytes, 1))?;
        let consuming = shape.consuming_once(&producing)?;
        let metered = stage.metered(|address| produce(address, &producing))?;
        let mut figures = metered.per_gigabyte(metered.value.bytes, metered.value.took);
        let metered = stage.metered(|address| consume(address, &consuming))?;
        let out = metered.per_gigabyte(metered.value.bytes, metered.value.took);
        figures.add_all("fetch_", &out);
        stage.remove_topic(&topic)?;
        Ok(figures)
    }
}
