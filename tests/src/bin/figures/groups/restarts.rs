//! The start of a broker that has a million committed offsets.

use std::path::Path;
use std::time::Duration;

use ottla_tests::broker::{Broker, Options};
use ottla_tests::measure::{
    CommitShape, NewTopic, Subject, commit_all, committed_all, create_topics, wait_for_all_coordinators,
    wait_for_coordinator,
};
use ottla_tests::problem::Problem;

use super::Timed;
use crate::arguments::Arguments;

const GROUPS: u32 = 10_000;
const PARTITIONS: i32 = 100;

const START_LIMIT: Duration = Duration::from_secs(300);

/// A broker with offsets, which runs between its turns.
pub(super) struct Restarts {
    name: &'static str,
    broker: Broker,
    shape: CommitShape,
}

impl Restarts {
    pub(super) fn load(subject: &Subject, logs: &Path, arguments: &Arguments) -> Result<Self, Problem> {
        let log = logs.join(format!("{}-restarts.log", subject.name));
        let mut broker = subject.start(&log, Options { settings: Vec::new(), start_limit: START_LIMIT })?;
        let shape = CommitShape {
            topic: "committed".to_owned(),
            partitions: PARTITIONS,
            partitions_per_request: 100,
            groups: arguments.scaled(GROUPS),
            rounds: 1,
            first_round: 0,
        };
        let topic = NewTopic { name: shape.topic.clone(), partitions: PARTITIONS, settings: Vec::new() };
        create_topics(&mut broker, &[topic])?;
        wait_for_all_coordinators(&mut broker, &shape)?;
        let took = commit_all(&broker.address(), &shape)?;
        eprintln!("{}: {} commits in {took:.1?}", subject.name, shape.commits());
        Ok(Self { name: subject.name, broker, shape })
    }

    /// One start after a clean stop and one after kill -9. All offsets are read after each.
    pub(super) fn round(&mut self) -> Result<Vec<Timed>, Problem> {
        let mut times = Vec::new();
        for before in ["a clean stop", "kill -9"] {
            if before == "kill -9" {
                self.broker.end_by_kill()?;
            } else {
                self.broker.stop()?;
            }
            self.broker.start_again()?;
            let first = wait_for_coordinator(&mut self.broker, &self.shape)?;
            let all = wait_for_all_coordinators(&mut self.broker, &self.shape)?;
            committed_all(&self.broker.address(), &self.shape)?;
            eprintln!("{} after {before}: first answer after {first:.2?}, of all after {all:.2?}", self.name);
            let offsets = self.shape.keys();
            let mut timed = |what: &str, time: Duration| {
                let quantity = format!("{offsets} committed offsets, after {before}: {what}");
                times.push(Timed { broker: self.name, quantity, seconds: time.as_secs_f64() });
            };
            timed("exec to the first answered OffsetFetch", first);
            timed("exec until every coordinator has answered one", all);
        }
        Ok(times)
    }
}
