//! Many consumers of one topic, each of whom gets all of it.

use ottla_tests::problem::{Doing, Problem};

use super::fetch::fill;
use super::measure::{Measure, Quantity};
use super::shape::Shape;
use crate::contender::Kind;
use crate::figures::Figures;
use crate::lean::{ConsumeLoad, FetchLimits, Until, consume};
use crate::size::Size;
use crate::stage::Stage;

/// Each consumer has a connection and a fetch session of its own.
pub(super) struct FanOut;

const CONSUMERS: [usize; 3] = [1, 10, 100];

const SHAPE: Shape = Shape {
    name: "",
    value_bytes: 1000,
    batch_records: 16,
    partitions: 4,
    connections: 0,
    batches_per_request: 1,
    bytes: 8_000_000_000,
};

impl Measure for FanOut {
    fn name(&self) -> &'static str {
        "fan-out"
    }

    fn about(&self) -> &'static str {
        "1, 10 and 100 consumers who each fetch all four partitions of a topic; bytes counted over all of them"
    }

    fn contenders(&self) -> &'static [Kind] {
        &[Kind::Ottla, Kind::KafkaWarm]
    }

    fn points(&self, _size: Size) -> Vec<String> {
        CONSUMERS.iter().map(|count| format!("{count} consumers")).collect()
    }

    fn quantities(&self) -> Vec<Quantity> {
        vec![
            Quantity::less("cpu_s_per_gb", "broker CPU a GB delivered, s", 3),
            Quantity::more("mb_per_s", "MB a second over all", 0),
            Quantity::less("peak_anonymous_mb", "peak of anonymous memory, MB", 1),
        ]
    }

    fn measure(&self, stage: &mut Stage, point: &str) -> Result<Figures, Problem> {
        let consumers = point.trim_end_matches(" consumers").parse().doing("read a number of consumers")?;
        let (topic, end) = fill(stage, &SHAPE)?;
        let load = ConsumeLoad {
            topic: topic.clone(),
            partitions: SHAPE.partitions,
            connections: consumers,
            all_each: true,
            sessions: true,
            limits: FetchLimits {
                bytes_max: 50 << 20,
                partition_bytes_max: 1 << 20,
                bytes_min: 1,
                wait_ms: 500,
            },
            batch_bytes: SHAPE.batch()?.len(),
            batch_records: SHAPE.batch_records,
            end: Some(end),
            threads: 1,
            until: Until::Count(stage.size.count(SHAPE.bytes, 1)),
        };
        let metered = stage.metered(|address| consume(address, &load))?;
        let figures = metered.per_gigabyte(metered.value.bytes, metered.value.took);
        stage.remove_topic(&topic)?;
        Ok(figures)
    }
}
