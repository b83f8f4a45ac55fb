//! What members of two groups see of a broker that keeps every rule.

use std::collections::BTreeMap;

use ottla_tests::churn::{CONSUMER_PROTOCOL, Event, Fact, Membership, Seen, SeenMember};
use ottla_tests::load::Random;

pub(super) const PARTITIONS: i32 = 5;
const ROUNDS: i32 = 8;
const ILLEGAL_GENERATION: i16 = 22;

/// Whether a paused member's commit was refused here.
pub(super) fn is_refusal(event: &Event) -> bool {
    matches!(event.fact, Fact::Refused { .. })
}

pub(super) fn tell(seed: u64) -> Vec<Event> {
    let mut teller = Teller {
        random: Random::new(seed),
        now: 1_000_000,
        events: Vec::new(),
        sent: BTreeMap::new(),
        logged: Vec::new(),
        next_member: 1,
    };
    let mut groups = [Group::new("classic", "eager"), Group::new("modern", CONSUMER_PROTOCOL)];
    for group in &mut groups {
        for _ in 0..3 {
            teller.join(group);
        }
    }
    for _ in 0..ROUNDS {
        teller.send();
        for group in &mut groups {
            teller.round(group);
        }
    }
    teller.say(Fact::Calm);
    for group in &mut groups {
        teller.rebalance(group);
        teller.work(group);
        teller.look(group);
        teller.states(group);
        teller.look(group);
    }
    for fact in std::mem::take(&mut teller.logged) {
        teller.say(fact);
    }
    teller.events
}

struct Group {
    name: &'static str,
    protocol: &'static str,
    epoch: i32,
    members: Vec<u32>,
    owners: BTreeMap<i32, u32>,
    committed: BTreeMap<i32, i64>,
}

impl Group {
    fn new(name: &'static str, protocol: &'static str) -> Self {
        let (owners, committed) = (BTreeMap::new(), BTreeMap::new());
        Self { name, protocol, epoch: 1, members: Vec::new(), owners, committed }
    }

    fn owned(&self, member: u32) -> Vec<i32> {
        self.owners.iter().filter(|(_, owner)| **owner == member).map(|(partition, _)| *partition).collect()
    }

    fn is_modern(&self) -> bool {
        self.protocol == CONSUMER_PROTOCOL
    }
}

fn id(member: u32) -> String {
    format!("id-{member}")
}

struct Teller {
    random: Random,
    now: u64,
    events: Vec<Event>,
    sent: BTreeMap<i32, i64>,
    logged: Vec<Fact>,
    next_member: u32,
}

impl Teller {
    fn say(&mut self, fact: Fact) {
        self.now += 1 + self.random.below(1_000);
        self.events.push(Event { at: self.now, fact });
    }

    fn join(&mut self, group: &mut Group) {
        let member = self.next_member;
        self.next_member += 1;
        let (name, protocol) = (group.name.to_owned(), group.protocol.to_owned());
        self.say(Fact::Joins { member, group: name, protocol, client: "told".to_owned() });
        group.members.push(member);
    }

    fn send(&mut self) {
        for partition in 0..PARTITIONS {
            for _ in 0..=self.random.below(3) {
                let number = self.sent.get(&partition).copied().unwrap_or_default();
                self.say(Fact::Sent { partition, number, offset: number });
                self.sent.insert(partition, number + 1);
            }
        }
    }

    /// Members come and go, and then the rest share the partitions anew.
    fn round(&mut self, group: &mut Group) {
        match self.random.below(4) {
            0 => self.join(group),
            1 if group.members.len() > 2 => {
                let member = group.members.remove(self.random.index(group.members.len()));
                self.say(Fact::Leaves { member });
                self.say(Fact::Left { member });
            }
            2 if group.members.len() > 2 => {
                let member = group.members.remove(self.random.index(group.members.len()));
                self.say(Fact::Killed { member });
            }
            _ => return self.pause(group),
        }
        self.rebalance(group);
        self.work(group);
        self.look(group);
    }

    /// A member sleeps through a rebalance and wakes up as a zombie.
    fn pause(&mut self, group: &mut Group) {
        let place = self.random.index(group.members.len());
        let zombie = group.members.remove(place);
        let (epoch, owned) = (group.epoch, group.owned(zombie));
        self.say(Fact::Paused { member: zombie });
        self.rebalance(group);
        self.work(group);
        self.look(group);
        self.say(Fact::Resumed { member: zombie });
        if let Some(partition) = owned.first().copied() {
            let offset = group.committed.get(&partition).copied().unwrap_or_default().min(1);
            self.say(Fact::Committing { member: zombie, epoch, offsets: vec![(partition, offset)] });
            self.say(Fact::Refused { member: zombie, error: "UNKNOWN_MEMBER_ID".to_owned() });
            self.say(Fact::Forged {
                group: group.name.to_owned(),
                id: id(zombie),
                epoch,
                partition,
                error: ILLEGAL_GENERATION,
            });
        }
        self.say(Fact::Gone { member: zombie, partitions: owned });
        group.members.push(zombie);
        self.rebalance(group);
    }

    fn rebalance(&mut self, group: &mut Group) {
        let before = std::mem::take(&mut group.owners);
        group.epoch += 1;
        let (name, modern, epoch) = (group.name.to_owned(), group.is_modern(), group.epoch);
        self.say(Fact::Epoch { group: name, modern, epoch });
        for partition in 0..PARTITIONS {
            let owner = group.members[self.random.index(group.members.len())];
            group.owners.insert(partition, owner);
        }
        for member in group.members.clone() {
            let had = |partition: &&i32| before.get(*partition) == Some(&member);
            let keeps = |partition: &i32| group.is_modern() && group.owners.get(partition) == Some(&member);
            let gone: Vec<i32> =
                before.keys().filter(had).copied().filter(|partition| !keeps(partition)).collect();
            if !gone.is_empty() {
                self.say(Fact::Gone { member, partitions: gone });
            }
        }
        for member in group.members.clone() {
            let (epoch, partitions) = (group.epoch, group.owned(member));
            self.say(Fact::Assigned(Membership { member, id: id(member), epoch, partitions }));
        }
    }

    /// Every owner processes what is there and commits it.
    fn work(&mut self, group: &mut Group) {
        for (partition, member) in group.owners.clone() {
            let offset = group.committed.get(&partition).copied().unwrap_or_default();
            let end = self.sent.get(&partition).copied().unwrap_or_default();
            if end == offset {
                continue;
            }
            let (epoch, count) = (group.epoch, end - offset);
            self.say(Fact::Processed { member, epoch, partition, offset, number: offset, count });
            self.say(Fact::Committing { member, epoch, offsets: vec![(partition, end)] });
            self.say(Fact::Committed { member, epoch });
            group.committed.insert(partition, end);
            let (group, metadata) = (group.name.to_owned(), format!("member {member}"));
            self.logged.push(Fact::Logged { group, partition, offset: end, metadata });
        }
    }

    fn look(&mut self, group: &Group) {
        let seen = |member: &u32| SeenMember {
            id: id(*member),
            epoch: Some(group.epoch).filter(|_| group.is_modern()),
            partitions: group.owned(*member),
        };
        self.now += 1;
        let seen = Seen {
            group: group.name.to_owned(),
            asked: self.now,
            modern: group.is_modern(),
            state: "Stable".to_owned(),
            members: group.members.iter().map(seen).collect(),
            committed: group.committed.clone().into_iter().collect(),
            ends: self.sent.clone().into_iter().collect(),
        };
        self.say(Fact::Seen(seen));
    }

    fn states(&mut self, group: &Group) {
        for member in group.members.clone() {
            let (epoch, partitions) = (group.epoch, group.owned(member));
            self.say(Fact::State(Membership { member, id: id(member), epoch, partitions }));
        }
    }
}
