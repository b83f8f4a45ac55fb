//! Which partitions are read, and from where to where.

use std::collections::BTreeMap;
use std::error::Error;
use std::time::Duration;

use ottla_model::ErrorCode;

use super::position::Position;
use crate::client::{Cluster, EARLIEST, LATEST, Leader, Place, Problem, list_offsets};
use crate::patience::Patience;
use crate::progress::Progress;

/// How long a topic may be without leaders, as one is that was created just now.
const LEADERS_PATIENCE: Duration = Duration::from_secs(5);

/// What is read.
pub(super) type Leaders = BTreeMap<Place, Leader>;

/// The leaders of all partitions of these topics.
pub(super) fn leaders(
    cluster: &mut Cluster,
    topics: &[String],
    progress: &Progress,
) -> Result<Leaders, Problem> {
    let mut patience = Patience::new(LEADERS_PATIENCE);
    loop {
        match look_up(cluster, topics) {
            Ok(leaders) => return Ok(leaders),
            Err(problem) => patience.wait(problem, progress)?,
        }
    }
}

/// The leaders as they are now.
pub(super) fn look_up(cluster: &mut Cluster, topics: &[String]) -> Result<Leaders, Problem> {
    let mut leaders = BTreeMap::new();
    for topic in cluster.metadata(Some(topics), false)?.topics {
        let name = topic.name.map(|name| name.to_string()).unwrap_or_default();
        match ErrorCode::from_code(topic.error_code) {
            Some(ErrorCode::None) => {}
            Some(ErrorCode::UnknownTopicOrPartition) => {
                return Err(Problem::Other(format!("there is no topic '{name}'; see ottla topic list")));
            }
            Some(ErrorCode::InvalidTopicException) => {
                return Err(Problem::Other(format!("'{name}' is no name that a topic can have")));
            }
            _ => return Err(Problem::refused(&format!("topic '{name}'"), topic.error_code, None)),
        }
        for partition in topic.partitions {
            let place = (name.clone(), partition.partition_index);
            if partition.leader_id.0 < 0 {
                let asked = format!("{}-{} cannot be read", place.0, place.1);
                return Err(Problem::refused(&asked, ErrorCode::LeaderNotAvailable.code(), None));
            }
            let leader = Leader { node: partition.leader_id.0, epoch: partition.leader_epoch };
            leaders.insert(place, leader);
        }
    }
    Ok(leaders)
}

/// Keeps the partitions with these numbers, or all when none is named.
pub(super) fn choose(leaders: &mut Leaders, numbers: &[i32]) -> Result<(), Box<dyn Error>> {
    for number in numbers {
        if !leaders.keys().any(|(_, index)| index == number) {
            return Err(format!("there is no partition {number}; they are counted from 0").into());
        }
    }
    leaders.retain(|(_, index), _| numbers.is_empty() || numbers.contains(index));
    Ok(())
}

/// The first offsets to read.
pub(super) fn begins(
    cluster: &mut Cluster,
    leaders: &Leaders,
    position: Position,
    read_committed: bool,
) -> Result<BTreeMap<Place, i64>, Box<dyn Error>> {
    let mut at = |timestamp| offsets(cluster, leaders, timestamp, read_committed);
    let begins = match position {
        Position::Beginning | Position::Stored => at(EARLIEST)?,
        Position::End | Position::Until(_) => at(LATEST)?,
        Position::Last(count) => {
            let (starts, mut ends) = (at(EARLIEST)?, at(LATEST)?);
            for (place, end) in &mut ends {
                let start = starts.get(place).copied().unwrap_or_default();
                *end = end.saturating_sub(count).max(start);
            }
            ends
        }
        Position::Since(moment) => {
            let (found, ends) = (at(moment)?, at(LATEST)?);
            // Where nothing is as late as that, what comes next is.
            let begin = |(place, end)| {
                let begin = found.get(&place).copied().filter(|&offset| offset >= 0).unwrap_or(end);
                (place, begin)
            };
            ends.into_iter().map(begin).collect()
        }
        Position::Offset(offset) => {
            let (starts, ends) = (at(EARLIEST)?, at(LATEST)?);
            for (place, end) in &ends {
                let start = starts.get(place).copied().unwrap_or_default();
                if !(start..=*end).contains(&offset) {
                    let (topic, index) = place;
                    return Err(format!(
                        "{topic}-{index} has no offset {offset}: it begins at {start} and ends at {end}"
                    )
                    .into());
                }
            }
            ends.into_keys().map(|place| (place, offset)).collect()
        }
    };
    Ok(begins)
}

/// The offsets not to read any more, if there are any: of the first record from `until` on, or of the end as it is now.
pub(super) fn ends(
    cluster: &mut Cluster,
    leaders: &Leaders,
    until: Option<i64>,
    exit: bool,
    read_committed: bool,
) -> Result<BTreeMap<Place, i64>, Problem> {
    if until.is_none() && !exit {
        return Ok(BTreeMap::new());
    }
    let mut ends = offsets(cluster, leaders, LATEST, read_committed)?;
    if let Some(until) = until {
        for (place, found) in offsets(cluster, leaders, until, read_committed)? {
            if let Some(end) = ends.get_mut(&place).filter(|end| (0..**end).contains(&found)) {
                *end = found;
            }
        }
    }
    Ok(ends)
}

fn offsets(
    cluster: &mut Cluster,
    leaders: &Leaders,
    timestamp: i64,
    read_committed: bool,
) -> Result<BTreeMap<Place, i64>, Problem> {
    let wanted = leaders.iter().map(|(place, leader)| (place.clone(), (*leader, timestamp))).collect();
    list_offsets(cluster, &wanted, read_committed)
}
