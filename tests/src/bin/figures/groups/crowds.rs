//! Groups that form and lose a member.

use std::path::Path;

use ottla_tests::broker::{Broker, Options};
use ottla_tests::measure::{
    CommitShape, Crowd, CrowdShape, GroupProtocol, NewTopic, Subject, create_topics, wait_for_coordinator,
};
use ottla_tests::problem::Problem;

use super::Timed;
use crate::arguments::Arguments;

const MEMBERS: [u32; 2] = [50, 500];
const PROTOCOLS: [GroupProtocol; 2] = [GroupProtocol::Classic, GroupProtocol::Consumer];

/// What both brokers are set to, where their defaults differ or heartbeats would be rare.
pub(super) const SETTINGS: [(&str, &str); 5] = [
    ("group.initial.rebalance.delay.ms", "0"),
    ("group.consumer.min.session.timeout.ms", "6000"),
    ("group.consumer.session.timeout.ms", "6000"),
    ("group.consumer.min.heartbeat.interval.ms", "100"),
    ("group.consumer.heartbeat.interval.ms", "100"),
];

/// A broker whose groups are measured.
pub(super) struct Crowds {
    name: &'static str,
    broker: Broker,
    members: Vec<u32>,
}

impl Crowds {
    pub(super) fn start(subject: &Subject, logs: &Path, arguments: &Arguments) -> Result<Self, Problem> {
        let settings = SETTINGS.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let options = Options { settings: settings.collect(), ..Options::default() };
        let mut broker = subject.start(&logs.join(format!("{}-groups.log", subject.name)), options)?;
        let members: Vec<u32> = MEMBERS.iter().map(|members| arguments.scaled(*members).max(2)).collect();
        let topic = |members: &u32| {
            let partitions = i32::try_from(*members).unwrap_or(1);
            NewTopic { name: topic_for(*members), partitions, settings: Vec::new() }
        };
        create_topics(&mut broker, &members.iter().map(topic).collect::<Vec<_>>())?;
        let shape = CommitShape {
            topic: topic_for(members.first().copied().unwrap_or_default()),
            partitions: 1,
            partitions_per_request: 1,
            groups: 1,
            rounds: 1,
            first_round: 0,
        };
        wait_for_coordinator(&mut broker, &shape)?;
        Ok(Self { name: subject.name, broker, members })
    }

    /// Each protocol with each number of members, a partition for each.
    pub(super) fn round(&mut self, round: usize) -> Result<Vec<Timed>, Problem> {
        let mut times = Vec::new();
        for protocol in PROTOCOLS {
            for members in self.members.clone() {
                self.crowd(protocol, members, round, &mut times)?;
            }
        }
        Ok(times)
    }

    fn crowd(
        &mut self,
        protocol: GroupProtocol,
        members: u32,
        round: usize,
        times: &mut Vec<Timed>,
    ) -> Result<(), Problem> {
        let kind = protocol.name();
        let shape = CrowdShape {
            protocol,
            group: format!("{kind}-{members}-{round}"),
            topic: topic_for(members),
            partitions: i32::try_from(members).unwrap_or(1),
            members: usize::try_from(members).unwrap_or(1),
        };
        let (mut crowd, formed) = Crowd::form(&self.broker.address(), shape)?;
        let lost = crowd.lose_one()?;
        crowd.end()?;
        eprintln!(
            "{}, {kind}, {members} members: formed in {formed:.2?}, replaced one in {lost:.2?}",
            self.name
        );
        self.broker.check_running()?;
        let mut timed = |what: &str, seconds| {
            let quantity = format!("{kind}, {members} members: {what}");
            times.push(Timed { broker: self.name, quantity, seconds });
        };
        timed("from the first join until the group is stable", formed.as_secs_f64());
        timed("from the kill of a member until others have its partitions", lost.as_secs_f64());
        Ok(())
    }
}

fn topic_for(members: u32) -> String {
    format!("topic-{members}")
}
