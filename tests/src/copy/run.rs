//! A whole copy, with its kills.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::job::{Job, Mode, Running};
use crate::broker::{Broker, BrokerProgram, Options};
use crate::load::Random;
use crate::ottla::Ottla;
use crate::problem::Problem;

const FILL_LIMIT: Duration = Duration::from_secs(600);
const COMPARE_LIMIT: Duration = Duration::from_secs(1200);
/// How long the copy may take for its next transaction, with a start of the broker or of itself before.
const PROGRESS_LIMIT: Duration = Duration::from_secs(90);
const LOOK_INTERVAL: Duration = Duration::from_millis(2);
/// A kill comes within so many microseconds after its place in the copy was reached.
const KILL_WITHIN_MICROSECONDS: u64 = 60_000;
/// How long the program waits for an answer, in milliseconds.
const PATIENT_MS: u64 = 5_000;
/// Most records in a transaction.
const RECORDS_MAX: u64 = 500;

/// What is to be done.
#[derive(Debug, Clone)]
pub struct CopyRun {
    /// Decides when the kills come, and what is aborted.
    pub seed: u64,
    /// How many records are copied.
    pub records: u64,
    /// How often the broker is killed.
    pub broker_kills: u32,
    /// How often the program is killed.
    pub client_kills: u32,
    /// Settings of the broker, as `KEY=VALUE`.
    pub settings: Vec<(String, String)>,
}

/// What came of it: a line of the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CopyOutcome {
    /// The seed.
    pub seed: u64,
    /// The part of the run that this is, from 0.
    #[serde(default)]
    pub part: u64,
    /// The version of the broker.
    pub broker: String,
    /// How many records were copied, and found in the output, each once and in order.
    pub records: u64,
    /// How often the broker was killed.
    pub broker_kills: u32,
    /// How often the program was killed.
    pub client_kills: u32,
    /// How long the copy took, in milliseconds.
    pub copy_ms: u64,
    /// How long everything took, in milliseconds.
    pub took_ms: u64,
}

/// Whom a kill hits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Victim {
    Broker,
    Client,
}

/// Fills, copies with kills, and compares.
///
/// # Errors
/// The output is not the input, or the copy came to no end.
pub fn run_copy(program: &Ottla, directory: &Path, run: &CopyRun) -> Result<CopyOutcome, Problem> {
    let began = Instant::now();
    let options = Options { settings: run.settings.clone(), ..Options::default() };
    let program_of_broker: Arc<dyn BrokerProgram> = Arc::new(program.clone());
    let mut broker = Broker::start_with(program_of_broker, &directory.join("broker.log"), options)?;
    let job = Job::new(directory, broker.address(), run.records)?;
    job.finish(Mode::Fill, FILL_LIMIT)?;
    let copying = Instant::now();
    copy(&job, &mut broker, run)?;
    let copy_ms = milliseconds(copying.elapsed());
    job.finish(Mode::Compare, COMPARE_LIMIT)?;
    broker.check_running()?;
    Ok(CopyOutcome {
        seed: run.seed,
        part: 0,
        broker: program.version()?,
        records: run.records,
        broker_kills: run.broker_kills,
        client_kills: run.client_kills,
        copy_ms,
        took_ms: milliseconds(began.elapsed()),
    })
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// Who is killed at which place of the copy, in this order.
fn kills(random: &mut Random, run: &CopyRun) -> Vec<(u64, Victim)> {
    let broker = (0..run.broker_kills).map(|_| Victim::Broker);
    let all = broker.chain((0..run.client_kills).map(|_| Victim::Client));
    let mut kills: Vec<_> = all.map(|victim| (random.below(run.records), victim)).collect();
    kills.sort_by_key(|(place, _)| *place);
    kills
}

fn copy(job: &Job, broker: &mut Broker, run: &CopyRun) -> Result<(), Problem> {
    let mut random = Random::new(run.seed);
    let start = |random: &mut Random| {
        job.start(Mode::Copy {
            seed: random.below(1 << 32),
            patient_ms: PATIENT_MS,
            records_max: RECORDS_MAX,
        })
    };
    let mut running = start(&mut random)?;
    for (place, victim) in kills(&mut random, run) {
        await_place(&mut running, place)?;
        running.has_ended(Duration::from_micros(random.below(KILL_WITHIN_MICROSECONDS)))?;
        match victim {
            Victim::Broker => broker.kill()?,
            Victim::Client => {
                running.kill()?;
                running = start(&mut random)?;
            }
        }
    }
    await_place(&mut running, run.records)?;
    running.ended_within(PROGRESS_LIMIT)
}

/// Waits until the copy has come so far.
fn await_place(running: &mut Running, place: u64) -> Result<(), Problem> {
    let (mut known, mut since) = (running.copied(), Instant::now());
    while known < place {
        if running.has_ended(LOOK_INTERVAL)? {
            return Ok(());
        }
        let now = running.copied();
        if now > known {
            (known, since) = (now, Instant::now());
        } else if since.elapsed() > PROGRESS_LIMIT {
            return Err(running.problem(&format!("stays at {known} for {PROGRESS_LIMIT:?}")));
        }
    }
    Ok(())
}
