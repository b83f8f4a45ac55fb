//! Both directions at once: what is produced is consumed as it comes.

use ottla_tests::problem::Problem;

use super::measure::{BROKERS, Measure, Quantity};
use super::shape::{IN_FLIGHT, Shape};
use crate::contender::Kind;
use crate::figures::Figures;
use crate::lean::{ConsumeLoad, FetchLimits, ProduceLoad, Produced, Until, consume, produce};
use crate::size::Size;
use crate::stage::Stage;

/// By the lean load.
pub(super) struct Both;

const SHAPE: Shape = Shape {
    name: "1 KB records, 16 KB batches",
    value_bytes: 1000,
    batch_records: 16,
    partitions: 4,
    connections: 4,
    batches_per_request: 1,
    bytes: 2_000_000_000,
};

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
        let (producing, consuming) = loads(&topic, stage.size)?;
        let metered = stage.metered(|address| at_once(address, &producing, &consuming))?;
        let figures = metered.per_gigabyte(metered.value.bytes, metered.took);
        stage.remove_topic(&topic)?;
        Ok(figures)
    }
}

fn loads(topic: &str, size: Size) -> Result<(ProduceLoad, ConsumeLoad), Problem> {
    let batch = SHAPE.batch()?;
    let (batch_bytes, batch_length) = (batch.len(), batch.len() as u64);
    let requests = size.count(SHAPE.bytes, batch_length).div_ceil(batch_length);
    let producing = ProduceLoad {
        topic: topic.to_owned(),
        partitions: SHAPE.partitions,
        batch,
        batches_per_request: SHAPE.batches_per_request,
        connections: SHAPE.connections,
        in_flight: IN_FLIGHT,
        acks: -1,
        threads: 1,
        until: Until::Count(requests),
    };
    let consuming = ConsumeLoad {
        topic: topic.to_owned(),
        partitions: SHAPE.partitions,
        connections: SHAPE.connections,
        all_each: false,
        sessions: true,
        // Short, so that the last requests of the others do not count for long when all bytes are there.
        limits: FetchLimits { bytes_max: 50 << 20, partition_bytes_max: 1 << 20, bytes_min: 1, wait_ms: 50 },
        batch_bytes,
        batch_records: SHAPE.batch_records,
        end: None,
        threads: 1,
        until: Until::Count(requests.saturating_mul(batch_length)),
    };
    Ok((producing, consuming))
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
