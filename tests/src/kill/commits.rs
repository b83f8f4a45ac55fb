//! A flood of commits, with kills while `__consumer_offsets` is being compacted: every last acknowledged value survives.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::victim::{Running, Victim};
use crate::broker::DATA_DIRECTORY;
use crate::history::Recorder;
use crate::load::{Flood, World};
use crate::ottla::Ottla;
use crate::problem::{Doing, Problem};

const READY_LIMIT: Duration = Duration::from_secs(60);
/// How long a kill waits for a compaction to be under way before it comes anyway.
const COMPACTION_LIMIT: Duration = Duration::from_secs(10);
/// How long the clients may take to be acknowledged the next commit.
const PROGRESS_LIMIT: Duration = Duration::from_secs(60);
const LOOK_INTERVAL: Duration = Duration::from_millis(2);
/// Segments that roll soon and a compactor that takes its time, so that most kills find it at work.
const SETTINGS: [&str; 4] = [
    "offsets.topic.segment.bytes=262144",
    "log.cleaner.io.max.bytes.per.second=8388608",
    "log.cleaner.min.cleanable.ratio=0.01",
    "log.cleaner.backoff.ms=20",
];
/// Names of files that are there only while a compaction is under way.
const COMPACTION_SUFFIXES: [&str; 2] = [".cleaned", ".swap"];
const OFFSETS_PREFIX: &str = "__consumer_offsets-";

/// What is to be done.
#[derive(Debug, Clone)]
pub struct CommitRun {
    /// Decides which group commits when.
    pub seed: u64,
    /// How many commits are to be acknowledged, each of one group and partition.
    pub commits: u64,
    /// How often the broker is killed meanwhile.
    pub kills: u32,
    /// Settings of the broker, as `KEY=VALUE`, beyond those of every run.
    pub settings: Vec<String>,
}

/// What came of it: a line of the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommitOutcome {
    /// The seed of the run.
    pub seed: u64,
    /// The version of the broker, as it tells it.
    pub broker: String,
    /// Commits that were acknowledged.
    pub commits_acknowledged: u64,
    /// Groups and partitions whose last acknowledged value was looked for.
    pub values_compared: u64,
    /// How often the broker was killed.
    pub kills: u32,
    /// Of these, how often while a compaction of the offsets topic was under way.
    pub kills_in_compaction: u32,
    /// Bytes of the offsets topic in the end.
    pub offsets_bytes: u64,
    /// How long the run took in milliseconds.
    pub took_ms: u64,
    /// Values that are not the last acknowledged ones.
    pub violations: u64,
    /// The first of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub found: Vec<String>,
}

/// Runs with its files in `directory`, which must be empty.
///
/// # Errors
/// The broker ended by itself, did not start, acknowledges nothing any more, or refused to be read.
pub fn run_commits(program: &Ottla, directory: &Path, run: &CommitRun) -> Result<CommitOutcome, Problem> {
    const FOUND_MAX: usize = 20;
    let began = Instant::now();
    let settings: Vec<String> =
        SETTINGS.iter().map(ToString::to_string).chain(run.settings.iter().cloned()).collect();
    let victim = Arc::new(Victim::new(program.clone(), directory, directory, &settings)?);
    let recorder = Recorder::create(&directory.join("history.ndjson"))?;
    let world = Arc::new(World::new(victim.address(), run.seed, recorder));
    let running = victim.start_ready(READY_LIMIT)?;
    let flood = Flood::start(&world)?;
    let killed = kill_often(&flood, &victim, running, directory, run);
    let commits_acknowledged = flood.acknowledged();
    let known = flood.stop();
    let kills_in_compaction = killed?;
    let mut last = victim.start_ready(READY_LIMIT)?;
    let (values_compared, mut found) = known.compare(&world)?;
    last.still_runs(Duration::ZERO)?;
    last.kill()?;
    let violations = u64::try_from(found.len()).unwrap_or(u64::MAX);
    found.truncate(FOUND_MAX);
    Ok(CommitOutcome {
        seed: run.seed,
        broker: program.version()?,
        commits_acknowledged,
        values_compared,
        kills: run.kills,
        kills_in_compaction,
        offsets_bytes: offsets_files(directory)?.iter().map(|(_, length)| length).sum(),
        took_ms: u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
        violations,
        found,
    })
}

/// Kills the broker as often as is asked for, evenly over the commits; gives how many kills met a compaction.
fn kill_often(
    flood: &Flood,
    victim: &Arc<Victim>,
    mut running: Running,
    directory: &Path,
    run: &CommitRun,
) -> Result<u32, Problem> {
    let mut in_compaction = 0;
    for kill in 1..=run.kills {
        let share = |kill| run.commits.saturating_mul(kill) / u64::from(run.kills).saturating_add(1);
        await_commits(flood, &mut running, share(kill.into()))?;
        // The kill meets commits, too.
        flood.set_goal(share(u64::from(kill).saturating_add(1)));
        in_compaction += u32::from(await_compaction(directory, &mut running)?);
        running.kill()?;
        running = victim.start_ready(READY_LIMIT)?;
    }
    await_commits(flood, &mut running, run.commits)?;
    running.kill()?;
    Ok(in_compaction)
}

/// Waits until so many commits were acknowledged.
fn await_commits(flood: &Flood, running: &mut Running, count: u64) -> Result<(), Problem> {
    flood.set_goal(count);
    let (mut known, mut since) = (flood.acknowledged(), Instant::now());
    while known < count {
        running.still_runs(LOOK_INTERVAL)?;
        let now = flood.acknowledged();
        if now > known {
            (known, since) = (now, Instant::now());
        } else if since.elapsed() > PROGRESS_LIMIT {
            return Err(Problem::new(format!("no commit was acknowledged for {PROGRESS_LIMIT:?}")));
        }
    }
    Ok(())
}

/// Waits until the offsets topic is being compacted; whether it is.
fn await_compaction(directory: &Path, running: &mut Running) -> Result<bool, Problem> {
    let deadline = Instant::now() + COMPACTION_LIMIT;
    let is_temporary = |name: &str| COMPACTION_SUFFIXES.iter().any(|suffix| name.ends_with(suffix));
    while Instant::now() < deadline {
        if offsets_files(directory)?.iter().any(|(name, _)| is_temporary(name)) {
            return Ok(true);
        }
        running.still_runs(LOOK_INTERVAL)?;
    }
    Ok(false)
}

/// The files of the offsets topic: their names and lengths. Files come and go meanwhile.
fn offsets_files(directory: &Path) -> Result<Vec<(String, u64)>, Problem> {
    let data = directory.join(DATA_DIRECTORY);
    let mut files = Vec::new();
    for entry in std::fs::read_dir(&data).doing("list the data directory")?.flatten() {
        if !entry.file_name().to_string_lossy().starts_with(OFFSETS_PREFIX) {
            continue;
        }
        for file in std::fs::read_dir(entry.path()).into_iter().flatten().flatten() {
            let length = file.metadata().map_or(0, |metadata| metadata.len());
            files.push((file.file_name().to_string_lossy().into_owned(), length));
        }
    }
    Ok(files)
}
