//! One round: cycles over one data directory, then the check.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::cycle::Cycle;
use super::victim::{Running, Victim};
use crate::check::{Report, Rule, SERVES_WITHIN, check};
use crate::history::{BrokerStep, DumpWriter, History, Recorder, Step, read_dump, read_events};
use crate::load::{Load, OPERATOR, Random, World, make_topics, scan};
use crate::ottla::Ottla;
use crate::problem::Problem;

/// How long a broker may take to say that it serves. That it serves within less is a rule of the check; this is for a
/// start that does not end.
const READY_LIMIT: Duration = Duration::from_secs(60);
/// How long a calm cycle waits for every client to be served. Longer than the rule allows, so that the check sees it.
const CALM_LIMIT: Duration = SERVES_WITHIN.saturating_add(Duration::from_secs(1));
/// The pause between two looks at who was served.
const LOOK_INTERVAL: Duration = Duration::from_millis(5);

/// What a round is to do.
#[derive(Debug, Clone)]
pub struct Round {
    /// Decides what the clients do and when the kills come.
    pub seed: u64,
    /// How many times the broker is killed at most.
    pub cycles: u32,
    /// No new cycle begins after this.
    pub until: Option<Instant>,
    /// Settings of the broker, as `KEY=VALUE`, beyond those of every round.
    pub settings: Vec<String>,
}

/// What a round did and found.
#[derive(Debug)]
pub struct Outcome {
    /// How many times the broker was killed.
    pub cycles: u32,
    /// Of these, how many times before it said that it serves.
    pub killed_starting: u32,
    /// The longest time from a start until the broker said that it serves.
    pub longest_start: Duration,
    /// How long the round took.
    pub took: Duration,
    /// What the rules found.
    pub report: Report,
}

/// Runs a round with its files in `directory`, which must be empty: the data, `history.ndjson`, `dump.ndjson` and
/// `broker.log`.
///
/// # Errors
/// The broker ended by itself, did not start, or refused to be read; or the harness failed.
pub fn run(program: &Ottla, directory: &Path, round: &Round) -> Result<Outcome, Problem> {
    let began = Instant::now();
    let files = Files { history: directory.join("history.ndjson"), dump: directory.join("dump.ndjson") };
    let victim = Victim::new(program.clone(), directory, &round.settings)?;
    let recorder = Recorder::create(&files.history)?;
    let mut world = Arc::new(World::new(victim.address(), round.seed, recorder));
    let mut killer = Killer {
        random: Random::part(round.seed, u64::MAX),
        last_start: Duration::ZERO,
        longest_start: Duration::ZERO,
        cycles: 0,
        killed_starting: 0,
    };
    let first = killer.start(&victim, &world)?;
    make_topics(&mut world)?;
    let load = Load::start(&world);
    let killed = killer.cycles(first, &victim, &world, round);
    // The clients stop while the broker runs, so that they get the answers they wait for.
    world.recorder.note(OPERATOR, Step::Broker(BrokerStep::Quiesced));
    load.stop();
    let running = killed?;
    killer.kill(running, &world)?;
    let mut last = killer.start(&victim, &world)?;
    let mut dump = DumpWriter::create(&files.dump)?;
    scan(&world, &mut dump)?;
    dump.finish()?;
    last.still_runs(Duration::ZERO)?;
    last.kill()?;
    world.recorder.finish()?;
    let report = files.check()?;
    let Killer { cycles, killed_starting, longest_start, .. } = killer;
    Ok(Outcome { cycles, killed_starting, longest_start, took: began.elapsed(), report })
}

struct Files {
    history: PathBuf,
    dump: PathBuf,
}

impl Files {
    fn check(&self) -> Result<Report, Problem> {
        let history = History::of(read_events(&self.history)?)?;
        Ok(check(&history, &read_dump(&self.dump)?))
    }
}

struct Killer {
    random: Random,
    last_start: Duration,
    longest_start: Duration,
    cycles: u32,
    killed_starting: u32,
}

impl Killer {
    /// Starts the broker and waits until it says that it serves.
    fn start<'a>(&mut self, victim: &'a Victim, world: &World) -> Result<Running<'a>, Problem> {
        world.recorder.note(OPERATOR, Step::Broker(BrokerStep::Started));
        let mut running = victim.start()?;
        self.await_ready(&mut running, victim, world)?;
        Ok(running)
    }

    fn await_ready(
        &mut self,
        running: &mut Running<'_>,
        victim: &Victim,
        world: &World,
    ) -> Result<(), Problem> {
        let took = running.ready_within(READY_LIMIT)?;
        self.last_start =
            took.ok_or_else(|| victim.problem(&format!("was not ready within {READY_LIMIT:?}")))?;
        self.longest_start = self.longest_start.max(self.last_start);
        world.recorder.note(OPERATOR, Step::Broker(BrokerStep::Ready));
        Ok(())
    }

    fn kill(&mut self, running: Running<'_>, world: &World) -> Result<(), Problem> {
        world.recorder.note(OPERATOR, Step::Broker(BrokerStep::Killing));
        running.kill()?;
        world.recorder.note(OPERATOR, Step::Broker(BrokerStep::Killed));
        self.cycles += 1;
        Ok(())
    }

    /// Kills and starts; at the end every client was served, and the broker runs.
    fn cycles<'a>(
        &mut self,
        first: Running<'a>,
        victim: &'a Victim,
        world: &World,
        round: &Round,
    ) -> Result<Running<'a>, Problem> {
        let mut running = first;
        let mut cycle = Cycle::Calm;
        // The kill before the scan is one of the round's.
        while self.cycles.saturating_add(1) < round.cycles
            && round.until.is_none_or(|until| Instant::now() < until)
        {
            match cycle {
                Cycle::Calm => self.await_calm(&mut running, world)?,
                Cycle::UnderLoad(after) => running.still_runs(after)?,
                Cycle::DuringStart(_) => {}
            }
            self.kill(running, world)?;
            cycle = Cycle::next(&mut self.random, self.last_start);
            world.recorder.note(OPERATOR, Step::Broker(BrokerStep::Started));
            running = victim.start()?;
            let Cycle::DuringStart(after) = cycle else {
                self.await_ready(&mut running, victim, world)?;
                continue;
            };
            if running.ready_within(after)?.is_none() {
                self.killed_starting += 1;
            }
        }
        if let Cycle::DuringStart(_) = cycle {
            self.kill(running, world)?;
            running = self.start(victim, world)?;
        }
        self.await_calm(&mut running, world)?;
        Ok(running)
    }

    /// Waits until every client was served, or for longer than that may take.
    fn await_calm(&mut self, running: &mut Running<'_>, world: &World) -> Result<(), Problem> {
        let before = world.served();
        let deadline = Instant::now() + CALM_LIMIT;
        let all_served = || world.served().iter().zip(&before).all(|(now, before)| now > before);
        while !all_served() && Instant::now() < deadline {
            running.still_runs(LOOK_INTERVAL)?;
        }
        Ok(())
    }
}

impl Outcome {
    /// How many acknowledged records were looked for in the final logs.
    #[must_use]
    pub fn acknowledged(&self) -> u64 {
        self.report.facts(Rule::AckedDurability)
    }
}
