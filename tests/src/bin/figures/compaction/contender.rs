//! A broker whose offsets log is filled once and compacted again and again.
//!
//! The load runs with a compactor that never finds the log dirty enough (a ratio of 1). The data directory it leaves is
//! the template of all rounds. A round starts the broker on a copy of it, with `log.cleaner.max.compaction.lag.ms` such
//! that the whole log becomes due a fixed time after the start: until then a producer shows its latency without a
//! compaction, from then on with it, in one process.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use ottla_tests::broker::{Broker, Options};
use ottla_tests::measure::{
    CommitShape, LogTail, Memory, NewTopic, PeakWatch, Percentiles, Sample, Steady, Subject, Usage,
    commit_all, committed_all, copy_directory, create_topics, wait_for_coordinator,
};
use ottla_tests::problem::{Doing, Problem};

use super::round::{Round, Times};
use super::watch::{Files, watch_compaction};

const START_LIMIT: Duration = Duration::from_secs(300);

/// The producer's topic. Its segments are not rolled when those of the offsets log are.
const STEADY_TOPIC: &str = "steady";
const STEADY_PER_SECOND: u32 = 500;

/// The partition that all groups are in.
const OFFSETS_PARTITION: &str = "__consumer_offsets-0";

/// From the start of a round until its log becomes due. Apache Kafka's virtual machine needs time to become warm. Where that is
/// too soon, since the machine is busy with other things, it becomes twice as long, up to a limit.
const DUE_AFTER: Duration = Duration::from_secs(45);
const DUE_AFTER_MAX: Duration = Duration::from_secs(400);
/// The part of it, up to shortly before the end, whose latencies are those without a compaction.
const QUIET: Duration = Duration::from_secs(15);
const BEFORE_DUE: Duration = Duration::from_secs(1);
/// For how long at least the producer runs before that.
const WARM: Duration = Duration::from_secs(10);

/// Settings of both brokers, always.
const ALWAYS: [(&str, &str); 4] = [
    ("offsets.topic.num.partitions", "1"),
    ("offsets.topic.segment.bytes", "104857600"),
    ("log.cleaner.min.cleanable.ratio", "1.0"),
    // The compactor looks soon when the log is due.
    ("log.cleaner.backoff.ms", "100"),
];

/// A segment of the offsets log that is as old is closed with the next commit, so that all of the load lies in closed
/// ones and can be compacted.
const ROLL_AFTER: (&str, &str) = ("log.roll.ms", "10000");

/// Parts of lines in which brokers tell of compactions.
const TELLING: [&str; 7] = [
    "compacted",
    "Beginning cleaning of log __consumer_offsets",
    "Offset map for log __consumer_offsets",
    "MB of log processed in",
    "MB in ",
    "Buffer utilization",
    "Start size: ",
];

/// A broker and its template.
pub(super) struct Contender {
    pub(super) subject: Subject,
    pub(super) load_seconds: f64,
    broker: Broker,
    shape: CommitShape,
    template: PathBuf,
    /// When the first commit was made.
    loaded_at: SystemTime,
    due_after: Duration,
}

impl Contender {
    /// Commits all of a shape and stops.
    pub(super) fn load(subject: Subject, shape: &CommitShape, scratch: &Path) -> Result<Self, Problem> {
        let log = scratch.join(format!("{}.log", subject.name));
        let settings = settings(&[("log.cleaner.enable", "false")]);
        let mut broker = subject.start(&log, Options { settings, start_limit: START_LIMIT })?;
        let committed =
            NewTopic { name: shape.topic.clone(), partitions: shape.partitions, settings: Vec::new() };
        let produced = NewTopic {
            name: STEADY_TOPIC.to_owned(),
            partitions: 1,
            settings: vec![("segment.ms", "604800000")],
        };
        create_topics(&mut broker, &[committed, produced])?;
        wait_for_coordinator(&mut broker, shape)?;
        let loaded_at = SystemTime::now();
        let load_seconds = commit_all(&broker.address(), shape)?.as_secs_f64();
        eprintln!("{}: {} commits in {load_seconds:.1} s", subject.name, shape.commits());
        broker.stop()?;
        let template = broker.data_directory().with_extension("template");
        std::fs::rename(broker.data_directory(), &template).doing("set the data aside")?;
        Ok(Self {
            subject,
            load_seconds,
            broker,
            shape: shape.clone(),
            template,
            loaded_at,
            due_after: DUE_AFTER,
        })
    }

    /// Compacts a copy of the log once.
    pub(super) fn round(&mut self) -> Result<Round, Problem> {
        let (loaded, steady) = self.begin_in_time()?;
        let id = self.broker.process_id();
        let due = self.broker.started().at + self.due_after;
        let quiet_from = due.checked_sub(QUIET).unwrap_or(due);
        let quiet_to = due.checked_sub(BEFORE_DUE).unwrap_or(due);
        self.idle_until(quiet_from)?;
        let usage_quiet = Usage::of_process(id)?;
        self.idle_until(quiet_to)?;
        let usage_due = Usage::of_process(id)?;
        let directory = self.broker.data_directory().join(OFFSETS_PARTITION);
        let before = Files::of(&directory)?;
        let memory_before = Memory::of_process(id)?;
        let peak_watch = PeakWatch::begin(id)?;
        let tail = LogTail::begin(self.broker.log())?;
        let mut usage_end = usage_due;
        let seen = watch_compaction(&mut self.broker, &directory, |_| {
            usage_end = Usage::of_process(id)?;
            Ok(())
        })?;
        let peak = peak_watch.end()?;
        let samples = steady.end()?;
        let times = Times { quiet_from, quiet_to, due, first_file: seen.first_file, end: seen.end };
        let (quiet, busy) = latencies(&samples, &times)?;
        let told = tail.lines_with(&TELLING)?;
        self.broker.restart()?;
        let reloaded = wait_for_coordinator(&mut self.broker, &self.shape)?;
        committed_all(&self.broker.address(), &self.shape)?;
        self.broker.stop()?;
        let usage = usage_end.since(&usage_due);
        let usage_quiet = usage_due.since(&usage_quiet);
        Ok(Round {
            broker: self.subject.name,
            loaded,
            reloaded,
            times,
            before,
            after: seen.after,
            memory_before,
            peak,
            usage_quiet,
            usage,
            quiet,
            busy,
            told,
        })
    }

    /// Starts the broker and the steady producer such that there is a quiet time before the log becomes due. Gives the time
    /// from the exec until the coordinator had read its log, too.
    fn begin_in_time(&mut self) -> Result<(Duration, Steady), Problem> {
        loop {
            self.begin()?;
            let loaded = wait_for_coordinator(&mut self.broker, &self.shape)?;
            // A commit of what is committed already closes the last segment of the load.
            commit_all(&self.broker.address(), &self.shape.last_of_first_group())?;
            if self.broker.started().at.elapsed() + QUIET + WARM < self.due_after {
                let steady = Steady::begin(&self.broker.address(), STEADY_TOPIC, STEADY_PER_SECOND)?;
                return Ok((loaded, steady));
            }
            self.broker.end_by_kill()?;
            self.due_after = self.due_after.saturating_mul(2);
            if self.due_after > DUE_AFTER_MAX {
                return Err(Problem::new(format!(
                    "the start took so long ({loaded:?}) that no quiet time is left"
                )));
            }
            eprintln!("{}: the log becomes due after {:?} from now on", self.subject.name, self.due_after);
        }
    }

    /// Starts the broker on a copy of the template whose log becomes due in time.
    fn begin(&mut self) -> Result<(), Problem> {
        let data = self.broker.data_directory();
        if data.exists() {
            std::fs::remove_dir_all(&data).doing("remove the data of the last round")?;
        }
        copy_directory(&self.template, &data)?;
        let age = SystemTime::now().duration_since(self.loaded_at).doing("tell the age of the load")?;
        let lag = (age + self.due_after).as_millis().to_string();
        let due = [("log.cleaner.max.compaction.lag.ms", lag.as_str()), ROLL_AFTER];
        self.broker.options().settings = settings(&due);
        self.broker.start_again()
    }

    fn idle_until(&mut self, until: Instant) -> Result<(), Problem> {
        self.broker.idle(until.saturating_duration_since(Instant::now()))
    }
}

fn settings(more: &[(&str, &str)]) -> Vec<(String, String)> {
    let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    ALWAYS.iter().chain(more).map(own).collect()
}

fn latencies(samples: &[Sample], times: &Times) -> Result<(Percentiles, Percentiles), Problem> {
    let quiet = Percentiles::between(samples, times.quiet_from, times.quiet_to)?;
    Ok((quiet, Percentiles::between(samples, times.due, times.end)?))
}
