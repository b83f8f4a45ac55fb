//! A steady load of several kinds over a long time, which shows whether memory, open files and latency stay as they are.
//!
//! A stream of large records goes into a topic that deletes what is old, and is consumed as it comes. Beside it, every
//! minute has a topic of its own with small records whose latency is taken, and some seconds of commits.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use ottla_tests::measure::{Connection, Memory, NewTopic, Usage, load_average};
use ottla_tests::problem::{Doing, Problem};

use crate::contender::Kind;
use crate::figures::{Figures, megabytes};
use crate::lean::{Actor, Histogram, PacedFrames, PacedProducer, Schedule, Tail, run};
use crate::measures::commit_beside;
use crate::results::{Key, Point, Results};
use crate::stage::Stage;
use crate::topics;

/// The name of this measure in raw results.
pub const NAME: &str = "hour";

const STREAM: &str = "stream";
/// 10 MB a second.
const STREAM_RATE: f64 = 10_000.0;
const STREAM_VALUE_BYTES: usize = 1000;
const STREAM_RECORDS_MAX: u32 = 64;
/// What is older goes, in segments, when the broker next looks.
const STREAM_SETTINGS: [(&str, &str); 2] = [("segment.bytes", "67108864"), ("retention.bytes", "268435456")];

/// Of the broker: the log of offsets is compacted many times in an hour. With segments of the default size, 100 MiB in each of
/// 50 partitions, an hour would end before the first is full, and show nothing but their indexes grow.
pub const BROKER_SETTINGS: [(&str, &str); 1] = [("offsets.topic.segment.bytes", "1048576")];

const SMALL_RATE: f64 = 500.0;
const SMALL_VALUE_BYTES: usize = 100;
const SMALL_RECORDS_MAX: u32 = 16;
const COMMITTERS: usize = 16;
/// The part of every minute in which offsets are committed.
const COMMIT_PART: f64 = 0.05;
const AHEAD: Duration = Duration::from_millis(50);

/// Gives a broker the load for so many minutes, and adds a point for each. A minute may be shorter, for tests.
///
/// # Errors
/// The broker does not do what it should.
pub fn measure(
    stage: &mut Stage,
    minutes: u64,
    minute: Duration,
    results: &mut Results,
) -> Result<(), Problem> {
    let settings = STREAM_SETTINGS.to_vec();
    topics::create(&mut stage.broker, NewTopic { name: STREAM.to_owned(), partitions: 1, settings })?;
    let seconds = minute.as_secs_f64() * minutes as f64;
    let schedule = Schedule {
        start: Instant::now() + AHEAD,
        rate: STREAM_RATE,
        count: (seconds * STREAM_RATE).ceil() as u64,
        lead_in: 0,
    };
    let address = stage.address();
    std::thread::scope(|scope| {
        let stream =
            scope.spawn(|| follow(&address, STREAM, schedule, STREAM_VALUE_BYTES, STREAM_RECORDS_MAX));
        let began = Instant::now();
        for number in 1..=minutes {
            let figures = of_minute(stage, minute)?;
            let told = |name: &str| figures.get(name).unwrap_or_default();
            eprintln!(
                "minute {number} of {minutes}: {:.1} MB anonymous, {:.0} open files, p99 {:.2} ms, p99.9 {:.2} ms",
                told("anonymous_mb"),
                told("open_files"),
                told("p99_ms"),
                told("p99.9_ms")
            );
            let (measure, point) = (NAME.to_owned(), format!("minute {number}"));
            let key = Key { measure, point, contender: stage.kind.name().to_owned(), round: 1 };
            results.add(Point { key, figures }, &load_average()?)?;
            let next = began + minute.saturating_mul(u32::try_from(number).unwrap_or(u32::MAX));
            stage.broker.idle(next.saturating_duration_since(Instant::now()))?;
        }
        let stream = stream.join().map_err(|_| Problem::new("the stream ended by itself"))??;
        eprintln!("the stream, over all: p99 {:.2} ms, most {:.2} ms", stream.at(0.99), stream.at(1.0));
        Ok(())
    })
}

/// Produces by a schedule and gives how late each record was consumed.
fn follow(
    address: &str,
    topic: &str,
    schedule: Schedule,
    value_bytes: usize,
    records_max: u32,
) -> Result<Histogram, Problem> {
    let frames = PacedFrames::new(topic, value_bytes, records_max)?;
    let (acknowledged, delivered) = (Rc::new(RefCell::default()), Rc::new(RefCell::default()));
    let producer = PacedProducer::connect(address, frames, 0, schedule, acknowledged)?;
    let tail = Tail::connect(address, topic, schedule, Rc::clone(&delivered))?;
    let mut actors: [Box<dyn Actor>; 2] = [Box::new(producer), Box::new(tail)];
    run(&mut actors)?;
    Ok(delivered.take())
}

fn of_minute(stage: &mut Stage, minute: Duration) -> Result<Figures, Problem> {
    let before = Usage::of_process(stage.broker.process_id())?;
    let topic = stage.topic(1, &[])?;
    // Leaves time for what comes after it in the minute.
    let seconds = minute.as_secs_f64() * (1.0 - 3.0 * COMMIT_PART);
    let schedule = Schedule {
        start: Instant::now() + AHEAD,
        rate: SMALL_RATE,
        count: (seconds * SMALL_RATE).ceil() as u64,
        lead_in: 0,
    };
    let latency = follow(&stage.address(), &topic, schedule, SMALL_VALUE_BYTES, SMALL_RECORDS_MAX)?;
    let mut figures = Figures::default();
    figures.set_latency(&latency);
    let commits = commit_beside(stage, &topic, COMMITTERS, minute.mul_f64(COMMIT_PART))?;
    figures.set("commits_per_s", commits.count() as f64 / minute.mul_f64(COMMIT_PART).as_secs_f64());
    figures.set("commit_p99_ms", commits.at(0.99));
    topics::delete(&mut Connection::open(&stage.address())?, &topic)?;
    let id = stage.broker.process_id();
    let memory = Memory::of_process(id)?;
    figures.set("anonymous_mb", megabytes(memory.anonymous_kib));
    figures.set("resident_mb", megabytes(memory.resident_kib));
    figures.set("open_files", entries(id, "fd")?);
    figures.set("threads", entries(id, "task")?);
    figures.set("cpu_s", Usage::of_process(id)?.since(&before).cpu_seconds());
    Ok(figures)
}

/// How many entries a directory of the kernel about a process has.
fn entries(id: u32, directory: &str) -> Result<f64, Problem> {
    let entries = std::fs::read_dir(format!("/proc/{id}/{directory}")).doing("look at a process")?;
    Ok(entries.count() as f64)
}

/// The contenders that can be given the load.
pub const CONTENDERS: [Kind; 2] = [Kind::Ottla, Kind::KafkaCold];
