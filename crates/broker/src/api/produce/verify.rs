//! Transactional batches: whose they are, and whether their transaction is open (KIP-890,
//! `ReplicaManager.handleProduceAppend`).

use std::collections::HashMap;

use ottla_control::transaction::ProducerIdAndEpoch;
use ottla_log::{BatchHeader, FirstBatch, Guard};
use ottla_model::{ErrorCode, TopicPartition};
use ottla_wire::produce::ProduceRequest;

use super::{Call, look_up};
use crate::api::verification::{Operation, Question};
use crate::error_codes;

/// Since this version a write adds its partitions to the transaction (`ADD_PARTITION`).
const ADDS_PARTITIONS: i16 = 12;
/// Since this version a client knows TRANSACTION_ABORTABLE (`GENERIC_ERROR_SUPPORTED`).
const KNOWS_ABORTABLE: i16 = 11;

/// A partition of a request, by the places of its topic and of itself.
pub(super) type Place = (usize, usize);

/// What is known of the transactional batches of a request.
#[derive(Debug, Default)]
pub(super) struct Verified {
    guards: HashMap<Place, Guard>,
    refused: HashMap<Place, ErrorCode>,
}

impl Verified {
    /// Takes in what the coordinator says of the partitions in these places.
    pub(super) fn judged(&mut self, call: &Call, places: &[Place], verdicts: Vec<ErrorCode>) {
        for (place, verdict) in places.iter().zip(verdicts) {
            if verdict.is_error() {
                self.refused.insert(*place, told(verdict, call.version()));
            }
        }
    }

    /// What the append of a partition's batch needs.
    ///
    /// # Errors
    /// Why it must not be appended.
    pub(super) fn guard(&self, place: Place) -> Result<Option<Guard>, ErrorCode> {
        match self.refused.get(&place) {
            Some(error) => Err(*error),
            None => Ok(self.guards.get(&place).copied()),
        }
    }
}

/// What a request's transactional batches come to.
pub(super) enum Judged {
    /// None of them needs to be verified; or all of them are.
    Known(Verified),
    /// The coordinator has to be asked about the partitions in these places.
    Asked(Verified, Question, Vec<Place>),
    /// The whole request is refused.
    Refused(ErrorCode),
}

/// Looks at the transactional batches of a request.
pub(super) fn judge(call: &Call, request: &ProduceRequest) -> Judged {
    let batches = transactional(request);
    let Some((_, first)) = batches.first() else { return Judged::Known(Verified::default()) };
    let Some(transactional_id) = &request.transactional_id else {
        return Judged::Refused(ErrorCode::TransactionalIdAuthorizationFailed);
    };
    let producer =
        ProducerIdAndEpoch { producer_id: first.producer_id, producer_epoch: first.producer_epoch };
    let is_same = |header: &BatchHeader| {
        header.producer_id == producer.producer_id && header.producer_epoch == producer.producer_epoch
    };
    if !batches.iter().all(|(_, header)| is_same(header)) {
        return Judged::Refused(ErrorCode::InvalidProducerIdMapping);
    }
    let mut verified = Verified::default();
    let mut asked = Vec::new();
    for (place, header) in &batches {
        match begin(call, request, *place, header) {
            Ok(Some((partition, guard))) => {
                verified.guards.insert(*place, guard);
                asked.push((*place, partition));
            }
            Ok(None) => {}
            Err(error) => {
                verified.refused.insert(*place, error);
            }
        }
    }
    let (places, partitions) = asked.into_iter().unzip();
    match Question::new(call, transactional_id, producer, partitions, operation(call)) {
        Some(question) => Judged::Asked(verified, question, places),
        None => Judged::Known(verified),
    }
}

fn operation(call: &Call) -> Operation {
    match call.version() {
        ADDS_PARTITIONS.. => Operation::Add,
        version => Operation::Verify { knows_abortable: version >= KNOWS_ABORTABLE },
    }
}

fn transactional(request: &ProduceRequest) -> Vec<(Place, BatchHeader)> {
    let mut found = Vec::new();
    for (topic_place, topic) in request.topics.iter().enumerate() {
        for (place, partition) in topic.partitions.iter().enumerate() {
            let header = partition.records.as_deref().and_then(BatchHeader::parse);
            let header = header.filter(BatchHeader::is_transactional);
            found.extend(header.map(|header| ((topic_place, place), header)));
        }
    }
    found
}

/// Fetches the guard of a batch that begins a transaction in its partition. `None` when it continues one, or when there
/// is no such partition, which the append tells.
fn begin(
    call: &Call,
    request: &ProduceRequest,
    (topic, place): Place,
    header: &BatchHeader,
) -> Result<Option<(TopicPartition, Guard)>, ErrorCode> {
    let Some(topic) = request.topics.get(topic) else { return Ok(None) };
    let Some(asked) = topic.partitions.get(place) else { return Ok(None) };
    let Ok(live) = look_up(call, request, topic) else { return Ok(None) };
    let Ok(partition) = call.shard.partition(&live, asked.index) else { return Ok(None) };
    let first = FirstBatch {
        producer_id: header.producer_id,
        producer_epoch: header.producer_epoch,
        base_sequence: header.base_sequence,
        bumps_epochs: operation(call).bumps_epochs(),
    };
    let guard = partition.log().begin_verification(first, call.shard.wall());
    let guard = guard.map_err(|error| error_codes::of_append(&error))?;
    let at = TopicPartition { topic: live.topic.name.clone(), partition: asked.index };
    Ok(guard.map(|guard| (at, guard)))
}

/// What a producer is told instead (`ReplicaManager.handleProduceAppend`): it tries again by itself when there are not
/// enough replicas.
fn told(error: ErrorCode, version: i16) -> ErrorCode {
    match error {
        ErrorCode::NotCoordinator
        | ErrorCode::CoordinatorNotAvailable
        | ErrorCode::CoordinatorLoadInProgress => ErrorCode::NotEnoughReplicas,
        ErrorCode::ConcurrentTransactions if version < ADDS_PARTITIONS => ErrorCode::NotEnoughReplicas,
        other => other,
    }
}
