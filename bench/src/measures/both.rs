//! Both directions at once: what is produced is consumed as it comes.

use ottla_tests::problem::Problem;

use super::measure::{BROKERS, Measure, Quantity};
use super::shape::{SMALL_BATCHES, Shape};
use crate::contender::Kind;
use crate::figures::Figures;
use crate::lean::{ConsumeLoad, ProduceLoad, Produced, consume, produce};
use crate::size::Size;
use crate::stage::Stage;

/// By the lean load.
pub(super) struct Both;

const SHAPE: Shape = Shape { bytes: 2_000_000_000, ..SMALL_BATCHES };

impl Measure for Both {
    fn name(&self) -> &'static str {
        "both"
    }

    fn about(&self) -> &'static str {
        "produced and at the same time consumed by the lean load, bytes counted once"
    }

    fn contenders(&self) -> &'static [Kind] {
        BROKERS
    }

    fn points(&self, _size: Size) -> Vec<String> {
        vec![SHAPE.name.to_owned()]
    }

    fn quantities(&self) -> Vec<Quantity> {
        vec![
            Quantity::less("cpu_s_per_gb", "broker CPU a GB in and out, s", 3),
            Quantity::more("mb_per_s", "MB a second in and out", 0),
        ]
    }

    fn measure(&self, stage: &mut Stage, _point: &str) -> Result<Figures, Problem> {
        let topic = stage.topic(SHAPE.partitions, &[])?;
        let producing = SHAPE.producing(&topic, stage.size.count(SHAPE.bytes, 1))?;
        let consuming = SHAPE.consuming_once(&producing)?;
        let metered = stage.metered(|address| at_once(address, &producing, &consuming))?;
        let figures = metered.per_gigabyte(metered.value.bytes, metered.took);
        stage.remove_topic(&topic)?;
        Ok(figures)
    }
}

/// Both in a thread of their own.
fn at_once(address: &str, producing: &ProduceLoad, consuming: &ConsumeLoad) -> Result<Produced, Problem> {
    std::thread::scope(|scope| {
        let consumer = scope.spawn(|| consume(address, consuming));
        let produced = produce(address, producing);
        let consumed = consumer.join().map_err(|_| Problem::new("the consumer ended by itself"));
        // A consumer that misses what a failed producer did not send would wait for ever.
        let produced = produced?;
        let consumed = consumed??;
        if consumed.bytes != produced.bytes {
            return Err(Problem::new(format!(
                "{} bytes were produced and {} consumed",
                produced.bytes, consumed.bytes
            )));
        }
        Ok(produced)
    })
}
