//! What is done to the members and the broker, in which order: it follows from a seed alone.

use std::collections::BTreeMap;
use std::time::Duration;

use super::cast::{BROKER_DOWN_MS_MAX, GROUPS, Group, HOSTS, MEMBERS_AT_FIRST, PAUSE};
use crate::load::Random;

/// Time between two deeds, in milliseconds.
const REST_MS: std::ops::Range<u64> = 100..700;
/// A killed process comes back after so many milliseconds.
const GONE_MS: std::ops::Range<u64> = 200..3_000;
/// How many members of a group a process has at most.
const MEMBERS_MAX: usize = 6;
/// How many processes are paused or dead at a time at most: most members are there to take over.
const AWAY_MAX: usize = 2;
/// So much lies between two kills of the broker at least.
const BROKER_REST: Duration = Duration::from_secs(12);

/// A member that is to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Newcomer {
    /// Its number.
    pub member: u32,
    /// Its group.
    pub group: &'static Group,
    /// How it is a member.
    pub protocol: &'static str,
}

/// One deed. A host is a process with members, by its place in [`HOSTS`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deed {
    /// Makes a member.
    Join(usize, Newcomer),
    /// Has a member leave.
    Leave(usize, u32),
    /// Kills a host.
    Kill(usize),
    /// Starts a host with these members.
    Start(usize, Vec<Newcomer>),
    /// Stops a host's time.
    Pause(usize),
    /// Lets it go on.
    Resume(usize),
    /// Kills the broker and starts it again after this time.
    KillBroker(Duration),
}

/// A deed and the time that passes before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// How long after the step before.
    pub after: Duration,
    /// What.
    pub deed: Deed,
}

/// Plans this much time of churn. At the end every host runs, and the group that moves has moved.
#[must_use]
pub fn plan(seed: u64, lasting: Duration) -> Vec<Step> {
    let mut planner = Planner {
        random: Random::new(seed),
        back: seed % 2 == 1,
        lasting,
        now: Duration::ZERO,
        told: Duration::ZERO,
        next_member: 1,
        hosts: HOSTS.iter().map(|_| Host::default()).collect(),
        broker_rests_until: BROKER_REST / 2,
        steps: Vec::new(),
    };
    for host in 0..HOSTS.len() {
        planner.start(host);
    }
    while planner.now < lasting {
        planner.wait();
        planner.come_back(false);
        planner.act();
    }
    planner.come_back(true);
    planner.finish_move();
    planner.steps
}

/// The groups that a host has members of.
fn groups_of(host: usize) -> Vec<&'static Group> {
    let client = HOSTS.get(host).copied();
    GROUPS.iter().filter(|group| group.without.is_none() || group.without != client).collect()
}

#[derive(Default)]
struct Host {
    members: BTreeMap<u32, Newcomer>,
    /// When a host that is away comes back.
    away: Option<(Duration, Away)>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Away {
    Paused,
    Dead,
}

struct Planner {
    random: Random,
    /// Whether the group that moves moves back in the end.
    back: bool,
    lasting: Duration,
    now: Duration,
    /// The time of the last step.
    told: Duration,
    next_member: u32,
    hosts: Vec<Host>,
    broker_rests_until: Duration,
    steps: Vec<Step>,
}

impl Planner {
    fn step(&mut self, deed: Deed) {
        let after = self.now.saturating_sub(self.told);
        self.told = self.now;
        self.steps.push(Step { after, deed });
    }

    fn wait(&mut self) {
        let rest = self.between(REST_MS);
        self.now += rest;
    }

    fn between(&mut self, range: std::ops::Range<u64>) -> Duration {
        let width = range.end.saturating_sub(range.start);
        Duration::from_millis(range.start.saturating_add(self.random.below(width)))
    }

    /// How newcomers of a group are members now.
    fn protocol(&self, group: &Group) -> &'static str {
        let third = self.lasting / 3;
        let moved = self.now >= third && !(self.back && self.now >= third * 2);
        if moved { group.later } else { group.first }
    }

    fn newcomer(&mut self, group: &'static Group) -> Newcomer {
        let member = self.next_member;
        self.next_member = member.saturating_add(1);
        Newcomer { member, group, protocol: self.protocol(group) }
    }

    fn start(&mut self, host: usize) {
        let groups =
            groups_of(host).into_iter().flat_map(|group| std::iter::repeat_n(group, MEMBERS_AT_FIRST));
        let newcomers: Vec<Newcomer> = groups.map(|group| self.newcomer(group)).collect();
        if let Some(host) = self.hosts.get_mut(host) {
            host.members = newcomers.iter().map(|newcomer| (newcomer.member, *newcomer)).collect();
            host.away = None;
        }
        self.step(Deed::Start(host, newcomers));
    }

    /// Brings back the hosts whose time has come, or all.
    fn come_back(&mut self, all: bool) {
        for host in 0..self.hosts.len() {
            let Some((until, how)) = self.hosts.get(host).and_then(|host| host.away) else { continue };
            if !all && until > self.now {
                continue;
            }
            // A pause is never cut short, since it is to outlast the session.
            self.now = self.now.max(until);
            match how {
                Away::Dead => self.start(host),
                Away::Paused => {
                    self.step(Deed::Resume(host));
                    if let Some(host) = self.hosts.get_mut(host) {
                        host.away = None;
                    }
                }
            }
        }
    }

    fn act(&mut self) {
        let here: Vec<usize> = (0..self.hosts.len())
            .filter(|host| self.hosts.get(*host).is_some_and(|host| host.away.is_none()))
            .collect();
        let Some(host) = self.random.pick(&here).copied() else { return };
        let may_go = self.hosts.len() - here.len() < AWAY_MAX;
        match self.random.below(20) {
            0 if may_go => {
                let until = self.now + self.between(GONE_MS);
                self.away(host, until, Away::Dead);
                self.step(Deed::Kill(host));
            }
            1 if may_go => {
                self.away(host, self.now + PAUSE, Away::Paused);
                self.step(Deed::Pause(host));
            }
            2 | 3 if self.now > self.broker_rests_until => {
                self.broker_rests_until = self.now + BROKER_REST;
                let down = self.between(0..BROKER_DOWN_MS_MAX);
                self.step(Deed::KillBroker(down));
            }
            4..=8 => {
                self.move_one(host);
            }
            9..=13 => self.leave_any(host),
            _ => self.join_any(host),
        }
    }

    fn away(&mut self, host: usize, until: Duration, how: Away) {
        if let Some(host) = self.hosts.get_mut(host) {
            host.away = Some((until, how));
        }
    }

    fn join_any(&mut self, host: usize) {
        let Some(group) = self.random.pick(&groups_of(host)).copied() else { return };
        let members = self.hosts.get(host).map(|host| &host.members);
        let count =
            members.into_iter().flat_map(BTreeMap::values).filter(|member| member.group == group).count();
        if count < MEMBERS_MAX {
            self.join(host, group);
        }
    }

    fn join(&mut self, host: usize, group: &'static Group) {
        let newcomer = self.newcomer(group);
        if let Some(host) = self.hosts.get_mut(host) {
            host.members.insert(newcomer.member, newcomer);
        }
        self.step(Deed::Join(host, newcomer));
    }

    fn leave_any(&mut self, host: usize) {
        let members: Vec<u32> =
            self.hosts.get(host).map(|host| host.members.keys().copied().collect()).unwrap_or_default();
        if let Some(member) = self.random.pick(&members).copied() {
            self.leave(host, member);
        }
    }

    fn leave(&mut self, host: usize, member: u32) {
        if let Some(host) = self.hosts.get_mut(host) {
            host.members.remove(&member);
        }
        self.step(Deed::Leave(host, member));
    }

    /// A member that is not what newcomers of its group are now leaves, and one of these joins.
    fn move_one(&mut self, host: usize) -> bool {
        let members = self.hosts.get(host).map(|host| &host.members);
        let mut members = members.into_iter().flat_map(BTreeMap::values);
        let Some(old) = members.find(|member| member.protocol != self.protocol(member.group)).copied() else {
            return false;
        };
        self.leave(host, old.member);
        self.join(host, old.group);
        true
    }

    fn finish_move(&mut self) {
        for host in 0..self.hosts.len() {
            while self.move_one(host) {
                self.wait();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LASTING: Duration = Duration::from_secs(60);

    #[test]
    fn a_seed_gives_one_plan_and_the_plan_has_everything() {
        for seed in 0..20 {
            let steps = plan(seed, LASTING);
            assert_eq!(steps, plan(seed, LASTING));
            let some = |wanted: fn(&Deed) -> bool| steps.iter().filter(|step| wanted(&step.deed)).count();
            assert!(some(|deed| matches!(deed, Deed::Join(..))) > 10, "seed {seed}");
            assert!(some(|deed| matches!(deed, Deed::Leave(..))) > 10, "seed {seed}");
            assert!(some(|deed| matches!(deed, Deed::KillBroker(..))) > 0, "seed {seed}");
            assert!(some(|deed| matches!(deed, Deed::Kill(..) | Deed::Pause(..))) > 0, "seed {seed}");
            let starts = some(|deed| matches!(deed, Deed::Start(..)));
            assert_eq!(starts, HOSTS.len() + some(|deed| matches!(deed, Deed::Kill(..))), "seed {seed}");
            assert_eq!(
                some(|deed| matches!(deed, Deed::Pause(..))),
                some(|deed| matches!(deed, Deed::Resume(..))),
                "seed {seed}"
            );
        }
    }

    #[test]
    fn in_the_end_the_members_of_a_group_are_of_one_protocol() {
        for seed in 0..20 {
            let mut members: BTreeMap<u32, Newcomer> = BTreeMap::new();
            let mut hosts: BTreeMap<usize, Vec<u32>> = BTreeMap::new();
            for step in plan(seed, LASTING) {
                match step.deed {
                    Deed::Join(host, newcomer) => {
                        members.insert(newcomer.member, newcomer);
                        hosts.entry(host).or_default().push(newcomer.member);
                    }
                    Deed::Leave(_, member) => drop(members.remove(&member)),
                    Deed::Kill(host) => {
                        for member in hosts.remove(&host).unwrap() {
                            members.remove(&member);
                        }
                    }
                    Deed::Start(host, newcomers) => {
                        hosts.insert(host, newcomers.iter().map(|newcomer| newcomer.member).collect());
                        members.extend(newcomers.into_iter().map(|newcomer| (newcomer.member, newcomer)));
                    }
                    Deed::Pause(_) | Deed::Resume(_) | Deed::KillBroker(_) => {}
                }
            }
            for group in &GROUPS {
                let wanted = if seed % 2 == 1 { group.first } else { group.later };
                let of_group = members.values().filter(|member| member.group == group);
                assert!(of_group.clone().count() > 0, "seed {seed}");
                assert!(of_group.clone().all(|member| member.protocol == wanted), "seed {seed}");
            }
        }
    }
}
