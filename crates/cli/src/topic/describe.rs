//! `ottla topic describe`.

use std::collections::BTreeMap;
use std::error::Error;

use clap::Args;
use kafka_protocol::messages::metadata_response::{MetadataResponsePartition, MetadataResponseTopic};
use ottla_model::{ErrorCode, TopicId};
use serde::Serialize;

use crate::ask::{self, Bootstrap};
use crate::client::{
    Cluster, EARLIEST, LATEST, Leader, Place, Problem, code_text, concerns_leader, list_offsets,
};
use crate::config::{Resource, own_settings};
use crate::paint;
use crate::table::{Align, Table};

/// Shows topics.
#[derive(Debug, Args)]
pub(super) struct Describe {
    /// Their names [default: all but internal ones]
    #[arg(value_name = "TOPIC")]
    topics: Vec<String>,

    #[command(flatten)]
    bootstrap: Bootstrap,

    /// Print a JSON document
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Serialize)]
struct Described {
    topic: String,
    id: Option<String>,
    internal: bool,
    /// The settings that it has of its own.
    configs: BTreeMap<String, Option<String>>,
    partitions: Vec<Partition>,
}

#[derive(Debug, Serialize)]
struct Partition {
    partition: i32,
    leader: Option<i32>,
    leader_epoch: Option<i32>,
    replicas: Vec<i32>,
    in_sync_replicas: Vec<i32>,
    start_offset: Option<i64>,
    end_offset: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

impl Describe {
    pub(super) fn run(self) -> Result<(), Box<dyn Error>> {
        let mut cluster = Cluster::connect(&self.bootstrap)?;
        let named = (!self.topics.is_empty()).then_some(&self.topics[..]);
        let mut topics = cluster.metadata(named, false)?.topics;
        topics.retain(|topic| named.is_some() || !topic.is_internal);
        topics.sort_unstable_by(|one, other| one.name.cmp(&other.name));
        let described = topics.into_iter().map(|topic| describe(&mut cluster, topic));
        let described: Vec<Described> = described.collect::<Result<_, _>>()?;
        if self.json {
            return ask::print_json(&described);
        }
        let texts: Vec<String> = described.iter().map(to_text).collect();
        ask::print(&if texts.is_empty() { "there are no topics\n".to_owned() } else { texts.join("\n") })
    }
}

fn describe(cluster: &mut Cluster, topic: MetadataResponseTopic) -> Result<Described, Problem> {
    let name = topic.name.map(|name| name.to_string()).unwrap_or_default();
    match ErrorCode::from_code(topic.error_code) {
        Some(ErrorCode::None) => {}
        Some(ErrorCode::UnknownTopicOrPartition) => {
            return Err(Problem::Other(format!("there is no topic '{name}'; see ottla topic list")));
        }
        _ => return Err(Problem::refused(&format!("topic '{name}'"), topic.error_code, None)),
    }
    let mut partitions: Vec<Partition> = topic.partitions.into_iter().map(about).collect();
    partitions.sort_unstable_by_key(|partition| partition.partition);
    let leaders = partitions.iter().filter_map(|partition| {
        let leader = Leader { node: partition.leader?, epoch: partition.leader_epoch.unwrap_or(-1) };
        Some(((name.clone(), partition.partition), leader))
    });
    let leaders: Vec<(Place, Leader)> = leaders.collect();
    let starts = offsets(cluster, &leaders, EARLIEST)?;
    let ends = offsets(cluster, &leaders, LATEST)?;
    for partition in &mut partitions {
        let place = (name.clone(), partition.partition);
        partition.start_offset = starts.get(&place).copied();
        partition.end_offset = ends.get(&place).copied();
    }
    let id = TopicId(topic.topic_id.into_bytes());
    let id = (!id.is_zero()).then(|| id.to_string());
    let configs = own_settings(cluster, &Resource::topic(&name))?;
    Ok(Described { topic: name, id, internal: topic.is_internal, configs, partitions })
}

/// The offsets of those leaders that tell them; a partition that moves at this moment has none.
fn offsets(
    cluster: &mut Cluster,
    leaders: &[(Place, Leader)],
    timestamp: i64,
) -> Result<BTreeMap<Place, i64>, Problem> {
    let wanted = leaders.iter().map(|(place, leader)| (place.clone(), (*leader, timestamp))).collect();
    match list_offsets(cluster, &wanted, false) {
        Err(Problem::Refused(code, _)) if concerns_leader(code) => Ok(BTreeMap::new()),
        other => other,
    }
}

fn about(partition: MetadataResponsePartition) -> Partition {
    let ids = |nodes: Vec<kafka_protocol::messages::BrokerId>| nodes.into_iter().map(|node| node.0).collect();
    Partition {
        partition: partition.partition_index,
        leader: Some(partition.leader_id.0).filter(|&id| id >= 0),
        leader_epoch: Some(partition.leader_epoch).filter(|&epoch| epoch >= 0),
        replicas: ids(partition.replica_nodes),
        in_sync_replicas: ids(partition.isr_nodes),
        start_offset: None,
        end_offset: None,
        error: (partition.error_code != 0).then(|| code_text(partition.error_code)),
    }
}

fn to_text(topic: &Described) -> String {
    let id = topic.id.as_ref().map(|id| format!(", id {id}")).unwrap_or_default();
    let internal = if topic.internal { ", internal" } else { "" };
    let count = topic.partitions.len();
    let mut text = format!("{}: {count} partitions{id}{internal}\n", paint::title(&topic.topic));
    for (key, value) in &topic.configs {
        text.push_str(&format!("  {key}={}\n", value.as_deref().unwrap_or("(hidden)")));
    }
    let mut table = Table::new([
        ("PARTITION", Align::Right),
        ("LEADER", Align::Right),
        ("REPLICAS", Align::Left),
        ("IN SYNC", Align::Left),
        ("START", Align::Right),
        ("END", Align::Right),
        ("NOTE", Align::Left),
    ]);
    let number = |number: Option<i64>| number.map_or("-".to_owned(), |number| number.to_string());
    let list = |ids: &[i32]| ids.iter().map(i32::to_string).collect::<Vec<_>>().join(",");
    for partition in &topic.partitions {
        table.row([
            partition.partition.to_string(),
            number(partition.leader.map(i64::from)),
            list(&partition.replicas),
            list(&partition.in_sync_replicas),
            number(partition.start_offset),
            number(partition.end_offset),
            partition.error.clone().unwrap_or_default(),
        ]);
    }
    text + &table.to_text()
}
