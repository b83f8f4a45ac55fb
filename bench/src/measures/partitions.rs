//! The same load over more and more partitions.

use std::time::Duration;

use ottla_tests::problem::{Doing, Problem};

use super::measure::{Measure, Quantity};
use super::shape::{SMALL_BATCHES, Shape};
use crate::contender::Kind;
use crate::figures::Figures;
use crate::lean::{ProduceLoad, Until, consume, produce};
use crate::size::Size;
use crate::stage::Stage;

/// Produced and then consumed once, after each partition has got its first batch.
pub(super) struct Partitions;

const COUNTS: [i32; 5] = [1, 10, 100, 1000, 10_000];
const SMOKE_PARTITIONS_MAX: i32 = 100;

/// From the first batches until all is written that they lead to: files, their names, checkpoints.
const SETTLE_TIME: Duration = Duration::from_secs(3);

const SHAPE: Shape = Shape { name: "", partitions: 1, bytes: 2_000_000_000, ..SMALL_BATCHES };

impl Measure for Partitions {
    fn name(&self) -> &'static str {
        "partitions"
    }

    fn about(&self) -> &'static str {
        "the same bytes in 16 KB batches, produced to one topic of 1 to 10,000 partitions in turn and then consumed; each \
         partition has got its first batch before"
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
            Quantity::less("first_us_each", "broker CPU of a partition's first batch, µs", 0),
        ]
    }

    fn measure(&self, stage: &mut Stage, point: &str) -> Result<Figures, Problem> {
        let partitions: i32 = point.parse().doing("read a number of partitions")?;
        let settle_time =
            if matches!(stage.size, Size::Full | Size::Quick) { SETTLE_TIME } else { Duration::ZERO };
        let topic = stage.topic(partitions, &[])?;
        let shape = Shape { partitions, ..SHAPE };
        // One connection, so that no partition is left out.
        let first = Shape { connections: 1, ..shape }.producing(&topic, 1)?;
        let first = ProduceLoad { until: Until::Count(partitions.unsigned_abs().into()), ..first };
        let metered_first = stage.metered_with(|broker| {
            produce(&broker.address(), &first)?;
            broker.idle(settle_time)
        })?;
        let producing = shape.producing(&topic, stage.size.count(SHAPE.bytes, 1))?;
        let consuming = shape.consuming_once(&producing)?;
        let metered = stage.metered(|address| produce(address, &producing))?;
        let mut figures = metered.per_gigabyte(metered.value.bytes, metered.value.took);
        let metered = stage.metered(|address| consume(address, &consuming))?;
        let out = metered.per_gigabyte(metered.value.bytes, metered.value.took);
        figures.add_all("fetch_", &out);
        let first = metered_first.usage.cpu_seconds() * 1e6 / f64::from(partitions);
        figures.set("first_us_each", first);
        // Files that are deleted make others dear: see `spent`.
        if stage.size == Size::WarmUp {
            stage.remove_topic(&topic)?;
        }
        Ok(figures)
    }
}
