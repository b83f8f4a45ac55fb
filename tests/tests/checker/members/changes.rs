//! Changes that break the rules of members: 28 to 33.

#![allow(clippy::ptr_arg, reason = "all changes have one type, and some of them insert events")]

use ottla_tests::check::{Rule, SETTLES_WITHIN};
use ottla_tests::churn::{Event, Fact, Membership, Seen};
use ottla_tests::load::Random;

use super::Change;
use super::story::PARTITIONS;
use crate::edit::any;

pub(super) const CHANGES: &[(Rule, &str, Change)] = &[
    (Rule::OneOwner, "a member is told that it owns another's partition", owned_twice),
    (Rule::OneOwner, "an epoch is given out again", epoch_again),
    (Rule::OneOwner, "a group's epoch goes back in the log", epoch_back),
    (Rule::OneOwner, "the broker names two owners", named_twice),
    (Rule::Fenced, "a zombie's commit succeeds", zombie_commits),
    (Rule::Fenced, "a commit in a former owner's name succeeds", forged),
    (Rule::Fenced, "a member that was not told of its loss commits", not_told),
    (Rule::Forward, "two commits stand in the log in the wrong order", logged_backward),
    (Rule::Forward, "a committed offset is read lower than before", read_lower),
    (Rule::Forward, "a committed offset is gone", read_nothing),
    (Rule::Processed, "records are skipped", skipped),
    (Rule::Processed, "the first record of a run is skipped", first_skipped),
    (Rule::Processed, "a record is read at another's offset", misplaced),
    (Rule::Processed, "the last record is never processed", last_not_processed),
    (Rule::Settles, "a group goes on rebalancing", not_stable),
    (Rule::Settles, "a group does not catch up", behind),
    (Rule::Settles, "a group settles too late", late),
    (Rule::Described, "a member owns less than the broker says", owns_less),
    (Rule::Described, "a member is in another epoch than the broker says", other_epoch),
    (Rule::Described, "a member does not answer", silent),
    (Rule::Described, "the broker tells of a member that nobody is", stranger),
];

fn places(events: &[Event], wanted: impl Fn(&Fact) -> bool) -> Vec<usize> {
    events.iter().enumerate().filter(|(_, event)| wanted(&event.fact)).map(|(place, _)| place).collect()
}

fn calm(events: &[Event]) -> usize {
    places(events, |fact| *fact == Fact::Calm)[0]
}

/// Looks at groups while members come and go.
fn early_looks(events: &[Event]) -> Vec<usize> {
    let calm = calm(events);
    places(events, |fact| matches!(fact, Fact::Seen(_))).into_iter().filter(|place| *place < calm).collect()
}

/// All looks at a group that is left alone, of one group.
fn late_looks(events: &[Event], group: &str) -> Vec<usize> {
    let calm = calm(events);
    let of_group = |fact: &Fact| matches!(fact, Fact::Seen(seen) if seen.group == group);
    places(events, of_group).into_iter().filter(|place| *place > calm).collect()
}

fn seen(events: &mut [Event], place: usize) -> &mut Seen {
    match &mut events[place].fact {
        Fact::Seen(seen) => seen,
        fact => panic!("{fact:?} is no look"),
    }
}

fn assigned(events: &mut [Event], place: usize) -> &mut Membership {
    match &mut events[place].fact {
        Fact::Assigned(membership) | Fact::State(membership) => membership,
        fact => panic!("{fact:?} is no membership"),
    }
}

fn some_group(random: &mut Random) -> &'static str {
    random.pick(&["classic", "modern"]).unwrap()
}

/// Two members that were told in turn what they own in one epoch of one group, each something.
fn neighbours(events: &[Event], random: &mut Random) -> Option<(usize, usize)> {
    let owns = |fact: &Fact| matches!(fact, Fact::Assigned(membership) if !membership.partitions.is_empty());
    let pairs: Vec<(usize, usize)> = places(events, owns)
        .windows(2)
        .filter(|pair| match (&events[pair[0]].fact, &events[pair[1]].fact) {
            (Fact::Assigned(one), Fact::Assigned(other)) => {
                pair[1] == pair[0] + 1 && one.epoch == other.epoch
            }
            _ => false,
        })
        .map(|pair| (pair[0], pair[1]))
        .collect();
    any(random, pairs)
}

fn owned_twice(events: &mut Vec<Event>, random: &mut Random) -> bool {
    let Some((one, other)) = neighbours(events, random) else { return false };
    let stolen = assigned(events, one).partitions[0];
    assigned(events, other).partitions.push(stolen);
    true
}

/// A member gets a partition in the epoch in which another had it.
fn epoch_again(events: &mut Vec<Event>, random: &mut Random) -> bool {
    let mut owner: std::collections::HashMap<(bool, i32), (u32, i32)> = std::collections::HashMap::new();
    let mut modern: std::collections::HashMap<u32, bool> = std::collections::HashMap::new();
    let mut found = Vec::new();
    for (place, event) in events.iter().enumerate() {
        match &event.fact {
            Fact::Joins { member, group, .. } => drop(modern.insert(*member, group == "modern")),
            Fact::Assigned(Membership { member, epoch, partitions, .. }) => {
                let kind = modern[member];
                let mut taken = false;
                for partition in partitions {
                    let before = owner.insert((kind, *partition), (*member, *epoch));
                    taken |= before.is_some_and(|(other, last)| other != *member && last + 1 == *epoch);
                }
                found.extend(Some(place).filter(|_| taken));
            }
            _ => {}
        }
    }
    let Some(place) = any(random, found) else { return false };
    assigned(events, place).epoch -= 1;
    true
}

fn epoch_back(events: &mut Vec<Event>, random: &mut Random) -> bool {
    let later = |fact: &Fact| matches!(fact, Fact::Epoch { epoch, .. } if *epoch > 3);
    let Some(place) = any(random, places(events, later)) else { return false };
    let Fact::Epoch { epoch, .. } = &mut events[place].fact else { return false };
    *epoch = 1;
    true
}

fn named_twice(events: &mut Vec<Event>, random: &mut Random) -> bool {
    let Some(place) = any(random, early_looks(events)) else { return false };
    let members = &mut seen(events, place).members;
    let Some(owner) = members.iter().position(|member| !member.partitions.is_empty()) else { return false };
    let partition = members[owner].partitions[0];
    let other = (owner + 1) % members.len();
    members[other].partitions.push(partition);
    other != owner
}

pub(super) fn zombie_commits(events: &mut Vec<Event>, random: &mut Random) -> bool {
    // A zombie whose partition came back to itself at once is none.
    let refused = places(events, |fact| matches!(fact, Fact::Refused { .. }));
    let Some(place) = any(random, refused) else { return false };
    let Fact::Refused { member, .. } = events[place].fact else { return false };
    events[place].fact = Fact::Committed { member, epoch: 1 };
    true
}

fn forged(events: &mut Vec<Event>, random: &mut Random) -> bool {
    let forgeries = places(events, |fact| matches!(fact, Fact::Forged { .. }));
    let Some(place) = any(random, forgeries) else { return false };
    let Fact::Forged { error, .. } = &mut events[place].fact else { return false };
    *error = 0;
    true
}

/// Somebody's loss is told late: another has the partition already, and the first one has committed for it.
fn not_told(events: &mut Vec<Event>, random: &mut Random) -> bool {
    let mut found = Vec::new();
    for place in places(events, |fact| matches!(fact, Fact::Gone { .. })) {
        let Fact::Gone { member, partitions } = &events[place].fact else { continue };
        // The next to get one of these is another member, and the first one is not told anything in between.
        for (later, event) in events.iter().enumerate().skip(place + 1) {
            match &event.fact {
                Fact::Assigned(next) if next.member == *member => break,
                Fact::Assigned(next) => {
                    let stolen = partitions.iter().find(|partition| next.partitions.contains(partition));
                    if let Some(stolen) = stolen {
                        found.push((place, later, *member, *stolen));
                        break;
                    }
                }
                _ => {}
            }
        }
    }
    let Some((gone, later, member, partition)) = any(random, found) else { return false };
    let at = events[later].at;
    let commit = Fact::Committing { member, epoch: 1, offsets: vec![(partition, 0)] };
    events.insert(later + 1, Event { at: at + 1, fact: commit });
    events.insert(later + 2, Event { at: at + 1, fact: Fact::Committed { member, epoch: 1 } });
    events.insert(later + 3, Event { at: at + 1, fact: Fact::Gone { member, partitions: vec![partition] } });
    let Fact::Gone { partitions, .. } = &mut events[gone].fact else { return false };
    partitions.retain(|kept| *kept != partition);
    true
}

fn logged_backward(events: &mut Vec<Event>, random: &mut Random) -> bool {
    let logged = places(events, |fact| matches!(fact, Fact::Logged { .. }));
    let of = |place: usize| match &events[place].fact {
        Fact::Logged { group, partition, .. } => (group.clone(), *partition),
        fact => panic!("{fact:?} is no commit"),
    };
    let pairs = logged.iter().flat_map(|one| logged.iter().map(move |other| (*one, *other)));
    let pairs = pairs.filter(|(one, other)| one < other && of(*one) == of(*other)).collect();
    let Some((one, other)) = any(random, pairs) else { return false };
    let fact = events[one].fact.clone();
    events[one].fact = std::mem::replace(&mut events[other].fact, fact);
    true
}

fn read_lower(events: &mut Vec<Event>, random: &mut Random) -> bool {
    let Some(place) = any(random, early_looks(events)) else { return false };
    let committed = &mut seen(events, place).committed;
    let Some(entry) = committed.iter_mut().find(|(_, offset)| *offset > 0) else { return false };
    entry.1 -= 1;
    true
}

fn read_nothing(events: &mut Vec<Event>, random: &mut Random) -> bool {
    let Some(place) = any(random, early_looks(events)) else { return false };
    seen(events, place).committed.pop().is_some()
}

fn skipped(events: &mut Vec<Event>, random: &mut Random) -> bool {
    let Some(place) = any(random, places(events, |fact| matches!(fact, Fact::Processed { .. }))) else {
        return false;
    };
    events.remove(place);
    true
}

fn first_skipped(events: &mut Vec<Event>, random: &mut Random) -> bool {
    let Some(place) = any(random, places(events, |fact| matches!(fact, Fact::Processed { .. }))) else {
        return false;
    };
    let Fact::Processed { offset, number, count, .. } = &mut events[place].fact else { return false };
    (*offset, *number, *count) = (*offset + 1, *number + 1, *count - 1);
    true
}

fn misplaced(events: &mut Vec<Event>, random: &mut Random) -> bool {
    let Some(place) = any(random, places(events, |fact| matches!(fact, Fact::Processed { .. }))) else {
        return false;
    };
    let Fact::Processed { number, .. } = &mut events[place].fact else { return false };
    *number += 1;
    true
}

fn last_not_processed(events: &mut Vec<Event>, random: &mut Random) -> bool {
    let calm = calm(events);
    let partition = i32::try_from(random.below(5)).unwrap().min(PARTITIONS - 1);
    let of_partition = |fact: &Fact| matches!(fact, Fact::Sent { partition: of, .. } if *of == partition);
    let number = i64::try_from(places(events, of_partition).len()).unwrap();
    let at = events[calm].at;
    events.insert(calm, Event { at, fact: Fact::Sent { partition, number, offset: number } });
    true
}

fn not_stable(events: &mut Vec<Event>, random: &mut Random) -> bool {
    for place in late_looks(events, some_group(random)) {
        seen(events, place).state = "PreparingRebalance".to_owned();
    }
    true
}

fn behind(events: &mut Vec<Event>, random: &mut Random) -> bool {
    for place in late_looks(events, some_group(random)) {
        seen(events, place).ends[0].1 += 1;
    }
    true
}

fn late(events: &mut Vec<Event>, random: &mut Random) -> bool {
    let _ = random;
    let limit = u64::try_from(SETTLES_WITHIN.as_micros()).unwrap();
    let calm = calm(events);
    for event in events.iter_mut().skip(calm + 1) {
        event.at += limit;
    }
    true
}

fn states(events: &[Event]) -> Vec<usize> {
    places(events, |fact| matches!(fact, Fact::State(_)))
}

fn owns_less(events: &mut Vec<Event>, random: &mut Random) -> bool {
    let owns = |fact: &Fact| matches!(fact, Fact::State(membership) if !membership.partitions.is_empty());
    let Some(place) = any(random, places(events, owns)) else { return false };
    assigned(events, place).partitions.pop();
    true
}

fn other_epoch(events: &mut Vec<Event>, random: &mut Random) -> bool {
    let Some(place) = any(random, states(events)) else { return false };
    assigned(events, place).epoch -= 1;
    true
}

fn silent(events: &mut Vec<Event>, random: &mut Random) -> bool {
    let Some(place) = any(random, states(events)) else { return false };
    events.remove(place);
    true
}

fn stranger(events: &mut Vec<Event>, random: &mut Random) -> bool {
    let Some(last) = late_looks(events, some_group(random)).pop() else { return false };
    let members = &mut seen(events, last).members;
    let mut stranger = members[0].clone();
    (stranger.id, stranger.partitions) = ("nobody".to_owned(), Vec::new());
    members.push(stranger);
    true
}
