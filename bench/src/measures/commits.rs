//! Commits of offsets, in closed loops.

use std::sync::Arc;
use std::time::Duration;

use ottla_tests::broker::BrokerProgram;
use ottla_tests::measure::{
    CommitShape, Committer, Connection, Echo, LoneMember, Sample, commit_for, commit_response, repeat,
    wait_for_coordinator,
};
use ottla_tests::problem::{Doing, Problem};

use super::measure::{BROKERS_AND_FLOOR, Measure, Quantity};
use crate::contender::Kind;
use crate::figures::Figures;
use crate::lean::Histogram;
use crate::size::Size;
use crate::stage::{FLOOR_TOPIC, Stage};

/// Each committer is the only member of a group of its own and waits for its answer before it commits again. The floor is
/// an echo server on Ottla's runtime.
pub(super) struct Commits;

const COMMITTERS: [usize; 3] = [1, 16, 128];
const TIME: Duration = Duration::from_secs(5);
/// How long they commit before, unmeasured.
const LEAD_IN: Duration = Duration::from_millis(500);

impl Measure for Commits {
    fn name(&self) -> &'static str {
        "commits"
    }

    fn about(&self) -> &'static str {
        "offset commits for one partition by members of groups of their own, each waiting for its answer"
    }

    fn contenders(&self) -> &'static [Kind] {
        BROKERS_AND_FLOOR
    }

    fn points(&self, _size: Size) -> Vec<String> {
        COMMITTERS.iter().map(ToString::to_string).collect()
    }

    fn quantities(&self) -> Vec<Quantity> {
        vec![
            Quantity::less("cpu_us_each", "broker CPU a commit, µs", 2),
            Quantity::more("per_s", "commits a second", 0),
            Quantity::less("p50_ms", "p50, ms", 3),
            Quantity::less("p99_ms", "p99, ms", 3),
            Quantity::less("system_calls_each", "system calls a commit", 2),
            Quantity::less("voluntary_switches_each", "voluntary context switches a commit", 3),
        ]
    }

    fn floor(&self, _point: &str, _size: Size) -> Result<Option<Arc<dyn BrokerProgram>>, Problem> {
        Ok(Some(Arc::new(Echo::new(commit_response(FLOOR_TOPIC)?))))
    }

    fn measure(&self, stage: &mut Stage, point: &str) -> Result<Figures, Problem> {
        let count = point.parse().doing("read a number of committers")?;
        let topic = stage.topic(1, &[])?;
        let members = members(stage, &topic, count)?;
        let mut committers = connect_all(stage, &topic, &members)?;
        let (lead_in, time) = (stage.size.time(LEAD_IN), stage.size.time(TIME));
        commit_for(&mut committers, lead_in)?;
        let metered = stage.metered(|_| commit_for(&mut committers, time))?;
        let latency = latency_of(&metered.value);
        let mut figures = metered.per_each(latency.count(), metered.took);
        figures.set_latency(&latency);
        stage.count_system_calls(&mut figures, "system_calls_each", |_| {
            Ok(commit_for(&mut committers, lead_in)?.len() as f64)
        })?;
        drop(committers);
        leave(stage, members)?;
        stage.remove_topic(&topic)?;
        Ok(figures)
    }
}

/// Has so many committers commit for a time, and gives how long each commit took.
///
/// # Errors
/// A commit is refused, or a connection is lost.
pub fn commit_beside(
    stage: &mut Stage,
    topic: &str,
    committers: usize,
    time: Duration,
) -> Result<Histogram, Problem> {
    let members = members(stage, topic, committers)?;
    let mut committers = connect_all(stage, topic, &members)?;
    let latency = latency_of(&commit_for(&mut committers, time)?);
    drop(committers);
    leave(stage, members)?;
    Ok(latency)
}

fn connect_all(stage: &Stage, topic: &str, members: &[LoneMember]) -> Result<Vec<Committer>, Problem> {
    let address = stage.address();
    members.iter().map(|member| Committer::connect(&address, member, topic, i64::MAX)).collect()
}

fn latency_of(samples: &[Sample]) -> Histogram {
    let mut latency = Histogram::default();
    samples.iter().for_each(|sample| latency.add(sample.took));
    latency
}

fn members(stage: &mut Stage, topic: &str, count: usize) -> Result<Vec<LoneMember>, Problem> {
    let group = |number: usize| format!("{topic}-{number:03}");
    if !stage.is_broker() {
        return Ok((0..count).map(|number| LoneMember::nobody(&group(number))).collect());
    }
    // kfake coordinates from its start on, and knows no offsets of a group that has no member.
    if stage.kind != Kind::Kfake {
        let topic = topic.to_owned();
        let (groups, rounds, first_round) = (1, 1, 0);
        let shape =
            CommitShape { topic, partitions: 1, partitions_per_request: 1, groups, rounds, first_round };
        wait_for_coordinator(&mut stage.broker, &shape)?;
    }
    let mut connection = Connection::open(&stage.address())?;
    let mut members = Vec::with_capacity(count);
    for number in 0..count {
        // The group's part of the offsets log may still be read.
        repeat(&mut stage.broker, || {
            LoneMember::join(&mut connection, &group(number)).map(|member| members.push(member))
        })?;
    }
    Ok(members)
}

fn leave(stage: &Stage, members: Vec<LoneMember>) -> Result<(), Problem> {
    if !stage.is_broker() {
        return Ok(());
    }
    let mut connection = Connection::open(&stage.address())?;
    members.into_iter().try_for_each(|member| member.leave(&mut connection))
}
