//! A broker under load whose life somebody directs: faults come and go, it is killed and started again, and in the end
//! everything is read and judged.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::victim::{Running, Victim};
use crate::check::{Report, SERVES_WITHIN, check};
use crate::history::{BrokerStep, Dump, DumpWriter, History, Recorder, Step, read_dump, read_events};
use crate::load::{Load, OPERATOR, World, make_topics, scan};
use crate::ottla::Ottla;
use crate::problem::Problem;

/// How long a broker may take to say that it serves. That it serves within less is a rule of the check; this is for a
/// start that does not end.
const READY_LIMIT: Duration = Duration::from_secs(60);
/// How long is waited for every client to be served. Longer than the rule allows, so that the check sees it.
const CALM_LIMIT: Duration = SERVES_WITHIN.saturating_add(Duration::from_secs(1));
/// The pause between two looks at who was served.
const LOOK_INTERVAL: Duration = Duration::from_millis(5);

/// A broker, and the clients that use it.
pub struct Stage {
    victim: Arc<Victim>,
    world: Arc<World>,
    running: Option<Running>,
    load: Option<Load>,
    history: PathBuf,
    dump: PathBuf,
    last_start: Duration,
    longest_start: Duration,
}

impl Drop for Stage {
    /// Clients of a stage that came to no end stop by themselves.
    fn drop(&mut self) {
        self.world.gate.close();
    }
}

/// What was seen, and what the rules say about it.
#[derive(Debug)]
pub struct Judged {
    /// What the rules found.
    pub report: Report,
    /// All that the clients saw.
    pub history: History,
    /// All that the broker held in the end.
    pub dump: Dump,
}

impl Stage {
    /// Starts a broker with its data in `data`, makes the topics and starts the load. `history.ndjson`, `dump.ndjson`
    /// and `broker.log` go to `directory`. The settings are `KEY=VALUE`, beyond those of every stage; what the clients
    /// do follows from the seed.
    ///
    /// # Errors
    /// The broker did not start or does not make the topics.
    pub fn open(
        program: &Ottla,
        directory: &Path,
        data: &Path,
        settings: &[String],
        seed: u64,
    ) -> Result<Self, Problem> {
        let (history, dump) = (directory.join("history.ndjson"), directory.join("dump.ndjson"));
        let victim = Arc::new(Victim::new(program.clone(), directory, data, settings)?);
        let recorder = Recorder::create(&history)?;
        let world = Arc::new(World::new(victim.address(), seed, recorder));
        let (last_start, longest_start) = (Duration::ZERO, Duration::ZERO);
        let mut stage =
            Self { victim, world, running: None, load: None, history, dump, last_start, longest_start };
        stage.start()?;
        make_topics(&mut stage.world)?;
        stage.load = Some(Load::start(&stage.world));
        Ok(stage)
    }

    /// Notes what is done to the broker.
    pub fn note(&self, step: BrokerStep) {
        self.world.recorder.note(OPERATOR, Step::Broker(step));
    }

    /// How long the last start took until the broker said that it serves.
    #[must_use]
    pub fn last_start(&self) -> Duration {
        self.last_start
    }

    /// The longest of these times.
    #[must_use]
    pub fn longest_start(&self) -> Duration {
        self.longest_start
    }

    /// Starts the broker and waits until it says that it serves.
    ///
    /// # Errors
    /// It ended, said something else, or said nothing within a minute.
    pub fn start(&mut self) -> Result<(), Problem> {
        if self.start_for(READY_LIMIT)? {
            return Ok(());
        }
        Err(self.victim.problem(&format!("was not ready within {READY_LIMIT:?}")))
    }

    /// Starts the broker and gives it so long to say that it serves; whether it did.
    ///
    /// # Errors
    /// It ended or said something else.
    pub fn start_for(&mut self, limit: Duration) -> Result<bool, Problem> {
        self.note(BrokerStep::Started);
        let running = self.running.insert(self.victim.start()?);
        let Some(took) = running.ready_within(limit)? else { return Ok(false) };
        self.note(BrokerStep::Ready);
        self.last_start = took;
        self.longest_start = self.longest_start.max(took);
        Ok(true)
    }

    /// Kills the broker with SIGKILL.
    ///
    /// # Errors
    /// It is still there half a minute later.
    pub fn kill(&mut self) -> Result<(), Problem> {
        self.note(BrokerStep::Killing);
        if let Some(running) = self.running.take() {
            running.kill()?;
        }
        self.note(BrokerStep::Killed);
        Ok(())
    }

    /// Kills the broker by a cut of the power, which `cut` makes. The broker is frozen before, because a machine without
    /// power answers nobody: a sync that is under way when a file system is shut down may be told as done.
    ///
    /// # Errors
    /// The power could not be cut, or the broker is still there half a minute later.
    pub fn kill_by(&mut self, cut: impl FnOnce() -> Result<(), Problem>) -> Result<(), Problem> {
        self.note(BrokerStep::Killing);
        if let Some(running) = &self.running {
            running.freeze();
        }
        let done = cut();
        if let Some(running) = self.running.take() {
            running.kill()?;
        }
        self.note(BrokerStep::Killed);
        done
    }

    /// Lets the broker run for this long.
    ///
    /// # Errors
    /// It ended by itself.
    pub fn run_for(&mut self, duration: Duration) -> Result<(), Problem> {
        match &mut self.running {
            Some(running) => running.still_runs(duration),
            None => Err(Problem::new("no broker is running")),
        }
    }

    /// Waits until every client was served, or for longer than that may take: the check sees it.
    ///
    /// # Errors
    /// The broker ended by itself.
    pub fn await_calm(&mut self) -> Result<(), Problem> {
        let before = self.world.served();
        let deadline = Instant::now() + CALM_LIMIT;
        loop {
            let served = self.world.served();
            let all = served.iter().zip(&before).all(|(now, before)| now > before);
            if all || Instant::now() >= deadline {
                return Ok(());
            }
            self.run_for(LOOK_INTERVAL)?;
        }
    }

    /// Stops the clients while the broker runs, so that they get the answers they wait for.
    pub fn quiesce(&mut self) {
        self.note(BrokerStep::Quiesced);
        if let Some(load) = self.load.take() {
            load.stop();
        }
    }

    /// Stops the clients while there is no broker, so that some wait in vain.
    pub fn abandon(&mut self) {
        if let Some(load) = self.load.take() {
            load.stop();
        }
    }

    /// Starts the broker once more, reads everything, kills it, and judges. The clients must have been stopped and the
    /// broker killed.
    ///
    /// # Errors
    /// The broker did not start or refused to be read, or the history can not be written or read.
    pub fn judge(mut self) -> Result<Judged, Problem> {
        self.start()?;
        let mut dump = DumpWriter::create(&self.dump)?;
        scan(&self.world, &mut dump)?;
        dump.finish()?;
        self.run_for(Duration::ZERO)?;
        self.running.take().map_or(Ok(()), Running::kill)?;
        self.world.recorder.finish()?;
        let history = History::of(read_events(&self.history)?)?;
        let dump = read_dump(&self.dump)?;
        Ok(Judged { report: check(&history, &dump), history, dump })
    }
}
