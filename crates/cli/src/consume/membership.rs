//! A member of a classic group: joining, heartbeats, commits, leaving (`ConsumerCoordinator`).

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use bytes::{Buf, BufMut, Bytes, BytesMut};
use kafka_protocol::messages::consumer_protocol_assignment::TopicPartition;
use kafka_protocol::messages::join_group_request::JoinGroupRequestProtocol;
use kafka_protocol::messages::offset_commit_request::{
    OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use kafka_protocol::messages::offset_fetch_request::OffsetFetchRequestTopic;
use kafka_protocol::messages::sync_group_request::SyncGroupRequestAssignment;
use kafka_protocol::messages::{
    ConsumerProtocolAssignment, ConsumerProtocolSubscription, GroupId, HeartbeatRequest, JoinGroupRequest,
    JoinGroupResponse, LeaveGroupRequest, OffsetCommitRequest, OffsetFetchRequest, SyncGroupRequest,
};
use kafka_protocol::protocol::{Decodable, Encodable, StrBytes};
use ottla_model::ErrorCode;

use super::assign::{Member, range};
use super::start::look_up;
use crate::client::{Cluster, Connection, Place, Problem, text, topic_name};

/// How long the group does without a heartbeat of a member.
const SESSION_TIMEOUT_MS: i32 = 45_000;

/// How long the group waits for a member in a rebalance: as long as a reader may block it.
const REBALANCE_TIMEOUT_MS: i32 = 45_000;

/// Between two heartbeats.
const HEARTBEAT_INTERVAL: Duration = Duration::from_secs(3);

/// How long an answer of the coordinator may take. A rebalance waits for other members, and Kafka's consumers let it wait
/// for 5 minutes.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(330);

/// The version of the subscription and the assignment: the first, which everybody understands.
const PROTOCOL_VERSION: i16 = 0;

const PROTOCOL_TYPE: StrBytes = StrBytes::from_static_str("consumer");
const RANGE: StrBytes = StrBytes::from_static_str("range");

/// Whether a member still is one, in its generation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// It is.
    Good,
    /// The group shares its partitions anew: it has to join again.
    Rebalance,
    /// The group went on without it.
    Lost,
}

/// A member of a group.
pub(super) struct Membership {
    group: String,
    topics: Vec<String>,
    coordinator: Connection,
    member_id: StrBytes,
    generation: i32,
    last_heartbeat: Instant,
}

impl Membership {
    /// Finds the coordinator.
    pub(super) fn new(cluster: &mut Cluster, group: &str, topics: &[String]) -> Result<Self, Problem> {
        Ok(Self {
            group: group.to_owned(),
            topics: topics.to_vec(),
            coordinator: coordinator(cluster, group)?,
            member_id: StrBytes::default(),
            generation: -1,
            last_heartbeat: Instant::now(),
        })
    }

    /// Connects to the coordinator again, which may be another one now.
    pub(super) fn reconnect(&mut self, cluster: &mut Cluster) -> Result<(), Problem> {
        self.coordinator = coordinator(cluster, &self.group)?;
        Ok(())
    }

    /// Forgets who it was, after the group went on without it.
    pub(super) fn forget(&mut self) {
        self.member_id = StrBytes::default();
        self.generation = -1;
    }

    fn group_id(&self) -> GroupId {
        GroupId(text(&self.group))
    }

    /// Joins and gets its partitions; `None` when the rebalance began anew and it has to join again.
    pub(super) fn join(&mut self, cluster: &mut Cluster) -> Result<Option<Vec<Place>>, Problem> {
        let joined = self.send_join()?;
        match ErrorCode::from_code(joined.error_code) {
            Some(ErrorCode::None) => {}
            // From KIP-394 on the first answer is only an id.
            Some(ErrorCode::MemberIdRequired) => {
                self.member_id = joined.member_id;
                return Ok(None);
            }
            Some(ErrorCode::UnknownMemberId) => {
                self.forget();
                return Ok(None);
            }
            Some(ErrorCode::RebalanceInProgress) => return Ok(None),
            Some(ErrorCode::InconsistentGroupProtocol) => {
                return Err(Problem::Other(format!(
                    "group '{}' does not take the assignor 'range', which is the one that ottla speaks: its members \
                     agreed on another, or it is a group of another kind",
                    self.group
                )));
            }
            _ => return Err(self.refused("is not joined", joined.error_code)),
        }
        self.member_id = joined.member_id.clone();
        self.generation = joined.generation_id;
        let assignments =
            if joined.leader == joined.member_id { self.assignments(cluster, &joined)? } else { Vec::new() };
        let request = SyncGroupRequest::default()
            .with_group_id(self.group_id())
            .with_generation_id(self.generation)
            .with_member_id(self.member_id.clone())
            .with_assignments(assignments);
        let synced = self.coordinator.send(&request)?;
        self.last_heartbeat = Instant::now();
        match standing(synced.error_code) {
            Some(Standing::Good) => assigned(synced.assignment).map(Some),
            Some(Standing::Rebalance) => Ok(None),
            Some(Standing::Lost) => {
                self.forget();
                Ok(None)
            }
            None => Err(self.refused("gives no partitions", synced.error_code)),
        }
    }

    fn send_join(&mut self) -> Result<JoinGroupResponse, Problem> {
        let subscription = ConsumerProtocolSubscription::default()
            .with_topics(self.topics.iter().map(|topic| text(topic)).collect());
        let protocol =
            JoinGroupRequestProtocol::default().with_name(RANGE).with_metadata(encode(&subscription)?);
        let request = JoinGroupRequest::default()
            .with_group_id(self.group_id())
            .with_session_timeout_ms(SESSION_TIMEOUT_MS)
            .with_rebalance_timeout_ms(REBALANCE_TIMEOUT_MS)
            .with_member_id(self.member_id.clone())
            .with_protocol_type(PROTOCOL_TYPE)
            .with_protocols(vec![protocol]);
        self.coordinator.send(&request)
    }

    /// What the leader decides for all members.
    fn assignments(
        &self,
        cluster: &mut Cluster,
        joined: &JoinGroupResponse,
    ) -> Result<Vec<SyncGroupRequestAssignment>, Problem> {
        let mut members = Vec::new();
        for member in &joined.members {
            let subscription: ConsumerProtocolSubscription = decode(member.metadata.clone())?;
            members.push(Member {
                id: member.member_id.to_string(),
                instance_id: member.group_instance_id.as_ref().map(ToString::to_string),
                topics: subscription.topics.iter().map(ToString::to_string).collect(),
            });
        }
        let mut topics: Vec<String> = members.iter().flat_map(|member| member.topics.clone()).collect();
        topics.sort_unstable();
        topics.dedup();
        let mut partitions: BTreeMap<String, i32> = BTreeMap::new();
        for (topic, _) in look_up(cluster, &topics)?.into_keys() {
            let count = partitions.entry(topic).or_default();
            *count = count.saturating_add(1);
        }
        let assignment = |(id, places): (String, Vec<Place>)| {
            let mut topics: BTreeMap<String, Vec<i32>> = BTreeMap::new();
            places.into_iter().for_each(|(topic, index)| topics.entry(topic).or_default().push(index));
            let topic = |(name, partitions): (String, Vec<i32>)| {
                TopicPartition::default().with_topic(topic_name(&name)).with_partitions(partitions)
            };
            let assignment = ConsumerProtocolAssignment::default()
                .with_assigned_partitions(topics.into_iter().map(topic).collect());
            let assignment = encode(&assignment)?;
            Ok(SyncGroupRequestAssignment::default().with_member_id(text(&id)).with_assignment(assignment))
        };
        range(&members, &partitions).into_iter().map(assignment).collect()
    }

    /// Sends a heartbeat when it is time for one.
    pub(super) fn heartbeat(&mut self) -> Result<Standing, Problem> {
        if self.last_heartbeat.elapsed() < HEARTBEAT_INTERVAL {
            return Ok(Standing::Good);
        }
        let request = HeartbeatRequest::default()
            .with_group_id(self.group_id())
            .with_generation_id(self.generation)
            .with_member_id(self.member_id.clone());
        let code = self.coordinator.send(&request)?.error_code;
        self.last_heartbeat = Instant::now();
        standing(code).ok_or_else(|| self.refused("takes no heartbeat", code))
    }

    /// What the group has committed of these partitions; those of which it has nothing are left out.
    pub(super) fn committed(&mut self, places: &[Place]) -> Result<BTreeMap<Place, i64>, Problem> {
        let mut topics: BTreeMap<&str, Vec<i32>> = BTreeMap::new();
        places.iter().for_each(|(topic, index)| topics.entry(topic).or_default().push(*index));
        let topic = |(name, indexes)| {
            OffsetFetchRequestTopic::default().with_name(topic_name(name)).with_partition_indexes(indexes)
        };
        let request = OffsetFetchRequest::default()
            .with_group_id(self.group_id())
            .with_topics(Some(topics.into_iter().map(topic).collect()));
        let answer = self.coordinator.send(&request)?;
        let mut codes = vec![answer.error_code];
        let mut committed = BTreeMap::new();
        for topic in answer.topics {
            for partition in topic.partitions {
                codes.push(partition.error_code);
                if partition.committed_offset >= 0 {
                    let place = (topic.name.to_string(), partition.partition_index);
                    committed.insert(place, partition.committed_offset);
                }
            }
        }
        match codes.into_iter().find(|code| *code != 0) {
            Some(code) => Err(self.refused("does not tell its offsets", code)),
            None => Ok(committed),
        }
    }

    /// Commits offsets.
    pub(super) fn commit(&mut self, offsets: &BTreeMap<Place, i64>) -> Result<Standing, Problem> {
        let mut topics: BTreeMap<&str, Vec<OffsetCommitRequestPartition>> = BTreeMap::new();
        for ((topic, index), offset) in offsets {
            let partition = OffsetCommitRequestPartition::default()
                .with_partition_index(*index)
                .with_committed_offset(*offset)
                .with_committed_metadata(Some(StrBytes::default()));
            topics.entry(topic).or_default().push(partition);
        }
        let topic = |(name, partitions)| {
            OffsetCommitRequestTopic::default().with_name(topic_name(name)).with_partitions(partitions)
        };
        let request = OffsetCommitRequest::default()
            .with_group_id(self.group_id())
            .with_generation_id_or_member_epoch(self.generation)
            .with_member_id(self.member_id.clone())
            .with_topics(topics.into_iter().map(topic).collect());
        let answer = self.coordinator.send(&request)?;
        let mut codes = answer.topics.iter().flat_map(|topic| &topic.partitions).map(|one| one.error_code);
        let code = codes.find(|code| *code != 0).unwrap_or_default();
        standing(code).ok_or_else(|| self.refused("does not take offsets", code))
    }

    /// Leaves, so that the others get its partitions at once.
    pub(super) fn leave(&mut self) -> Result<(), Problem> {
        let request = LeaveGroupRequest::default()
            .with_group_id(self.group_id())
            .with_member_id(self.member_id.clone());
        self.coordinator.send(&request).map(|_| ())
    }

    fn refused(&self, what: &str, code: i16) -> Problem {
        Problem::refused(&format!("group '{}' {what}", self.group), code, None)
    }
}

fn coordinator(cluster: &mut Cluster, group: &str) -> Result<Connection, Problem> {
    let node = cluster.coordinator(group)?;
    cluster.open_another(node, ANSWER_TIMEOUT)
}

/// What an error says of a member; `None` for errors that say something else.
fn standing(code: i16) -> Option<Standing> {
    match ErrorCode::from_code(code)? {
        ErrorCode::None => Some(Standing::Good),
        ErrorCode::RebalanceInProgress => Some(Standing::Rebalance),
        ErrorCode::UnknownMemberId | ErrorCode::IllegalGeneration | ErrorCode::FencedInstanceId => {
            Some(Standing::Lost)
        }
        _ => None,
    }
}

fn assigned(assignment: Bytes) -> Result<Vec<Place>, Problem> {
    // A member that joined while the leader decided gets nothing this time.
    if assignment.is_empty() {
        return Ok(Vec::new());
    }
    let assignment: ConsumerProtocolAssignment = decode(assignment)?;
    let places = assignment.assigned_partitions.into_iter().flat_map(|topic| {
        let name = topic.topic.to_string();
        topic.partitions.into_iter().map(move |index| (name.clone(), index))
    });
    Ok(places.collect())
}

/// A message of the consumer protocol, with its version in front (`ConsumerProtocol`).
fn encode(message: &impl Encodable) -> Result<Bytes, Problem> {
    let mut bytes = BytesMut::new();
    bytes.put_i16(PROTOCOL_VERSION);
    let encoded = message.encode(&mut bytes, PROTOCOL_VERSION);
    encoded.map_err(|error| Problem::Other(format!("a message to the group cannot be written: {error}")))?;
    Ok(bytes.freeze())
}

/// Reads such a message. Of later versions the first fields are the same.
fn decode<T: Decodable>(mut bytes: Bytes) -> Result<T, Problem> {
    let wrong = || Problem::Other("a message of another member cannot be read".to_owned());
    bytes.try_get_i16().map_err(|_| wrong())?;
    T::decode(&mut bytes, PROTOCOL_VERSION).map_err(|_| wrong())
}
