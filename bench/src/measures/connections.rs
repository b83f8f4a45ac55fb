//! Many connections: what an idle one holds, and what many cost those who produce.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use ottla_tests::measure::Memory;
use ottla_tests::problem::{Doing, Problem};

use super::measure::{Measure, Quantity};
use crate::contender::Kind;
use crate::figures::Figures;
use crate::lean::{Actor, Histogram, PacedFrames, PacedProducer, Schedule, greet, run};
use crate::size::Size;
use crate::stage::Stage;

/// Idle ones, and ones that produce at the same rate together, however many they are.
pub(super) struct Connections;

const IDLE: u64 = 10_000;
const IDLE_POINT: &str = "10,000 idle";
/// How long nothing is done before memory is read.
const CALM: Duration = Duration::from_secs(1);

const PRODUCING: [(&str, u32); 2] = [("10 producing", 10), ("1,000 producing", 1000)];
/// Over all connections.
const RATE: f64 = 2000.0;
const TIME: Duration = Duration::from_secs(10);
const LEAD_IN_PART: f64 = 0.2;
const PARTITIONS: i32 = 16;
const VALUE_BYTES: usize = 100;
const RECORDS_MAX: u32 = 4;
/// From the making of the schedule until the first record is due.
const AHEAD: Duration = Duration::from_millis(20);

impl Measure for Connections {
    fn name(&self) -> &'static str {
        "connections"
    }

    fn about(&self) -> &'static str {
        "idle connections, which have asked for the API versions; and 2,000 records a second over 10 and 1,000 connections"
    }

    fn contenders(&self) -> &'static [Kind] {
        &[Kind::Ottla, Kind::KafkaWarm, Kind::Kfake]
    }

    fn points(&self, size: Size) -> Vec<String> {
        let idle = (size != Size::WarmUp).then(|| IDLE_POINT.to_owned());
        idle.into_iter().chain(PRODUCING.iter().map(|(name, _)| (*name).to_owned())).collect()
    }

    fn quantities(&self) -> Vec<Quantity> {
        vec![
            Quantity::less("resident_kb_each", "resident memory of a connection, kB", 2),
            Quantity::less("p50_ms", "p50 of the acknowledgement, ms", 3),
            Quantity::less("p99_ms", "p99 of the acknowledgement, ms", 3),
            Quantity::less("cpu_us_each", "broker CPU a record, µs", 1),
        ]
    }

    fn measure(&self, stage: &mut Stage, point: &str) -> Result<Figures, Problem> {
        match PRODUCING.iter().find(|(name, _)| *name == point) {
            Some((_, connections)) => producing(stage, *connections),
            None => idle(stage),
        }
    }
}

fn idle(stage: &mut Stage) -> Result<Figures, Problem> {
    let count = stage.size.count(IDLE, 10);
    let address = stage.address();
    // The first connections bring along what all others share.
    let first: Vec<_> = (0..10).map(|_| greet(&address)).collect::<Result<_, _>>()?;
    stage.broker.idle(stage.size.time(CALM))?;
    let before = Memory::of_process(stage.broker.process_id())?;
    let connections: Vec<_> = (0..count).map(|_| greet(&address)).collect::<Result<_, _>>()?;
    stage.broker.idle(stage.size.time(CALM))?;
    let after = Memory::of_process(stage.broker.process_id())?;
    drop((first, connections));
    // From KiB to thousands of bytes.
    let each = |after: u64, before: u64| (after as f64 - before as f64) * 1.024 / count as f64;
    let mut figures = Figures::default();
    figures.set("connections", count as f64);
    figures.set("resident_kb_each", each(after.resident_kib, before.resident_kib));
    figures.set("anonymous_kb_each", each(after.anonymous_kib, before.anonymous_kib));
    Ok(figures)
}

fn producing(stage: &mut Stage, connections: u32) -> Result<Figures, Problem> {
    let topic = stage.topic(PARTITIONS, &[])?;
    let frames = PacedFrames::new(&topic, VALUE_BYTES, RECORDS_MAX)?;
    let seconds = stage.size.time(TIME).as_secs_f64();
    let rate = RATE / f64::from(connections);
    let count = ((seconds * rate).ceil() as u64).max(2);
    let lead_in = (count as f64 * LEAD_IN_PART).ceil() as u64;
    let latency = Rc::new(RefCell::new(Histogram::default()));
    let address = stage.address();
    let schedule = Schedule { start: Instant::now(), rate, count, lead_in };
    let mut producers = Vec::new();
    for number in 0..connections {
        let partition = i32::try_from(number).doing("count connections")?.checked_rem(PARTITIONS);
        let (frames, latency, partition) =
            (frames.clone(), Rc::clone(&latency), partition.unwrap_or_default());
        producers.push(PacedProducer::connect(&address, frames, partition, schedule, latency)?);
    }
    let metered = stage.metered(|_| {
        let start = Instant::now() + AHEAD;
        // Their records are due one after the other.
        for (number, producer) in (0_u32..).zip(&mut producers) {
            producer.begin_at(start + Duration::from_secs_f64(f64::from(number) / RATE));
        }
        let boxed = |producer| -> Box<dyn Actor> { Box::new(producer) };
        run(&mut producers.into_iter().map(boxed).collect::<Vec<_>>())
    })?;
    let mut figures = metered.per_each(count.saturating_mul(connections.into()), metered.took);
    figures.set_latency(&latency.borrow());
    stage.remove_topic(&topic)?;
    Ok(figures)
}
