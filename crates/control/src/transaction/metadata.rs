//! The state of one transactional id, and what each change makes of it (`TransactionMetadata`).
//!
//! Every `prepare` function describes a change and makes none: its result becomes a record, and the record, replayed,
//! becomes the state.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use ottla_model::{NONE, PartitionIndex, ProducerEpoch, ProducerId, TopicName, TopicPartition};

use super::{ProducerIdAndEpoch, TransactionState, TransactionVersion};
use crate::codec::{DecodeError, EncodeError, TransactionLogValue};

/// "No epoch", as `RecordBatch.NO_PRODUCER_EPOCH`.
pub(super) const NO_EPOCH: ProducerEpoch = -1;

/// The last epoch that clients may have. The one above it is left for the marker that ends their transaction.
pub(super) const CLIENT_EPOCH_MAX: ProducerEpoch = ProducerEpoch::MAX - 1;

/// Partitions of a transaction, by topic.
pub(super) type Partitions = BTreeMap<TopicName, BTreeSet<PartitionIndex>>;

/// What a record says about a transactional id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TransactionMetadata {
    pub(super) producer_id: ProducerId,
    /// The producer id of the state before, or -1.
    pub(super) previous_producer_id: ProducerId,
    /// The producer id that begins when this transaction is complete, or -1.
    pub(super) next_producer_id: ProducerId,
    pub(super) producer_epoch: ProducerEpoch,
    pub(super) timeout_ms: i32,
    pub(super) state: TransactionState,
    pub(super) partitions: Partitions,
    pub(super) start_timestamp_ms: i64,
    pub(super) last_update_timestamp_ms: i64,
    pub(super) client_version: TransactionVersion,
}

impl TransactionMetadata {
    /// A transactional id that nobody used before, with its first epoch.
    pub(super) fn new(producer_id: ProducerId, timeout_ms: i32, now_ms: i64) -> Self {
        Self {
            producer_id,
            previous_producer_id: producer_id,
            next_producer_id: NONE,
            producer_epoch: 0,
            timeout_ms,
            state: TransactionState::Empty,
            partitions: Partitions::new(),
            start_timestamp_ms: NONE,
            last_update_timestamp_ms: now_ms,
            client_version: TransactionVersion::V0,
        }
    }

    pub(super) fn producer(&self) -> ProducerIdAndEpoch {
        ProducerIdAndEpoch { producer_id: self.producer_id, producer_epoch: self.producer_epoch }
    }

    /// True when the next epoch is not for a client (`isProducerEpochExhausted`).
    pub(super) fn is_epoch_exhausted(&self) -> bool {
        self.producer_epoch >= CLIENT_EPOCH_MAX
    }

    /// The state to start a change from (`prepareTransitionTo`).
    fn to(&self, state: TransactionState, now_ms: i64) -> Self {
        Self {
            state,
            previous_producer_id: self.producer_id,
            last_update_timestamp_ms: now_ms,
            ..self.clone()
        }
    }

    /// A producer begins anew (`prepareIncrementProducerEpoch`, `prepareProducerIdRotation`).
    pub(super) fn prepare_empty(&self, producer: ProducerIdAndEpoch, timeout_ms: i32, now_ms: i64) -> Self {
        Self {
            producer_id: producer.producer_id,
            producer_epoch: producer.producer_epoch,
            timeout_ms,
            partitions: Partitions::new(),
            start_timestamp_ms: NONE,
            ..self.to(TransactionState::Empty, now_ms)
        }
    }

    /// Partitions join the transaction, which begins if there was none (`prepareAddPartitions`).
    pub(super) fn prepare_add_partitions(
        &self,
        added: &[TopicPartition],
        now_ms: i64,
        client_version: TransactionVersion,
    ) -> Self {
        let mut to = self.to(TransactionState::Ongoing, now_ms);
        for TopicPartition { topic, partition } in added {
            to.partitions.entry(topic.clone()).or_default().insert(*partition);
        }
        if self.state.is_idle() {
            to.start_timestamp_ms = now_ms;
        }
        to.client_version = client_version;
        to
    }

    /// The outcome is decided (`prepareAbortOrCommit`). With version 2 the epoch rises, so that whatever is still
    /// under way for this transaction comes too late.
    pub(super) fn prepare_end(
        &self,
        committed: bool,
        client_version: TransactionVersion,
        next_producer_id: Option<ProducerId>,
        now_ms: i64,
    ) -> Self {
        let state = if committed { TransactionState::PrepareCommit } else { TransactionState::PrepareAbort };
        let mut to = self.to(state, now_ms);
        if client_version.bumps_epoch() {
            to.producer_epoch = self.producer_epoch.saturating_add(1);
        }
        // An abort without a transaction begins and ends in one step.
        if self.state.is_idle() {
            to.start_timestamp_ms = now_ms;
        }
        to.next_producer_id = next_producer_id.unwrap_or(NONE);
        to.client_version = client_version;
        to
    }

    /// Every marker is written (`prepareComplete`).
    pub(super) fn prepare_complete(&self, now_ms: i64) -> Self {
        let state = if self.state == TransactionState::PrepareCommit {
            TransactionState::CompleteCommit
        } else {
            TransactionState::CompleteAbort
        };
        let mut to = self.to(state, now_ms);
        if self.client_version.bumps_epoch() && self.next_producer_id != NONE {
            to.producer_id = self.next_producer_id;
            to.producer_epoch = 0;
        }
        to.next_producer_id = NONE;
        to.partitions = Partitions::new();
        to
    }

    pub(super) fn encode(&self, version: TransactionVersion) -> Result<Bytes, EncodeError> {
        let topics = self.partitions.iter();
        let topics = topics.map(|(topic, indexes)| (topic.as_str(), indexes.iter().copied().collect()));
        let value = TransactionLogValue {
            producer_id: self.producer_id,
            previous_producer_id: self.previous_producer_id,
            next_producer_id: self.next_producer_id,
            producer_epoch: self.producer_epoch,
            timeout_ms: self.timeout_ms,
            status: self.state.id(),
            partitions: (self.state != TransactionState::Empty).then(|| topics.collect()),
            last_update_timestamp_ms: self.last_update_timestamp_ms,
            start_timestamp_ms: self.start_timestamp_ms,
            client_transaction_version: self.client_version.level(),
        };
        value.encode(version.level())
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let value = TransactionLogValue::decode(bytes)?;
        let state = TransactionState::from_id(value.status)
            .ok_or(DecodeError::Illegal("a state that no record has"))?;
        let mut partitions = Partitions::new();
        for (topic, indexes) in value.partitions.into_iter().flatten() {
            let topic =
                TopicName::new(topic).map_err(|_| DecodeError::Illegal("a topic name that Kafka refuses"))?;
            partitions.entry(topic).or_default().extend(indexes);
        }
        Ok(Self {
            producer_id: value.producer_id,
            previous_producer_id: value.previous_producer_id,
            next_producer_id: value.next_producer_id,
            producer_epoch: value.producer_epoch,
            timeout_ms: value.timeout_ms,
            state,
            partitions,
            start_timestamp_ms: value.start_timestamp_ms,
            last_update_timestamp_ms: value.last_update_timestamp_ms,
            client_version: TransactionVersion::from_level(value.client_transaction_version),
        })
    }
}

/// Whether a partition is among `partitions`.
pub(super) fn contains(partitions: &Partitions, wanted: &TopicPartition) -> bool {
    partitions.get(&wanted.topic).is_some_and(|indexes| indexes.contains(&wanted.partition))
}

/// The partitions one by one.
pub(super) fn flatten(partitions: &Partitions) -> Vec<TopicPartition> {
    let each =
        partitions.iter().flat_map(|(topic, indexes)| indexes.iter().map(move |&index| (topic, index)));
    each.map(|(topic, partition)| TopicPartition { topic: topic.clone(), partition }).collect()
}
