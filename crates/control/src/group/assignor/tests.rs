//! The assignors against Apache Kafka 4.3.1, and what must hold for any group.
//!
//! `kafka_vectors.txt` was written by a Java program that ran Kafka's `RangeAssignor` and `UniformAssignor` on groups
//! of a seeded generator: small ones that start from nothing or from an assignment at random, and go on from what
//! Kafka answered while members come and go, subscriptions change and topics get partitions. Kafka walks through hash
//! maps of members and topics; the program gave it maps in the order of their ids instead (for the topics of a
//! homogeneous group, which are copied into a `HashSet`, ids whose hashes are in that order). With these every
//! assignment is equal. With hash maps Kafka's differs in which of several equal members gets what, so that there only
//! what the property tests check is equal.
//!
//! A line is the assignor and the type of the subscriptions; then the topics with their partition counts; then for
//! each member its id, its instance id, the places of its topics in the list, what it had, and what it gets, where
//! `1:0.2` are partitions 0 and 2 of topic 1, and `-` is nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ottla_model::{PartitionIndex, TopicId};
use proptest::prelude::*;

use super::*;

const KAFKA_VECTORS: &str = include_str!("kafka_vectors.txt");

#[derive(Debug)]
struct Member {
    instance_id: Option<String>,
    topics: Arc<BTreeSet<TopicId>>,
    assignment: PartitionsByTopic,
}

#[derive(Debug)]
struct Group {
    members: BTreeMap<String, Member>,
    subscription_type: SubscriptionType,
}

impl Group {
    fn spec(&self) -> GroupSpec<'_> {
        let members = self.members.iter().map(|(id, member)| {
            let spec = MemberSpec {
                instance_id: member.instance_id.as_deref(),
                rack_id: None,
                subscribed_topic_ids: Arc::clone(&member.topics),
                assignment: &member.assignment,
            };
            (id.as_str(), spec)
        });
        GroupSpec { members: members.collect(), subscription_type: self.subscription_type }
    }
}

struct Vector {
    assignor: Assignor,
    topics: BTreeMap<TopicId, PartitionIndex>,
    group: Group,
    expected: GroupAssignment,
}

impl Vector {
    fn parse(line: &str) -> Self {
        let mut parts = line.split("; ");
        let (assignor, subscription_type) = parts.next().unwrap().split_once(' ').unwrap();
        let topics: Vec<(TopicId, PartitionIndex)> = parts
            .next()
            .unwrap()
            .split(' ')
            .map(|topic| {
                let (id, count) = topic.split_once(':').unwrap();
                (TopicId::parse(id).unwrap(), count.parse().unwrap())
            })
            .collect();
        let mut members = BTreeMap::new();
        let mut expected = GroupAssignment::new();
        for member in parts {
            let [id, instance_id, subscribed, had, gets]: [&str; 5] =
                member.split(' ').collect::<Vec<_>>().try_into().unwrap();
            let member = Member {
                instance_id: given(instance_id).map(str::to_owned),
                topics: Arc::new(numbers(subscribed).map(|place: usize| topics[place].0).collect()),
                assignment: partitions(had, &topics),
            };
            members.insert(id.to_owned(), member);
            expected.insert(id.to_owned(), partitions(gets, &topics));
        }
        let subscription_type = match subscription_type {
            "homogeneous" => SubscriptionType::Homogeneous,
            _ => SubscriptionType::Heterogeneous,
        };
        Self {
            assignor: Assignor::by_name(assignor).unwrap(),
            topics: topics.into_iter().collect(),
            group: Group { members, subscription_type },
            expected,
        }
    }
}

fn given(text: &str) -> Option<&str> {
    (text != "-").then_some(text)
}

fn numbers<T: std::str::FromStr>(text: &str) -> impl Iterator<Item = T> + '_
where
    T::Err: std::fmt::Debug,
{
    given(text).into_iter().flat_map(|text| text.split('.')).map(|number| number.parse().unwrap())
}

fn partitions(text: &str, topics: &[(TopicId, PartitionIndex)]) -> PartitionsByTopic {
    let each = given(text).into_iter().flat_map(|text| text.split('/'));
    each.map(|topic| {
        let (place, partitions) = topic.split_once(':').unwrap();
        (topics[place.parse::<usize>().unwrap()].0, numbers(partitions).collect())
    })
    .collect()
}

#[test]
fn every_assignment_is_that_of_kafka() {
    for line in KAFKA_VECTORS.lines() {
        let vector = Vector::parse(line);
        let assignment = vector.assignor.assign(&vector.group.spec(), &vector.topics);
        assert_eq!(assignment, Ok(vector.expected), "{line}");
    }
    assert!(KAFKA_VECTORS.lines().count() >= 200);
}

#[test]
fn a_topic_without_partitions_known_is_an_error() {
    let topic = TopicId([7; 16]);
    let member = |topics: BTreeSet<TopicId>| Member {
        instance_id: None,
        topics: Arc::new(topics),
        assignment: PartitionsByTopic::new(),
    };
    for subscription_type in [SubscriptionType::Homogeneous, SubscriptionType::Heterogeneous] {
        let members = BTreeMap::from([("a".to_owned(), member(BTreeSet::from([topic])))]);
        let group = Group { members, subscription_type };
        let empty = Group { members: BTreeMap::new(), subscription_type };
        let idle =
            Group { members: BTreeMap::from([("a".to_owned(), member(BTreeSet::new()))]), subscription_type };
        for assignor in Assignor::ALL {
            let assign = |group: &Group| assignor.assign(&group.spec(), &BTreeMap::new());
            assert_eq!(assign(&group), Err(PartitionAssignorError::UnknownTopic(topic)));
            assert_eq!(assign(&empty), Ok(GroupAssignment::new()));
            assert_eq!(assign(&idle), Ok(BTreeMap::from([("a".to_owned(), PartitionsByTopic::new())])));
        }
    }
}

#[test]
fn subscription_types_are_those_of_kafka() {
    let names = |names: &[&'static str]| names.iter().copied().collect::<BTreeSet<_>>();
    let (none, a, ab) = (names(&[]), names(&["a"]), names(&["a", "b"]));
    let of = |members: &[(&BTreeSet<&'static str>, Option<&'static str>)]| {
        SubscriptionType::of(members.iter().copied())
    };
    for homogeneous in [
        &[][..],
        &[(&ab, None)],
        &[(&ab, None), (&ab, Some(""))],
        &[(&none, Some("a.*"))],
        &[(&none, Some("a.*")), (&none, Some("a.*"))],
    ] {
        assert_eq!(of(homogeneous), SubscriptionType::Homogeneous, "{homogeneous:?}");
    }
    for heterogeneous in [
        &[(&a, None), (&ab, None)][..],
        &[(&a, Some("a.*"))],
        &[(&none, Some("a.*")), (&none, Some("b.*"))],
        &[(&none, Some("a.*")), (&none, None)],
        &[(&none, Some("a.*")), (&a, None)],
    ] {
        assert_eq!(of(heterogeneous), SubscriptionType::Heterogeneous, "{heterogeneous:?}");
    }
}

#[test]
fn names_are_those_of_kafka() {
    assert_eq!(Assignor::by_name("uniform"), Some(Assignor::Uniform));
    assert_eq!(Assignor::by_name("range"), Some(Assignor::Range));
    assert_eq!(Assignor::by_name("Range"), None);
}

/// Topics by number, with partition counts that are now and then too low for what members think that they have.
fn topic(number: u8) -> TopicId {
    TopicId([number; 16])
}

fn any_group() -> impl Strategy<Value = (Group, BTreeMap<TopicId, PartitionIndex>)> {
    let claims = prop::collection::btree_map(
        (0u8..6).prop_map(topic),
        prop::collection::btree_set(0..12 as PartitionIndex, 0..6),
        0..5,
    );
    let subscription = prop::collection::btree_set((0u8..5).prop_map(topic), 0..5);
    let members =
        prop::collection::btree_map("[a-e]{1,2}", (any::<bool>(), subscription.clone(), claims), 1..9);
    let counts = prop::collection::vec(1..10 as PartitionIndex, 5);
    (any::<bool>(), subscription, members, counts).prop_map(|(homogeneous, common, members, counts)| {
        let member = |(id, (is_static, own, assignment)): (String, (bool, _, _))| {
            let topics = Arc::new(if homogeneous { common.clone() } else { own });
            (id.clone(), Member { instance_id: is_static.then_some(id), topics, assignment })
        };
        let subscription_type =
            if homogeneous { SubscriptionType::Homogeneous } else { SubscriptionType::Heterogeneous };
        let group = Group { members: members.into_iter().map(member).collect(), subscription_type };
        (group, (0u8..).map(topic).zip(counts).collect())
    })
}

/// Every partition of a subscribed topic has one owner, who subscribes to it.
fn assert_complete(
    group: &Group,
    topics: &BTreeMap<TopicId, PartitionIndex>,
    assignment: &GroupAssignment,
) -> Result<(), TestCaseError> {
    prop_assert!(assignment.keys().eq(group.members.keys()));
    let mut owned = BTreeSet::new();
    for (member, partitions) in assignment {
        for (topic, partitions) in partitions {
            prop_assert!(group.members[member].topics.contains(topic), "{member} does not want {topic}");
            prop_assert!(!partitions.is_empty());
            for partition in partitions {
                prop_assert!(owned.insert((*topic, *partition)), "{topic}-{partition} has two owners");
            }
        }
    }
    let subscribed: BTreeSet<TopicId> =
        group.members.values().flat_map(|member| member.topics.iter().copied()).collect();
    let all: BTreeSet<(TopicId, PartitionIndex)> =
        subscribed.iter().flat_map(|topic| (0..topics[topic]).map(|partition| (*topic, partition))).collect();
    prop_assert_eq!(owned, all);
    Ok(())
}

fn load(partitions: &PartitionsByTopic) -> usize {
    partitions.values().map(BTreeSet::len).sum()
}

proptest! {
    #[test]
    fn every_partition_has_one_owner_who_wants_it((group, topics) in any_group()) {
        for assignor in Assignor::ALL {
            let assignment = assignor.assign(&group.spec(), &topics).unwrap();
            assert_complete(&group, &topics, &assignment)?;
        }
    }

    #[test]
    fn loads_differ_by_one_where_all_want_the_same((group, topics) in any_group()) {
        prop_assume!(group.subscription_type == SubscriptionType::Homogeneous);
        let uniform = Assignor::Uniform.assign(&group.spec(), &topics).unwrap();
        let loads: Vec<usize> = uniform.values().map(load).collect();
        prop_assert!(loads.iter().max().unwrap() - loads.iter().min().unwrap() <= 1, "{:?}", loads);
        let range = Assignor::Range.assign(&group.spec(), &topics).unwrap();
        for (topic, count) in &topics {
            let members = PartitionIndex::try_from(group.members.len()).unwrap();
            for owned in range.values().filter_map(|partitions| partitions.get(topic)) {
                let (first, last) = (*owned.first().unwrap(), *owned.last().unwrap());
                prop_assert!(owned.iter().copied().eq(first..=last), "no run: {:?}", owned);
                prop_assert!(last - first < (count + members - 1) / members);
            }
        }
    }

    #[test]
    fn who_has_what_it_shall_have_keeps_it((mut group, topics) in any_group()) {
        for assignor in Assignor::ALL {
            let first = assignor.assign(&group.spec(), &topics).unwrap();
            for (member_id, member) in &mut group.members {
                member.assignment = first[member_id].clone();
            }
            prop_assert_eq!(assignor.assign(&group.spec(), &topics).unwrap(), first);
        }
    }

    #[test]
    fn a_member_that_leaves_moves_only_its_own((mut group, topics) in any_group()) {
        prop_assume!(group.subscription_type == SubscriptionType::Homogeneous && group.members.len() > 1);
        let before = Assignor::Uniform.assign(&group.spec(), &topics).unwrap();
        group.members.pop_first();
        for (member_id, member) in &mut group.members {
            member.assignment = before[member_id].clone();
        }
        let after = Assignor::Uniform.assign(&group.spec(), &topics).unwrap();
        for (member_id, member) in &group.members {
            for (topic, partitions) in &member.assignment {
                prop_assert!(after[member_id].get(topic).is_some_and(|kept| kept.is_superset(partitions)));
            }
        }
    }
}
