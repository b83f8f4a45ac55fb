//! The start with many full partitions, after a clean stop and after kill -9.
//!
//! Both brokers get the same batches through the protocol. Then they are started in turns, the page cache prepared in
//! the same way before each start. A start ends when all partitions are served: Metadata tells their leaders,
//! ListOffsets their ends, which must be what was acknowledged, and one Fetch brings the last batch of each.

use std::path::Path;
use std::time::{Duration, Instant};

use ottla_tests::broker::{Broker, Options};
use ottla_tests::measure::{
    Fill, LogTail, Memory, Served, Shape, Spread, Subject, Usage, Warmth, describe, fill, prepare_cache,
    subjects, wait_until_all_served,
};
use ottla_tests::problem::{Doing, Problem};
use serde_json::{Value, json};

use crate::arguments::Arguments;
use crate::output::{Row, date, table, write};

/// 1,000 partitions with 5 GB, in batches of 16 KB, which is what producers make by default.
const TOPICS: u32 = 100;
const PARTITIONS_PER_TOPIC: i32 = 10;
const RECORDS_PER_BATCH: u32 = 16;
const VALUE_BYTES: usize = 1000;
const BATCHES_PER_PARTITION: u32 = 310;

const START_LIMIT: Duration = Duration::from_secs(600);

/// Where both brokers keep below which offset a log is on disk.
const RECOVERY_POINTS: &str = "recovery-point-offset-checkpoint";

/// Parts of lines that tell how long a broker took for its logs alone. Apache Kafka waits after a kill until the session of
/// the killed process has ended (`broker.session.timeout.ms`), which has nothing to do with them.
const TELLING: [&str; 1] = [" logs in "];

/// How the broker ended before the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Before {
    /// SIGTERM.
    CleanStop,
    /// SIGKILL, just after every partition was appended to.
    Kill,
    /// The same, and no partition is known to be on disk: the worst case, where all has to be read.
    KillUnsynced,
}

impl Before {
    const ALL: [Self; 3] = [Self::CleanStop, Self::Kill, Self::KillUnsynced];

    fn name(self) -> &'static str {
        match self {
            Self::CleanStop => "after a clean stop",
            Self::Kill => "after kill -9",
            Self::KillUnsynced => "after kill -9, nothing known to be synced",
        }
    }
}

/// One start.
struct Measured {
    broker: &'static str,
    before: Before,
    served: Served,
    usage: Usage,
    memory: Memory,
    /// What the broker's log says about its logs, if it does.
    told: Vec<String>,
}

/// A broker with its data, stopped cleanly between its turns.
struct Contender {
    subject: Subject,
    broker: Broker,
    filled: Fill,
    fill_seconds: f64,
}

pub(crate) fn measure(arguments: &Arguments) -> Result<(), Problem> {
    let machine = describe()?;
    let shape = Shape {
        topics: arguments.scaled(TOPICS),
        partitions_per_topic: PARTITIONS_PER_TOPIC,
        records_per_batch: RECORDS_PER_BATCH,
        value_bytes: VALUE_BYTES,
    };
    let scratch = tempfile::tempdir().doing("make a directory for logs")?;
    let mut contenders = Vec::new();
    for subject in subjects(&arguments.brokers)? {
        contenders.push(Contender::fill(subject, shape, scratch.path())?);
    }
    let mut measured = Vec::new();
    for round in 0..arguments.rounds {
        eprintln!("round {} of {}", round.saturating_add(1), arguments.rounds);
        for contender in &mut contenders {
            contender.turn(arguments.cache, &mut measured)?;
        }
        contenders.reverse();
    }
    contenders
        .sort_by_key(|contender| arguments.brokers.iter().position(|name| name == contender.subject.name));
    print!("{}", table_of(&contenders, &measured)?);
    let figures = json!({
        "command": arguments.command,
        "machine": machine,
        "page_cache": if arguments.cache == Warmth::Warm { "warm" } else { "cold" },
        "brokers": contenders.iter().map(Contender::json).collect::<Vec<_>>(),
        "starts": measured.iter().map(Measured::json).collect::<Vec<_>>(),
    });
    write(&arguments.out, "start", date(&machine), &figures)
}

impl Contender {
    fn fill(subject: Subject, shape: Shape, logs: &Path) -> Result<Self, Problem> {
        let options = Options { settings: Vec::new(), start_limit: START_LIMIT };
        let log = logs.join(format!("{}.log", subject.name));
        let mut broker = subject.start(&log, options)?;
        shape.create(&mut broker)?;
        let mut filled = Fill::new(shape);
        let began = Instant::now();
        fill(&broker.address(), &mut filled, BATCHES_PER_PARTITION)?;
        let fill_seconds = began.elapsed().as_secs_f64();
        eprintln!("{}: {} bytes in {fill_seconds:.1} s", subject.name, filled.bytes);
        broker.stop()?;
        Ok(Self { subject, broker, filled, fill_seconds })
    }

    /// One start after each way to end, and a clean stop.
    fn turn(&mut self, cache: Warmth, measured: &mut Vec<Measured>) -> Result<(), Problem> {
        for before in Before::ALL {
            if before != Before::CleanStop {
                fill(&self.broker.address(), &mut self.filled, 1)?;
                self.broker.end_by_kill()?;
            }
            if before == Before::KillUnsynced {
                let file = self.broker.data_directory().join(RECOVERY_POINTS);
                std::fs::remove_file(&file).doing(format_args!("remove {}", file.display()))?;
            }
            prepare_cache(&self.broker.data_directory(), cache)?;
            measured.push(self.start(before)?);
        }
        self.broker.stop()
    }

    fn start(&mut self, before: Before) -> Result<Measured, Problem> {
        let log = LogTail::begin(self.broker.log())?;
        self.broker.start_again()?;
        let served = wait_until_all_served(&mut self.broker, &self.filled)?;
        let id = self.broker.process_id();
        let measured = Measured {
            broker: self.subject.name,
            before,
            served,
            usage: Usage::of_process(id)?,
            memory: Memory::of_process(id)?,
            told: log.lines_with(&TELLING)?,
        };
        eprintln!("{} {}: {:.3} s", self.subject.name, before.name(), served.fetched.as_secs_f64());
        Ok(measured)
    }

    fn json(&self) -> Value {
        let shape = self.filled.shape;
        json!({
            "broker": self.subject.description,
            "topics": shape.topics,
            "partitions_per_topic": shape.partitions_per_topic,
            "records_per_batch": shape.records_per_batch,
            "value_bytes": shape.value_bytes,
            "records_per_partition": self.filled.records,
            "bytes_of_batches": self.filled.bytes,
            "fill_seconds": self.fill_seconds,
        })
    }
}

impl Measured {
    fn json(&self) -> Value {
        let Served { ready, metadata, ends, fetched } = self.served;
        json!({
            "broker": self.broker,
            "before": self.before.name(),
            "ready_s": ready.as_secs_f64(),
            "all_metadata_s": metadata.as_secs_f64(),
            "all_offsets_s": ends.as_secs_f64(),
            "all_fetched_s": fetched.as_secs_f64(),
            "usage_until_then": self.usage.json(),
            "memory_then_kib": self.memory.json(),
            "its_log": self.told,
        })
    }
}

/// A quantity of a start.
type Quantity = (&'static str, fn(&Measured) -> f64);

const QUANTITIES: [Quantity; 2] = [
    ("", |start| start.served.fetched.as_secs_f64()),
    (", processor time", |start| start.usage.cpu_seconds()),
];

fn table_of(contenders: &[Contender], measured: &[Measured]) -> Result<String, Problem> {
    let names: Vec<&str> = contenders.iter().map(|contender| contender.subject.name).collect();
    let mut rows = Vec::new();
    for before in Before::ALL {
        for (name, quantity) in QUANTITIES {
            let starts = |broker: &str| {
                let starts = measured.iter().filter(|start| start.before == before && start.broker == broker);
                Spread::of(starts.map(quantity))
            };
            let spreads = names.iter().map(|name| starts(name)).collect::<Result<_, _>>()?;
            rows.push(Row { name: format!("{}{name}, s", before.name()), digits: 3, spreads });
        }
    }
    Ok(table("from exec until all partitions are served", &names, &rows))
}
