//! Many consumers of one topic, each of whom gets all of it.

use ottla_tests::problem::{Doing, Problem};

use super::measure::{Measure, Quantity};
use super::shape::{SMALL_BATCHES, Shape, fill};
use crate::contender::Kind;
use crate::figures::Figures;
use crate::lean::{ConsumeLoad, consume};
use crate::size::Size;
use crate::stage::Stage;

/// Each consumer has a connection and a fetch session of its own.
pub(super) struct FanOut;

const CONSUMERS: [usize; 3] = [1, 10, 100];

/// Bytes that are in the topic and fetched again and again.
const STORED_BYTES: u64 = 1_000_000_000;

const SHAPE: Shape = Shape { name: "", connections: 0, bytes: 8_000_000_000, ..SMALL_BATCHES };

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
        let (topic, end) = fill(stage, &SHAPE, stage.size.count(STORED_BYTES, 1))?;
        let load = SHAPE.consuming(&topic, end, stage.size.count(SHAPE.bytes, 1))?;
        let load = ConsumeLoad { connections: consumers, all_each: true, ..load };
        let metered = stage.metered(|address| consume(address, &load))?;
        let figures = metered.per_gigabyte(metered.value.bytes, metered.value.took);
        stage.remove_topic(&topic)?;
        Ok(figures)
    }
}
