//! The assignor `range` (`RangeAssignor`): each topic's partitions in order, in one run for each member.

use std::collections::BTreeMap;

use crate::client::Place;

/// A member, with the topics that it subscribes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Member {
    pub(super) id: String,
    /// Of a static member; by it such members keep their order.
    pub(super) instance_id: Option<String>,
    pub(super) topics: Vec<String>,
}

/// Which member gets which partitions, given how many partitions each topic has. Topics that are not known are left out.
pub(super) fn range(members: &[Member], partitions: &BTreeMap<String, i32>) -> BTreeMap<String, Vec<Place>> {
    let mut members: Vec<&Member> = members.iter().collect();
    // Static members first, by instance id; then the others, by member id (`AbstractPartitionAssignor.MemberInfo`).
    members
        .sort_by_key(|member| (member.instance_id.is_none(), member.instance_id.clone(), member.id.clone()));
    let mut assigned: BTreeMap<String, Vec<Place>> =
        members.iter().map(|member| (member.id.clone(), Vec::new())).collect();
    for (topic, &count) in partitions {
        let readers: Vec<&&Member> = members.iter().filter(|member| member.topics.contains(topic)).collect();
        let Ok(reader_count) = i32::try_from(readers.len()) else { continue };
        let (Some(each), Some(more)) = (count.checked_div(reader_count), count.checked_rem(reader_count))
        else {
            continue;
        };
        let mut next = 0;
        for (place, reader) in (0..).zip(readers) {
            let share = each + i32::from(place < more);
            let places = (next..next + share).map(|index| (topic.clone(), index));
            assigned.entry(reader.id.clone()).or_default().extend(places);
            next += share;
        }
    }
    assigned
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(id: &str, topics: &[&str]) -> Member {
        let topics = topics.iter().map(|&topic| topic.to_owned()).collect();
        Member { id: id.to_owned(), instance_id: None, topics }
    }

    fn text(assigned: &BTreeMap<String, Vec<Place>>) -> Vec<String> {
        let places = |places: &[Place]| {
            places.iter().map(|(topic, index)| format!(" {topic}{index}")).collect::<String>()
        };
        assigned.iter().map(|(id, assigned)| format!("{id}:{}", places(assigned))).collect()
    }

    #[test]
    fn each_topic_is_cut_into_runs() {
        let partitions = BTreeMap::from([("a".to_owned(), 5), ("b".to_owned(), 1), ("c".to_owned(), 2)]);
        let members = [member("y", &["a", "b"]), member("x", &["a", "c", "missing"])];
        assert_eq!(text(&range(&members, &partitions)), ["x: a0 a1 a2 c0 c1", "y: a3 a4 b0"]);
        let mut members = [member("x", &["a"]), member("y", &["a"])];
        members[1].instance_id = Some("static".to_owned());
        assert_eq!(text(&range(&members, &partitions)), ["x: a3 a4", "y: a0 a1 a2"]);
        assert!(range(&[], &partitions).is_empty());
    }
}
