//! Builds and runs the planned programs, a few at a time, each on a broker of its own.

use std::collections::{BTreeMap, VecDeque};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use crate::board::{Board, Standing};
use crate::broker::{Broker, BrokerProgram, Options};
use crate::client_program::{ClientProgram, PROGRAM_LIMIT, build};
use crate::kafka::Kafka;
use crate::message::Outcome;
use crate::ottla::Ottla;
use crate::problem::{Doing, Problem};
use crate::selection::{Planned, WHOLE_RUN};
use crate::toolchain::Toolchain;
use crate::workspace::client_directory;

/// Chooses the broker: `ottla` (the default) or `kafka`.
pub const BROKER_VARIABLE: &str = "OTTLA_TEST_BROKER";

/// The programs that run at the same time unless the command line says otherwise. A program waits most of its time,
/// but the scenarios about latency want a core for themselves.
pub const PROGRAMS_AT_ONCE: usize = 2;

/// What the brokers' defaults do not suit: members of the consumer protocol can choose neither of their timeouts, and
/// with the defaults a rebalance takes up to 10 seconds and a takeover 45.
const SETTINGS: [(&str, &str); 4] = [
    ("group.consumer.min.heartbeat.interval.ms", "500"),
    ("group.consumer.heartbeat.interval.ms", "500"),
    ("group.consumer.min.session.timeout.ms", "6000"),
    ("group.consumer.session.timeout.ms", "6000"),
];

/// The broker that the scenarios run against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BrokerChoice {
    /// The release binary of this workspace.
    Ottla,
    /// Apache Kafka.
    Kafka,
}

impl BrokerChoice {
    /// What the environment asks for.
    ///
    /// # Errors
    /// It asks for a broker that is unknown.
    pub fn from_environment() -> Result<Self, Problem> {
        match std::env::var(BROKER_VARIABLE).as_deref() {
            Err(_) | Ok("" | "ottla") => Ok(Self::Ottla),
            Ok("kafka") => Ok(Self::Kafka),
            Ok(other) => {
                Err(Problem::new(format!("{BROKER_VARIABLE} is {other:?}, neither \"ottla\" nor \"kafka\"")))
            }
        }
    }

    /// Builds or fetches the broker.
    ///
    /// # Errors
    /// That failed.
    pub fn obtain(self) -> Result<Arc<dyn BrokerProgram>, Problem> {
        Ok(match self {
            Self::Ottla => Arc::new(Ottla::find()?),
            Self::Kafka => Arc::new(Kafka::fetch()?),
        })
    }
}

/// What one test run does, and where its results go.
pub struct Schedule {
    /// The programs, in the order in which they start.
    pub planned: Vec<Planned>,
    /// The broker to run them on.
    pub broker: BrokerChoice,
    /// How many run at the same time.
    pub programs_at_once: usize,
    /// A directory for the logs: each program's are in a directory of its name.
    pub logs: std::path::PathBuf,
    /// Receives every result.
    pub board: Arc<Board>,
}

impl Schedule {
    /// Does all of it. When this returns, by whatever way, every planned scenario has a result.
    pub fn run(&self) {
        let _closing = Closing(self);
        let ready = self.build_all();
        let Some((broker, ready)) = ready else { return };
        let queue = Mutex::new(ready);
        let next = || queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        std::thread::scope(|scope| {
            for _ in 0..self.programs_at_once.max(1) {
                scope.spawn(|| {
                    while let Some(planned) = next() {
                        self.run_program(planned, &broker);
                    }
                });
            }
        });
    }

    /// Builds the broker and the client programs, those of one toolchain one after the other, since they share
    /// sources and caches. Programs that can not run get their results here; the others are returned.
    fn build_all(&self) -> Option<(Arc<dyn BrokerProgram>, VecDeque<&Planned>)> {
        let mut by_toolchain: BTreeMap<Toolchain, Vec<&Planned>> = BTreeMap::new();
        for planned in &self.planned {
            by_toolchain.entry(planned.client.toolchain).or_default().push(planned);
        }
        let broker = std::thread::scope(|scope| {
            for (toolchain, programs) in &by_toolchain {
                scope.spawn(|| self.build_programs(*toolchain, programs));
            }
            self.broker.obtain()
        });
        match broker {
            Ok(broker) => {
                let built = |planned: &&Planned| self.board.get(planned.client.name, WHOLE_RUN).is_none();
                Some((broker, self.planned.iter().filter(built).collect()))
            }
            Err(problem) => {
                let standing = Standing::Missing(problem.to_string());
                self.planned.iter().for_each(|planned| self.post_all(planned, &standing));
                None
            }
        }
    }

    fn build_programs(&self, toolchain: Toolchain, programs: &[&Planned]) {
        let missing = toolchain.missing();
        for planned in programs {
            let standing = match &missing {
                Some(missing) => Some(Standing::Skipped(missing.clone())),
                None => build(&client_directory(planned.client.name))
                    .err()
                    .map(|problem| Standing::Missing(problem.to_string())),
            };
            if let Some(standing) = standing {
                self.post_all(planned, &standing);
            }
        }
    }

    fn run_program(&self, planned: &Planned, broker: &Arc<dyn BrokerProgram>) {
        let end = match self.run_on_own_broker(planned, Arc::clone(broker)) {
            Ok(()) => Outcome::Pass,
            Err(problem) => Outcome::Fail(problem.to_string()),
        };
        if let Outcome::Fail(problem) = &end {
            let missing = Standing::Missing(format!("the program {problem}"));
            planned
                .scenarios
                .iter()
                .for_each(|scenario| self.board.post(planned.client.name, scenario, missing.clone()));
        }
        let standing = Standing::Reported { outcome: end, duration: std::time::Duration::ZERO };
        self.board.post(planned.client.name, WHOLE_RUN, standing);
    }

    fn run_on_own_broker(&self, planned: &Planned, program: Arc<dyn BrokerProgram>) -> Result<(), Problem> {
        let name = planned.client.name;
        let logs = self.logs.join(name);
        std::fs::create_dir_all(&logs).doing(format_args!("create {}", logs.display()))?;
        let settings = SETTINGS.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        let options = Options { settings, ..Options::default() };
        let mut broker = Broker::start_with(program, &logs.join("broker.log"), options)?;
        let program = ClientProgram {
            directory: client_directory(name),
            run_id: format!("r{:x}", std::process::id()),
            scenarios: planned.scenarios.clone(),
            error_output: error_output(&self.logs, name),
            transcript: logs.join("conversation.log"),
            limit: PROGRAM_LIMIT,
        };
        program.run(&mut broker, |report| {
            let standing = Standing::Reported { outcome: report.outcome, duration: report.duration };
            self.board.post(name, &report.scenario, standing);
        })?;
        broker.stop()
    }

    fn post_all(&self, planned: &Planned, standing: &Standing) {
        let names = planned.scenarios.iter().map(String::as_str).chain([WHOLE_RUN]);
        names.for_each(|name| self.board.post(planned.client.name, name, standing.clone()));
    }
}

/// What one program wrote to standard error.
#[must_use]
pub fn error_output(logs: &Path, client: &str) -> std::path::PathBuf {
    logs.join(client).join("stderr.log")
}

/// Gives every scenario a result at the end, so that no trial waits for ever, not even for a thread that panicked.
struct Closing<'a>(&'a Schedule);

impl Drop for Closing<'_> {
    fn drop(&mut self) {
        let standing = Standing::Missing("the harness ended early".to_owned());
        self.0.planned.iter().for_each(|planned| self.0.post_all(planned, &standing));
    }
}
