//! A word count of Kafka Streams with `exactly_once_v2` counts every word once, while its two instances and the broker
//! are killed with SIGKILL at times that a seed chooses.
//!
//! The programs are in `tests/streams`. The count goes through a repartition topic, whose records Streams deletes, and
//! a state store, whose changelog is compacted. At the end a reader of committed records finds every line copied once
//! and in order, and of every word each count from one to the last, once and in order.

#![allow(
    clippy::print_stdout,
    clippy::panic,
    clippy::unwrap_used,
    reason = "figures are printed; the functions around the test fail as it does"
)]

use std::fs::OpenOptions;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use ottla_tests::broker::{Broker, Options, last_lines};
use ottla_tests::client_program::build;
use ottla_tests::load::Random;
use ottla_tests::process::Process;
use ottla_tests::schedule::BrokerChoice;
use ottla_tests::toolchain::Toolchain;
use ottla_tests::verdict::skips_fail;
use ottla_tests::workspace::root;

/// Names another time for the faults than [`SECONDS`].
const SECONDS_VARIABLE: &str = "OTTLA_STREAMS_SECONDS";
/// Names another seed than [`SEED`].
const SEED_VARIABLE: &str = "OTTLA_STREAMS_SEED";

const SECONDS: u64 = 25;
const SEED: u64 = 0x7374_7265;
const LINES_PER_SECOND: u64 = 200;
const INSTANCES: usize = 2;

/// The shortest pause before a fault, and how much longer one may be.
const PAUSE_MS: u64 = 500;
const PAUSE_VARIES_MS: u64 = 2_500;
/// How long an instance that was killed stays away: some of the times the other one takes over.
const ABSENCE_MS: [u64; 3] = [0, 1_000, 8_000];

/// How long the rest may take when all faults are over: what an instance had open when it was killed is aborted after
/// 10 seconds, and its partitions are given to the other one after 6.
const CHECK_LIMIT: Duration = Duration::from_secs(60);
/// What the reader's process gets beyond the limit that it knows of.
const EXIT_LIMIT: Duration = Duration::from_secs(15);
const PREPARE_LIMIT: Duration = Duration::from_secs(60);

/// How long an instance or the feed may take until it works, and the pause between two looks.
const RUNNING_LIMIT: Duration = Duration::from_secs(60);
const LOOK_INTERVAL: Duration = Duration::from_millis(50);
/// What they say then.
const RUNNING: &str = "RUNNING";

/// The name of the application, which that of every topic begins with.
const APPLICATION: &str = "words";
/// What the feed writes, and the other programs that end by themselves.
const FEED_LOG: &str = "feed.log";
const PROGRAMS_LOG: &str = "programs.log";
const LINES_QUOTED: usize = 30;

#[test]
fn every_word_is_counted_once_whoever_is_killed() {
    if let Some(missing) = Toolchain::Java.missing() {
        assert!(!skips_fail(), "{missing}, which CI does not allow");
        eprintln!("skipped: {missing}");
        return;
    }
    let (seed, seconds) = (number(SEED_VARIABLE, SEED), number(SECONDS_VARIABLE, SECONDS));
    println!("{SEED_VARIABLE}={seed} {SECONDS_VARIABLE}={seconds}");
    build(&programs()).unwrap();
    let directory = tempfile::Builder::new().prefix("ottla-streams-").tempdir().unwrap();
    let mut stage = Stage::new(directory.path());
    stage.finish(stage.program("prepare", &[]), PREPARE_LIMIT);

    let lines = (seconds * LINES_PER_SECOND).to_string();
    let said = [seed.to_string(), lines.clone(), seconds.to_string()];
    (0..INSTANCES).for_each(|instance| stage.start_instance(instance));
    (0..INSTANCES).for_each(|instance| stage.await_running(&instance_log(instance)));
    let mut feed = stage.start(stage.logged(FEED_LOG, "feed", &said.each_ref().map(String::as_str)));
    stage.await_running(FEED_LOG);
    let faults = stage.kill_until(&mut Random::new(seed), Instant::now() + Duration::from_secs(seconds));
    println!("{faults}");

    let limit = CHECK_LIMIT.as_secs().to_string();
    let checked = stage.program("check", &[&seed.to_string(), &lines, &limit]);
    stage.finish(checked, CHECK_LIMIT + EXIT_LIMIT);
    println!("{}", last_lines(&stage.directory.join(PROGRAMS_LOG), 1).trim());
    let fed = feed.wait(Duration::ZERO).unwrap();
    assert!(fed.is_some_and(|status| status.success()), "the feed ended with {fed:?}: {}", stage.log());
    stage.broker.stop().unwrap();
}

fn number(variable: &str, default: u64) -> u64 {
    std::env::var(variable).map_or(default, |text| text.parse().unwrap())
}

fn instance_log(instance: usize) -> String {
    format!("instance-{instance}.log")
}

fn programs() -> PathBuf {
    root().join("tests/streams")
}

/// What was killed how often.
#[derive(Debug, Default)]
struct Faults {
    instances: u32,
    broker: u32,
}

impl std::fmt::Display for Faults {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "kills: {} of an instance, {} of the broker", self.instances, self.broker)
    }
}

/// A broker and the instances of the application.
struct Stage {
    broker: Broker,
    instances: [Option<Process>; INSTANCES],
    directory: PathBuf,
}

impl Stage {
    fn new(directory: &Path) -> Self {
        let program = BrokerChoice::from_environment().unwrap().obtain().unwrap();
        let settings = vec![("log.cleaner.backoff.ms".to_owned(), "200".to_owned())];
        let options = Options { settings, ..Options::default() };
        let broker = Broker::start_with(program, &directory.join("broker.log"), options).unwrap();
        Self { broker, instances: [const { None }; INSTANCES], directory: directory.to_owned() }
    }

    /// A command of `tests/streams`.
    fn program(&self, what: &str, arguments: &[&str]) -> Command {
        self.logged(PROGRAMS_LOG, what, arguments)
    }

    fn logged(&self, log: &str, what: &str, arguments: &[&str]) -> Command {
        let log = OpenOptions::new().create(true).append(true).open(self.directory.join(log)).unwrap();
        let mut command = Command::new(programs().join("run"));
        command.args([what, &self.broker.address(), APPLICATION]).args(arguments);
        command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
        command
    }

    fn start(&self, mut command: Command) -> Process {
        Process::start(&mut command).unwrap()
    }

    /// Runs a program to its end.
    fn finish(&self, command: Command, limit: Duration) {
        let said = format!("{command:?}");
        let ended = self.start(command).wait(limit).unwrap();
        let succeeded = ended.is_some_and(|status| status.success());
        assert!(succeeded, "{said} ended with {ended:?}:\n{}", self.log());
    }

    fn log(&self) -> String {
        last_lines(&self.directory.join(PROGRAMS_LOG), LINES_QUOTED)
    }

    fn start_instance(&mut self, instance: usize) {
        let state = self.directory.join(format!("state-{instance}"));
        // Its log tells of this life alone.
        let _ = std::fs::remove_file(self.directory.join(instance_log(instance)));
        let process = self.start(self.logged(&instance_log(instance), "count", &[state.to_str().unwrap()]));
        if let Some(slot) = self.instances.get_mut(instance) {
            *slot = Some(process);
        }
    }

    /// Waits until a program works: an instance that is killed before that has nothing to lose.
    fn await_running(&mut self, log: &str) {
        let deadline = Instant::now() + RUNNING_LIMIT;
        let log = self.directory.join(log);
        while !std::fs::read_to_string(&log).unwrap().lines().any(|line| line == RUNNING) {
            assert!(
                Instant::now() < deadline,
                "{} does not run:\n{}",
                log.display(),
                last_lines(&log, LINES_QUOTED)
            );
            self.broker.idle(LOOK_INTERVAL).unwrap();
        }
    }

    /// Kills one of the instances, the broker, or both of an instance and the broker, again and again. All are there
    /// in the end.
    fn kill_until(&mut self, random: &mut Random, deadline: Instant) -> Faults {
        let mut faults = Faults::default();
        while Instant::now() < deadline {
            let pause = PAUSE_MS + random.below(PAUSE_VARIES_MS);
            self.broker.idle(Duration::from_millis(pause)).unwrap();
            let instance = random.index(INSTANCES);
            let (kills_instance, kills_broker) = match random.below(5) {
                0 | 1 => (true, false),
                2 | 3 => (false, true),
                _ => (true, true),
            };
            if kills_instance {
                self.await_running(&instance_log(instance));
                // Dropping a process kills it.
                self.instances.get_mut(instance).unwrap().take();
                faults.instances += 1;
            }
            if kills_broker {
                self.broker.kill().unwrap();
                faults.broker += 1;
            }
            if kills_instance {
                let absence = *random.pick(&ABSENCE_MS).unwrap();
                self.broker.idle(Duration::from_millis(absence)).unwrap();
                self.start_instance(instance);
            }
        }
        faults
    }
}
