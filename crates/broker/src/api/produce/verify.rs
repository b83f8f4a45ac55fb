//! Transactional batches: whose they are, and whether their transaction is open (KIP-890,
//! `ReplicaManager.handleProduceAppend`).
//!
//! A batch that begins a transaction in a partition needs a guard of the log, and the coordinator's word that the
//! partition belongs to the transaction. The guard is fetched first: a marker that is written in between takes it away.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use ottla_control::machine::Caller;
use ottla_control::transaction::{
    AddPartitions, Command, ProducerIdAndEpoch, Reply, TransactionVersion, Transactions, VerifyPartitions,
};
use ottla_log::{BatchHeader, FirstBatch, Guard};
use ottla_model::{ErrorCode, TopicPartition};
use ottla_wire::produce::ProduceRequest;
use tokio::time::Instant;

use super::{Call, look_up};
use crate::error_codes;
use crate::shard::Coordinator;

/// Since this version a write adds its partitions to the transaction (`ADD_PARTITION`).
const ADDS_PARTITIONS: i16 = 12;
/// Since this version a client knows TRANSACTION_ABORTABLE (`GENERIC_ERROR_SUPPORTED`).
const KNOWS_ABORTABLE: i16 = 11;

/// How long a transaction that is just ending is waited for (`add.partitions.to.txn.retry.backoff.max.ms`).
const CONCURRENT_PATIENCE: Duration = Duration::from_millis(100);
/// The wait between two looks at it (`add.partitions.to.txn.retry.backoff.ms`).
const CONCURRENT_WAIT: Duration = Duration::from_millis(20);

/// A partition of a request, by the places of its topic and of itself.
pub(super) type Place = (usize, usize);

/// What is known of the transactional batches of a request.
#[derive(Debug, Default)]
pub(super) struct Verified {
    guards: HashMap<Place, Guard>,
    refused: HashMap<Place, ErrorCode>,
}

impl Verified {
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

/// A question to a coordinator that has to be answered before the request's batches are appended.
pub(super) struct Question {
    coordinator: Result<Arc<Coordinator<Transactions>>, ErrorCode>,
    caller: Caller,
    version: i16,
    command: Command,
    /// The places of the partitions in the command.
    places: Vec<Place>,
}

/// What a request's transactional batches come to.
pub(super) enum Judged {
    /// None of them needs to be verified; or all of them are.
    Known(Verified),
    /// The coordinator has to be asked.
    Asked(Verified, Question),
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
    let adds = call.version() >= ADDS_PARTITIONS;
    if asked.is_empty() || !adds && !call.shard.settings().transaction_partition_verification_enable {
        return Judged::Known(verified);
    }
    let (places, partitions) = asked.into_iter().unzip();
    let coordinator = call.shard.transaction(transactional_id).map(Arc::clone);
    let transactional_id = Arc::from(transactional_id.as_str());
    let command = if adds {
        let client_version = TransactionVersion::V2;
        Command::AddPartitions(AddPartitions { transactional_id, producer, partitions, client_version })
    } else {
        Command::VerifyPartitions(VerifyPartitions { transactional_id, producer, partitions })
    };
    let (caller, version) = (call.caller(), call.version());
    Judged::Asked(verified, Question { coordinator, caller, version, command, places })
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
        bumps_epochs: call.version() >= ADDS_PARTITIONS,
    };
    let guard = partition.log().begin_verification(first, call.shard.wall());
    let guard = guard.map_err(|error| error_codes::of_append(&error))?;
    let at = TopicPartition { topic: live.topic.name.clone(), partition: asked.index };
    Ok(guard.map(|guard| (at, guard)))
}

impl Question {
    /// Asks, and asks again for a while when the transaction before is just ending.
    pub(super) async fn answered(self, verified: &mut Verified) {
        let deadline = Instant::now() + CONCURRENT_PATIENCE;
        loop {
            let verdicts = self.ask().await;
            let is_ending =
                self.version >= ADDS_PARTITIONS && verdicts.contains(&ErrorCode::ConcurrentTransactions);
            if !is_ending || Instant::now() >= deadline {
                for (place, verdict) in self.places.iter().zip(verdicts) {
                    if verdict.is_error() {
                        verified.refused.insert(*place, told(verdict, self.version));
                    }
                }
                return;
            }
            tokio::time::sleep(CONCURRENT_WAIT).await;
        }
    }

    /// A verdict for each place.
    async fn ask(&self) -> Vec<ErrorCode> {
        let reply = match &self.coordinator {
            Ok(coordinator) => coordinator
                .submit(self.caller.clone(), self.command.clone())
                .await
                .map_err(|_| ErrorCode::NotCoordinator),
            Err(error) => Err(*error),
        };
        let for_all = match reply {
            Ok(Reply::VerifyPartitions(verdicts)) => {
                return verdicts.into_iter().map(|(_, verdict)| verdict).collect();
            }
            Ok(Reply::AddPartitions(added)) => added.err().unwrap_or_default(),
            Ok(_) => ErrorCode::UnknownServerError,
            Err(error) => error,
        };
        vec![for_all; self.places.len()]
    }
}

/// What a producer is told instead of the coordinator's word (`AddPartitionsToTxnManager`): it knows codes of Produce
/// only, and tries again by itself when there are not enough replicas.
fn told(error: ErrorCode, version: i16) -> ErrorCode {
    match error {
        ErrorCode::ProducerFenced => ErrorCode::InvalidProducerEpoch,
        ErrorCode::TransactionAbortable if version < KNOWS_ABORTABLE => ErrorCode::InvalidTxnState,
        ErrorCode::NotCoordinator
        | ErrorCode::CoordinatorNotAvailable
        | ErrorCode::CoordinatorLoadInProgress => ErrorCode::NotEnoughReplicas,
        ErrorCode::ConcurrentTransactions if version < ADDS_PARTITIONS => ErrorCode::NotEnoughReplicas,
        other => other,
    }
}
