//! Where partitions begin and end, and where a time is in them.

use std::collections::BTreeMap;

use kafka_protocol::messages::ListOffsetsRequest;
use kafka_protocol::messages::list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};

use super::problem::Problem;
use super::{Cluster, Leader, topic_name};

/// A topic and a partition of it.
pub(crate) type Place = (String, i32);

/// What stands for the end of a log in the place of a time.
pub(crate) const LATEST: i64 = -1;

/// What stands for the beginning of a log in the place of a time.
pub(crate) const EARLIEST: i64 = -2;

/// The offset of the first record at or after each time; -1 where there is none. Each leader is asked once.
pub(crate) fn list_offsets(
    cluster: &mut Cluster,
    wanted: &BTreeMap<Place, (Leader, i64)>,
    read_committed: bool,
) -> Result<BTreeMap<Place, i64>, Problem> {
    let mut by_node: BTreeMap<i32, BTreeMap<&str, Vec<ListOffsetsPartition>>> = BTreeMap::new();
    for ((topic, partition), (leader, timestamp)) in wanted {
        let asked = ListOffsetsPartition::default()
            .with_partition_index(*partition)
            .with_current_leader_epoch(leader.epoch)
            .with_timestamp(*timestamp);
        by_node.entry(leader.node).or_default().entry(topic).or_default().push(asked);
    }
    let mut found = BTreeMap::new();
    for (node, topics) in by_node {
        let topic = |(name, partitions)| {
            ListOffsetsTopic::default().with_name(topic_name(name)).with_partitions(partitions)
        };
        let connection = cluster.node(node)?;
        let serves_isolation = connection.serves(kafka_protocol::messages::ApiKey::ListOffsets, 2);
        let request = ListOffsetsRequest::default()
            .with_replica_id((-1).into())
            .with_isolation_level(i8::from(read_committed && serves_isolation))
            .with_topics(topics.into_iter().map(topic).collect());
        let answer = connection.send(&request)?;
        for topic in answer.topics {
            for partition in topic.partitions {
                let place = (topic.name.to_string(), partition.partition_index);
                if partition.error_code != 0 {
                    let asked = format!("the offsets of {}-{} cannot be told", place.0, place.1);
                    return Err(Problem::refused(&asked, partition.error_code, None));
                }
                found.insert(place, partition.offset);
            }
        }
    }
    Ok(found)
}
