//! One run: the plan is carried out, everything comes to rest, and the history is judged.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::ask::look;
use super::cast::{GROUPS, HOSTS, PARTITIONS, PRODUCER, RECORD_EVERY_MS, SETTINGS, TOPIC};
use super::event::{Fact, read_events};
use super::host::Host;
use super::offsets_log::read_offsets_log;
use super::plan::{Deed, Newcomer, plan};
use super::record::Record;
use super::watch::Watch;
use crate::broker::{Broker, BrokerProgram, Options};
use crate::check::{Report, SETTLES_WITHIN, check_members, settled};
use crate::history::BrokerStep;
use crate::load::Gate;
use crate::measure::{Connection, NewTopic, create_topics};
use crate::problem::Problem;

/// How long the broker may take to start again. A hundred clients try to connect meanwhile, on the same cores.
const START_LIMIT: Duration = Duration::from_secs(240);
/// How long the members may take to say what they own. They look for the question a few times a second.
const STATES_LIMIT: Duration = Duration::from_secs(10);
/// How long the producer may take for what it has not sent yet.
const STOP_LIMIT: Duration = Duration::from_secs(30);
/// The pause between two looks at groups that are to settle.
const LOOK_INTERVAL: Duration = Duration::from_millis(200);

/// What a run is to do.
#[derive(Debug, Clone)]
pub struct Churn {
    /// Decides what is done, and when.
    pub seed: u64,
    /// How long members come and go.
    pub lasting: Duration,
}

/// What a run did and found.
#[derive(Debug)]
pub struct Outcome {
    /// How many members there were in all.
    pub members: u64,
    /// How many of them were killed.
    pub killed: u64,
    /// How many times one was paused.
    pub paused: u64,
    /// How many times the broker was killed.
    pub broker_kills: u64,
    /// How many times members were told what they own.
    pub assignments: u64,
    /// How many clients gave up for good and were replaced.
    pub renewed: u64,
    /// Commits of members that were acknowledged.
    pub commits: u64,
    /// Commits of members that were refused.
    pub refused: u64,
    /// Commits in the name of former owners.
    pub forged: u64,
    /// How long the groups took to settle.
    pub settled_after: Duration,
    /// How long all of it took.
    pub took: Duration,
    /// What the rules found.
    pub report: Report,
}

/// Runs in `directory`, which must be empty, and leaves `history.ndjson` and what the programs wrote there. The client
/// programs must be built.
///
/// # Errors
/// The broker or a client program ended by itself, or the harness failed.
pub fn run(program: Arc<dyn BrokerProgram>, directory: &Path, churn: &Churn) -> Result<Outcome, Problem> {
    let began = Instant::now();
    let mut settings: Vec<(String, String)> = Vec::new();
    settings.extend(SETTINGS.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    let options = Options { settings, start_limit: START_LIMIT };
    let mut broker = Broker::start_with(program, &directory.join("broker.log"), options)?;
    let topic = NewTopic { name: TOPIC.to_owned(), partitions: PARTITIONS, settings: Vec::new() };
    create_topics(&mut broker, &[topic])?;
    let history = directory.join("history.ndjson");
    let record = Arc::new(Record::create(&history)?);
    let hosts = HOSTS.iter().map(|_| None).collect();
    let mut stage = Stage { broker, record, hosts, logs: directory.to_owned(), clock: Gate::default() };
    let settled_after = stage.perform(churn)?;
    stage.record.finish()?;
    outcome(&history, settled_after, began)
}

struct Stage {
    broker: Broker,
    record: Arc<Record>,
    hosts: Vec<Option<Host>>,
    logs: PathBuf,
    /// Never closed: only waited at.
    clock: Gate,
}

impl Stage {
    fn perform(&mut self, churn: &Churn) -> Result<Duration, Problem> {
        let mut producer = Host::start(PRODUCER, &self.broker.address(), &self.logs, &self.record)?;
        producer.tell(&format!("produce {PARTITIONS} {RECORD_EVERY_MS}"))?;
        let watch = Watch::start(self.broker.address(), Arc::clone(&self.record));
        for step in plan(churn.seed, churn.lasting) {
            self.clock.pause(step.after);
            self.act(step.deed)?;
            for host in self.hosts.iter_mut().flatten().chain([&mut producer]) {
                host.check()?;
            }
        }
        self.record.note(Fact::Calm);
        let calm = Instant::now();
        producer.tell("stop")?;
        if !self.record.wait_for_stop(STOP_LIMIT) {
            return Err(Problem::new(format!("the producer was not done within {STOP_LIMIT:?}")));
        }
        watch.stop()?;
        self.wait_until_settled(calm)?;
        let settled_after = calm.elapsed();
        self.ask_states()?;
        self.look_at_all()?;
        producer.end()?;
        for host in self.hosts.iter_mut().filter_map(Option::take) {
            host.end()?;
        }
        read_offsets_log(&self.broker.address(), &self.record)?;
        self.broker.stop()?;
        Ok(settled_after)
    }

    fn act(&mut self, deed: Deed) -> Result<(), Problem> {
        match deed {
            Deed::Join(host, newcomer) => self.host(host)?.join(newcomer),
            Deed::Leave(host, member) => self.host(host)?.leave(member),
            Deed::Pause(host) => {
                self.host(host)?.pause();
                Ok(())
            }
            Deed::Resume(host) => {
                self.host(host)?.resume();
                Ok(())
            }
            Deed::Kill(host) => match self.hosts.get_mut(host).and_then(Option::take) {
                Some(host) => host.kill(),
                None => Ok(()),
            },
            Deed::Start(host, newcomers) => self.start(host, newcomers),
            Deed::KillBroker(down) => self.kill_broker(down),
        }
    }

    fn host(&mut self, place: usize) -> Result<&mut Host, Problem> {
        let host = self.hosts.get_mut(place).and_then(Option::as_mut);
        host.ok_or_else(|| Problem::new(format!("process {place} does not run")))
    }

    fn start(&mut self, place: usize, newcomers: Vec<Newcomer>) -> Result<(), Problem> {
        let client = HOSTS.get(place).copied().unwrap_or_default();
        let mut host = Host::start(client, &self.broker.address(), &self.logs, &self.record)?;
        for newcomer in newcomers {
            host.join(newcomer)?;
        }
        if let Some(place) = self.hosts.get_mut(place) {
            *place = Some(host);
        }
        Ok(())
    }

    fn kill_broker(&mut self, down: Duration) -> Result<(), Problem> {
        self.record.note(Fact::Broker(BrokerStep::Killing));
        self.broker.end_by_kill()?;
        self.record.note(Fact::Broker(BrokerStep::Killed));
        self.clock.pause(down);
        self.record.note(Fact::Broker(BrokerStep::Started));
        self.broker.start_again()?;
        self.record.note(Fact::Broker(BrokerStep::Ready));
        Ok(())
    }

    /// Looks until all groups are settled, or too much time has passed, which the rule then says.
    fn wait_until_settled(&mut self, calm: Instant) -> Result<(), Problem> {
        while !self.look_at_all()? && calm.elapsed() < SETTLES_WITHIN {
            self.clock.pause(LOOK_INTERVAL);
        }
        Ok(())
    }

    /// Looks at all groups; whether they are settled.
    fn look_at_all(&mut self) -> Result<bool, Problem> {
        let mut connection = Connection::open(&self.broker.address())?;
        let mut all = true;
        for group in &GROUPS {
            let seen = look(&mut connection, group.name)?;
            let live = self.record.live(group.name);
            all &= settled(&seen, live).is_ok();
            self.record.note(Fact::Seen(seen));
        }
        Ok(all)
    }

    fn ask_states(&mut self) -> Result<(), Problem> {
        let mut members = BTreeSet::new();
        for host in self.hosts.iter_mut().flatten() {
            host.tell("state")?;
            members.extend(host.members.iter().copied());
        }
        // Who does not answer is missing in the history, which the rule says.
        self.record.wait_for_states(&members, STATES_LIMIT);
        Ok(())
    }
}

fn outcome(history: &Path, settled_after: Duration, began: Instant) -> Result<Outcome, Problem> {
    let events = read_events(history)?;
    let count = |wanted: fn(&Fact) -> bool| {
        u64::try_from(events.iter().filter(|event| wanted(&event.fact)).count()).unwrap_or(u64::MAX)
    };
    Ok(Outcome {
        members: count(|fact| matches!(fact, Fact::Joins { .. })),
        killed: count(|fact| matches!(fact, Fact::Killed { .. })),
        paused: count(|fact| matches!(fact, Fact::Paused { .. })),
        broker_kills: count(|fact| matches!(fact, Fact::Broker(BrokerStep::Killed))),
        assignments: count(|fact| matches!(fact, Fact::Assigned(_))),
        renewed: count(|fact| matches!(fact, Fact::Renewed { .. })),
        commits: count(|fact| matches!(fact, Fact::Committed { .. })),
        refused: count(|fact| matches!(fact, Fact::Refused { .. })),
        forged: count(|fact| matches!(fact, Fact::Forged { .. })),
        settled_after,
        took: began.elapsed(),
        report: check_members(&events),
    })
}
