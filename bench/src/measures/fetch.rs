//! What it costs to give batches out, and how fast that goes.

use std::sync::Arc;

use ottla_tests::broker::BrokerProgram;
use ottla_tests::problem::{Doing, Problem};

use super::measure::{BROKERS_AND_FLOOR, Measure, Quantity};
use super::shape::{SMALL_BATCHES, SMALL_RECORDS, Shape, fill, named};
use crate::contender::Kind;
use crate::figures::Figures;
use crate::floor::Floor;
use crate::lean::{ConsumeLoad, Until, consume, fetch_answer_head};
use crate::size::Size;
use crate::stage::{COUNTED_PART, FLOOR_TOPIC, Stage};

/// From the page cache, by the lean load.
pub(super) struct Fetch;

const GIGABYTE: u64 = 1_000_000_000;

/// Bytes that are in the topic and fetched again and again.
const STORED_BYTES: u64 = GIGABYTE;

/// What the floor gives at once: the default of stock consumers for a partition.
const PARTITION_BYTES: usize = 1 << 20;

const SHAPES: [Shape; 2] =
    [Shape { bytes: 8 * GIGABYTE, ..SMALL_BATCHES }, Shape { bytes: 4 * GIGABYTE, ..SMALL_RECORDS }];

impl Measure for Fetch {
    fn name(&self) -> &'static str {
        "fetch"
    }

    fn about(&self) -> &'static str {
        "what was produced just before, by the lean load, 1 MiB of a partition on each of four connections"
    }

    fn contenders(&self) -> &'static [Kind] {
        BROKERS_AND_FLOOR
    }

    fn points(&self, _size: Size) -> Vec<String> {
        SHAPES.iter().map(|shape| shape.name.to_owned()).collect()
    }

    fn quantities(&self) -> Vec<Quantity> {
        vec![
            Quantity::less("cpu_s_per_gb", "broker CPU a GB, s", 3),
            Quantity::more("mb_per_s", "MB a second", 0),
            Quantity::less("system_calls_per_gb", "system calls a GB", 0),
            Quantity::less("peak_anonymous_mb", "peak of anonymous memory, MB", 1),
        ]
    }

    fn floor(&self, point: &str, size: Size) -> Result<Option<Arc<dyn BrokerProgram>>, Problem> {
        let batch_bytes = named(&SHAPES, point)?.batch()?.len();
        let cut = PARTITION_BYTES.checked_rem(batch_bytes).unwrap_or_default();
        let records_bytes = PARTITION_BYTES.saturating_sub(cut);
        let head = fetch_answer_head(FLOOR_TOPIC, 0, records_bytes)?;
        let file_bytes = usize::try_from(size.count(STORED_BYTES, 1 << 21)).doing("count bytes")?;
        Ok(Some(Arc::new(Floor::Source { head, records_bytes, file_bytes })))
    }

    fn measure(&self, stage: &mut Stage, point: &str) -> Result<Figures, Problem> {
        let shape = named(&SHAPES, point)?;
        let (topic, end) = fill(stage, shape, stage.size.count(STORED_BYTES, 1))?;
        let bytes = stage.size.count(shape.bytes, 1);
        // The floor knows no sessions.
        let load = ConsumeLoad { sessions: false, ..shape.consuming(&topic, end, bytes)? };
        let metered = stage.metered(|address| consume(address, &load))?;
        let mut figures = metered.per_gigabyte(metered.value.bytes, metered.value.took);
        let part = ConsumeLoad { until: Until::Count(bytes.div_ceil(COUNTED_PART)), ..load };
        stage.count_system_calls(&mut figures, "system_calls_per_gb", |address| {
            Ok(consume(address, &part)?.bytes as f64 / 1e9)
        })?;
        stage.remove_topic(&topic)?;
        Ok(figures)
    }
}
