//! The start after kill -9 with much data in many partitions.

use std::time::Duration;

use ottla_tests::measure::{Fill, Shape, Usage, fill, wait_until_all_served};
use ottla_tests::problem::{Doing, Problem};

use super::measure::{Measure, Quantity};
use crate::contender::Kind;
use crate::figures::Figures;
use crate::size::Size;
use crate::stage::Stage;

/// Until every partition gives its last batch. The files are in the page cache.
pub(super) struct Recovery;

const BYTES: u64 = 10_000_000_000;
const SHAPE: Shape =
    Shape { topics: 10, partitions_per_topic: 100, records_per_batch: 16, value_bytes: 1000 };
const SMOKE_SHAPE: Shape = Shape { topics: 1, partitions_per_topic: 10, ..SHAPE };
/// Apache Kafka looks at every file.
const START_LIMIT: Duration = Duration::from_secs(600);

impl Measure for Recovery {
    fn name(&self) -> &'static str {
        "recovery"
    }

    fn about(&self) -> &'static str {
        "from the exec after kill -9, with 10 GB in 1,000 partitions, until every partition gives its last batch"
    }

    fn contenders(&self) -> &'static [Kind] {
        &[Kind::Ottla, Kind::KafkaCold]
    }

    fn points(&self, _size: Size) -> Vec<String> {
        vec!["kill -9".to_owned()]
    }

    fn quantities(&self) -> Vec<Quantity> {
        vec![
            Quantity::less("served_s", "exec until all is served, s", 3),
            Quantity::less("ready_s", "exec to ready, s", 3),
            Quantity::less("cpu_s", "broker CPU until then, s", 2),
        ]
    }

    fn measure(&self, stage: &mut Stage, _point: &str) -> Result<Figures, Problem> {
        let shape = if stage.size == Size::Smoke { SMOKE_SHAPE } else { SHAPE };
        stage.broker.options().start_limit = START_LIMIT;
        shape.create(&mut stage.broker)?;
        let mut filled = Fill::new(shape);
        let partitions =
            u64::from(shape.topics).saturating_mul(u64::from(shape.partitions_per_topic.unsigned_abs()));
        let batch_bytes = u64::from(shape.records_per_batch).saturating_mul(shape.value_bytes as u64);
        let batches = stage.size.count(BYTES, 1).div_ceil(partitions.saturating_mul(batch_bytes).max(1));
        fill(&stage.address(), &mut filled, u32::try_from(batches).doing("count batches")?)?;
        stage.broker.end_by_kill()?;
        stage.broker.start_again()?;
        let served = wait_until_all_served(&mut stage.broker, &filled)?;
        let mut figures = Figures::default();
        figures.set("served_s", served.fetched.as_secs_f64());
        figures.set("ready_s", served.ready.as_secs_f64());
        figures.set("cpu_s", Usage::of_process(stage.broker.process_id())?.cpu_seconds());
        figures.set("gigabytes", filled.bytes as f64 / 1e9);
        Ok(figures)
    }
}
