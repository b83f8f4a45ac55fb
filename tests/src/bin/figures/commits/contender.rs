//! Who is measured, and how it gets its load.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use ottla_tests::broker::{Broker, Options};
use ottla_tests::measure::{
    CommitShape, Committer, Connection, Fill, LoneMember, Percentiles, Shape, Subject, Usage, commit_for,
    fill, load_average, repeat, wait_for_coordinator,
};
use ottla_tests::problem::Problem;
use serde_json::Value;

use super::point::Point;

/// What [`Shape`] calls its first topic.
pub(super) const TOPIC: &str = "filled-0";

/// The topic has as many records as offsets are committed, so that no commit is odd. A committer that is faster commits
/// the last offset again.
const SHAPE: Shape = Shape { topics: 1, partitions_per_topic: 1, records_per_batch: 10_000, value_bytes: 1 };
const BATCHES: u32 = 100;
const LAST_OFFSET: i64 = 1_000_000;

/// How a contender serves its turns.
enum Serving {
    /// In one process.
    Always(Box<Broker>),
    /// In a new one each time; its log goes to this file.
    Anew(PathBuf),
}

/// A broker, or the floor.
pub(super) struct Contender {
    name: &'static str,
    subject: Subject,
    serving: Serving,
    /// Whether it has topics and groups.
    is_broker: bool,
    /// So that every turn has groups of its own.
    turns: usize,
}

impl Contender {
    /// A broker that runs from now on.
    pub(super) fn running(name: &'static str, subject: Subject, log: &Path) -> Result<Self, Problem> {
        let broker = start(&subject, log)?;
        Ok(Self { name, subject, serving: Serving::Always(Box::new(broker)), is_broker: true, turns: 0 })
    }

    /// A broker that is started for each turn.
    pub(super) fn cold(name: &'static str, subject: Subject, log: &Path) -> Self {
        Self { name, subject, serving: Serving::Anew(log.to_owned()), is_broker: true, turns: 0 }
    }

    /// What has neither topics nor groups.
    pub(super) fn floor(name: &'static str, subject: Subject, log: &Path) -> Result<Self, Problem> {
        let broker = Box::new(subject.start(log, Options::default())?);
        Ok(Self { name, subject, serving: Serving::Always(broker), is_broker: false, turns: 0 })
    }

    /// Gives it the load of each turn, unless it is to be cold.
    pub(super) fn warm_up(&mut self, committers: &[usize], time: Duration) -> Result<(), Problem> {
        if matches!(self.serving, Serving::Always(_)) {
            for committers in committers {
                self.measure(0, *committers, Duration::ZERO, time)?;
            }
        }
        Ok(())
    }

    /// One turn.
    pub(super) fn measure(
        &mut self,
        round: usize,
        committers: usize,
        lead_in: Duration,
        time: Duration,
    ) -> Result<Point, Problem> {
        self.turns = self.turns.saturating_add(1);
        let turn = format!("{}-{committers}-{}", self.name, self.turns);
        let (name, is_broker) = (self.name, self.is_broker);
        match &mut self.serving {
            Serving::Always(broker) => {
                Turn { name, round, committers, lead_in, time }.measure(broker, is_broker, &turn)
            }
            Serving::Anew(log) => {
                let mut broker = start(&self.subject, log)?;
                let lead_in = Duration::ZERO;
                let point =
                    Turn { name, round, committers, lead_in, time }.measure(&mut broker, true, &turn)?;
                broker.stop()?;
                Ok(point)
            }
        }
    }

    pub(super) fn json(&self) -> Value {
        self.subject.description.clone()
    }
}

/// Starts a broker that has records to commit offsets of, and coordinates groups.
fn start(subject: &Subject, log: &Path) -> Result<Broker, Problem> {
    let mut broker = subject.start(log, Options::default())?;
    SHAPE.create(&mut broker)?;
    fill(&broker.address(), &mut Fill::new(SHAPE), BATCHES)?;
    let shape = CommitShape {
        topic: TOPIC.to_owned(),
        partitions: 1,
        partitions_per_request: 1,
        groups: 1,
        rounds: 1,
        first_round: 0,
    };
    wait_for_coordinator(&mut broker, &shape)?;
    Ok(broker)
}

/// What is the same for all of a turn.
struct Turn {
    name: &'static str,
    round: usize,
    committers: usize,
    lead_in: Duration,
    time: Duration,
}

impl Turn {
    fn measure(&self, broker: &mut Broker, is_broker: bool, prefix: &str) -> Result<Point, Problem> {
        let members = self.members(broker, is_broker, prefix)?;
        let connect = |member| Committer::connect(&broker.address(), member, TOPIC, LAST_OFFSET);
        let mut committers = members.iter().map(connect).collect::<Result<Vec<Committer>, Problem>>()?;
        if !self.lead_in.is_zero() {
            commit_for(&mut committers, self.lead_in)?;
        }
        let process = broker.process_id();
        let client_before = Usage::of_process(std::process::id())?;
        let before = Usage::of_process(process)?;
        let began = Instant::now();
        let samples = commit_for(&mut committers, self.time)?;
        let end = Instant::now();
        let usage = Usage::of_process(process)?.since(&before);
        let client = Usage::of_process(std::process::id())?.since(&client_before);
        if is_broker {
            let mut connection = Connection::open(&broker.address())?;
            members.into_iter().try_for_each(|member| member.leave(&mut connection))?;
        }
        Ok(Point {
            contender: self.name,
            round: self.round,
            committers: self.committers,
            seconds: end.saturating_duration_since(began).as_secs_f64(),
            latency: Percentiles::between(&samples, began, end)?,
            usage,
            client,
            load_average: load_average()?,
        })
    }

    fn members(
        &self,
        broker: &mut Broker,
        is_broker: bool,
        prefix: &str,
    ) -> Result<Vec<LoneMember>, Problem> {
        let mut members = Vec::with_capacity(self.committers);
        for number in 0..self.committers {
            let group = format!("{prefix}-{number:03}");
            if !is_broker {
                members.push(LoneMember::nobody(&group));
                continue;
            }
            let mut connection = Connection::open(&broker.address())?;
            // The group's part of the offsets log may still be read.
            repeat(broker, || LoneMember::join(&mut connection, &group).map(|member| members.push(member)))?;
        }
        Ok(members)
    }
}
