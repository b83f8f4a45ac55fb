//! End to end: from when a record was to be produced until it is consumed.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use ottla_tests::problem::Problem;

use super::measure::{BROKERS, Measure, Quantity};
use crate::contender::Kind;
use crate::figures::Figures;
use crate::lean::{Actor, Histogram, PacedFrames, PacedProducer, Schedule, Tail, run};
use crate::size::Size;
use crate::stage::Stage;

/// In an open loop, one producer and one consumer of one partition.
pub(super) struct Latency;

const VALUE_BYTES: usize = 100;
const RATES: [(&str, f64); 3] =
    [("200 a second", 200.0), ("2,000 a second", 2000.0), ("20,000 a second", 20_000.0)];
const TIME: Duration = Duration::from_secs(15);
/// The part of the time, at its beginning, that does not count.
const LEAD_IN_PART: f64 = 0.1;
const RECORDS_MAX: u32 = 64;
/// From the making of the schedule until the first record is due, so that both have connected.
const AHEAD: Duration = Duration::from_millis(20);

impl Measure for Latency {
    fn name(&self) -> &'static str {
        "latency"
    }

    fn about(&self) -> &'static str {
        "records of 100 B at a given rate, each from the time when it was due until it was consumed"
    }

    fn contenders(&self) -> &'static [Kind] {
        BROKERS
    }

    fn points(&self, _size: Size) -> Vec<String> {
        RATES.iter().map(|(name, _)| (*name).to_owned()).collect()
    }

    fn quantities(&self) -> Vec<Quantity> {
        vec![
            Quantity::less("p50_ms", "p50, ms", 3),
            Quantity::less("p99_ms", "p99, ms", 3),
            Quantity::less("p99.9_ms", "p99.9, ms", 3),
            Quantity::less("acknowledged_p99_ms", "p99 of the acknowledgement, ms", 3),
            Quantity::less("cpu_us_each", "broker CPU a record, µs", 2),
        ]
    }

    fn measure(&self, stage: &mut Stage, point: &str) -> Result<Figures, Problem> {
        let rate = RATES.iter().find(|(name, _)| *name == point).map_or(1.0, |(_, rate)| *rate);
        let topic = stage.topic(1, &[])?;
        let seconds = stage.size.time(TIME).as_secs_f64();
        let frames = PacedFrames::new(&topic, VALUE_BYTES, RECORDS_MAX)?;
        let (count, lead_in) = ((seconds * rate).ceil() as u64, (seconds * rate * LEAD_IN_PART) as u64);
        let metered = stage.metered(|address| {
            let schedule = Schedule { start: Instant::now() + AHEAD, rate, count, lead_in };
            end_to_end(address, &topic, frames, schedule)
        })?;
        let (acknowledged, delivered) = &metered.value;
        let mut figures = metered.per_each(count, metered.took);
        figures.set_latency(delivered);
        let mut of_producer = Figures::default();
        of_producer.set_latency(acknowledged);
        figures.add_all("acknowledged_", &of_producer);
        stage.remove_topic(&topic)?;
        Ok(figures)
    }
}

/// How late records were acknowledged, and how late they were consumed.
fn end_to_end(
    address: &str,
    topic: &str,
    frames: PacedFrames,
    schedule: Schedule,
) -> Result<(Histogram, Histogram), Problem> {
    let (acknowledged, delivered) = (Rc::new(RefCell::default()), Rc::new(RefCell::default()));
    let producer = PacedProducer::connect(address, frames, 0, schedule, Rc::clone(&acknowledged))?;
    let tail = Tail::connect(address, topic, schedule, Rc::clone(&delivered))?;
    let mut actors: [Box<dyn Actor>; 2] = [Box::new(producer), Box::new(tail)];
    run(&mut actors)?;
    Ok((acknowledged.take(), delivered.take()))
}
