//! A member of a consumer group (KIP-848): it owns what it is given, and says so at once.

use std::time::Duration;

use kafka_protocol::messages::consumer_group_heartbeat_request::TopicPartitions;
use kafka_protocol::messages::{ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatResponse, GroupId};
use kafka_protocol::protocol::StrBytes;
use uuid::Uuid;

use super::{Member, REBALANCE_TIMEOUT_MS};
use crate::measure::connection::Connection;
use crate::measure::topics::{check, topic_name};
use crate::problem::Problem;

const HEARTBEAT_VERSION: i16 = 1;

/// Tells that a member leaves.
const LEAVING_EPOCH: i32 = -1;

const UNKNOWN_MEMBER_ID: i16 = 25;
const FENCED_MEMBER_EPOCH: i16 = 110;

/// A member and what it knows of its group.
struct Consumer<'a> {
    member: &'a Member,
    member_id: StrBytes,
    epoch: i32,
    owned: Vec<TopicPartitions>,
    /// What it owns has changed since it told so.
    untold: bool,
}

pub(super) fn live(member: &Member, connection: &mut Connection) -> Result<(), Problem> {
    let member_id = StrBytes::from_string(Uuid::from_u128(0x0771a << 64 | member.place as u128).to_string());
    let mut consumer = Consumer { member, member_id, epoch: 0, owned: Vec::new(), untold: true };
    while !member.gate.is_closed() {
        let response = connection.call(HEARTBEAT_VERSION, &consumer.request())?;
        let interval = u64::try_from(response.heartbeat_interval_ms).unwrap_or_default();
        match response.error_code {
            0 => consumer.take(response),
            FENCED_MEMBER_EPOCH | UNKNOWN_MEMBER_ID => {
                (consumer.epoch, consumer.untold) = (0, true);
                consumer.owned.clear();
            }
            error_code if member.is_not_ready(error_code) => {}
            error_code => check([error_code], 1, "ConsumerGroupHeartbeat")?,
        }
        if !consumer.untold {
            member.gate.pause(Duration::from_millis(interval));
        }
    }
    if !member.board.knows(member.place) {
        return Ok(());
    }
    let request = consumer.request().with_member_epoch(LEAVING_EPOCH);
    let response = connection.call(HEARTBEAT_VERSION, &request)?;
    check([response.error_code], 1, "ConsumerGroupHeartbeat")
}

impl Consumer<'_> {
    fn request(&self) -> ConsumerGroupHeartbeatRequest {
        let shape = &self.member.shape;
        let request = ConsumerGroupHeartbeatRequest::default()
            .with_group_id(GroupId(StrBytes::from_string(shape.group.clone())))
            .with_member_id(self.member_id.clone())
            .with_member_epoch(self.epoch)
            .with_rebalance_timeout_ms(-1)
            .with_topic_partitions(self.untold.then(|| self.owned.clone()));
        if self.epoch > 0 {
            return request;
        }
        request
            .with_rebalance_timeout_ms(REBALANCE_TIMEOUT_MS)
            .with_subscribed_topic_names(Some(vec![topic_name(&shape.topic)]))
    }

    fn take(&mut self, response: ConsumerGroupHeartbeatResponse) {
        self.untold = false;
        self.epoch = response.member_epoch;
        if let Some(assignment) = response.assignment {
            let owned = assignment.topic_partitions.into_iter().map(|topic| {
                TopicPartitions::default().with_topic_id(topic.topic_id).with_partitions(topic.partitions)
            });
            self.owned = owned.collect();
            self.untold = true;
        }
        let partitions = self.owned.iter().flat_map(|topic| topic.partitions.iter().copied());
        self.member.board.say(self.member.place, self.epoch, partitions.collect());
    }
}
