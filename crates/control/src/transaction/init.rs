//! InitProducerId (`TransactionCoordinator.handleInitProducerId`, `prepareInitProducerIdTransit`).

use ottla_model::{ErrorCode, ProducerEpoch, ProducerId};

use super::metadata::{CLIENT_EPOCH_MAX, NO_EPOCH, TransactionMetadata};
use super::transactions::{Entry, Transactions};
use super::turn::Turn;
use super::{InitProducerId, ProducerIdAndEpoch, Reply, TransactionState};

/// Longest transactional id that a record's key can hold, in bytes.
const TRANSACTIONAL_ID_BYTES_MAX: usize = i16::MAX as usize;

/// What a producer is given, and the epoch by which it may ask for the same once more.
struct Given {
    producer: ProducerIdAndEpoch,
    last_epoch: ProducerEpoch,
}

/// Why it is given nothing.
enum Refused {
    Error(ErrorCode),
    FreshProducerIdNeeded,
}

impl From<ErrorCode> for Refused {
    fn from(error: ErrorCode) -> Self {
        Self::Error(error)
    }
}

impl Transactions {
    pub(super) fn init_producer_id(&mut self, turn: &mut Turn<'_, '_>, init: InitProducerId) -> Reply {
        match self.try_init_producer_id(turn, init) {
            Ok(producer) => Reply::InitProducerId(Ok(producer)),
            Err(Refused::Error(error)) => Reply::InitProducerId(Err(error)),
            Err(Refused::FreshProducerIdNeeded) => Reply::FreshProducerIdNeeded,
        }
    }

    fn try_init_producer_id(
        &mut self,
        turn: &mut Turn<'_, '_>,
        init: InitProducerId,
    ) -> Result<ProducerIdAndEpoch, Refused> {
        validate(turn, &init)?;
        let Some((transactional_id, entry)) = self.find(&init.transactional_id) else {
            return self.first_producer(turn, init);
        };
        let metadata = &entry.metadata;
        if metadata.state.is_prepared() {
            return Err(ErrorCode::ConcurrentTransactions.into());
        }
        if let Some(expected) = init.expected
            && !is_valid_producer_id(metadata, expected)
        {
            return Err(ErrorCode::ProducerFenced.into());
        }
        if metadata.state == TransactionState::Ongoing {
            // Whoever has it open is fenced. The caller asks again until its markers are written.
            let metadata = metadata.clone();
            self.abort_and_fence(turn, &transactional_id, &metadata, init.fresh_producer_id)?
                .ok_or(Refused::FreshProducerIdNeeded)?;
            return Err(ErrorCode::ConcurrentTransactions.into());
        }
        let given = next_producer(entry, init.expected, init.fresh_producer_id)?;
        let to = metadata.prepare_empty(given.producer, init.timeout_ms, turn.wall());
        self.staged_last_epochs.insert(transactional_id.clone(), given.last_epoch);
        self.record(turn, &transactional_id, &to)?;
        Ok(given.producer)
    }

    /// Whatever a producer says that it was: an id that is not known takes it in, as in Kafka.
    fn first_producer(
        &mut self,
        turn: &mut Turn<'_, '_>,
        init: InitProducerId,
    ) -> Result<ProducerIdAndEpoch, Refused> {
        if self.entries.len() >= turn.config.transactional_ids_max {
            return Err(ErrorCode::PolicyViolation.into());
        }
        let fresh = init.fresh_producer_id.ok_or(Refused::FreshProducerIdNeeded)?;
        let metadata = TransactionMetadata::new(fresh, init.timeout_ms, turn.wall());
        self.record(turn, &init.transactional_id, &metadata)?;
        Ok(metadata.producer())
    }
}

fn validate(turn: &Turn<'_, '_>, init: &InitProducerId) -> Result<(), ErrorCode> {
    if init.transactional_id.is_empty() || init.transactional_id.len() > TRANSACTIONAL_ID_BYTES_MAX {
        return Err(ErrorCode::InvalidRequest);
    }
    // KIP-939 is not finished in Kafka 4.3.1 either, and off unless an operator turns it on.
    if init.enable_two_phase_commit {
        return Err(ErrorCode::TransactionalIdAuthorizationFailed);
    }
    if init.keep_prepared_transaction {
        return Err(ErrorCode::UnsupportedVersion);
    }
    if !(1..=turn.config.max_timeout_ms).contains(&init.timeout_ms) {
        return Err(ErrorCode::InvalidTransactionTimeout);
    }
    Ok(())
}

/// A producer that goes on must be the one of this id, or the one before it at its last epoch.
fn is_valid_producer_id(metadata: &TransactionMetadata, expected: ProducerIdAndEpoch) -> bool {
    expected.producer_id == metadata.producer_id
        || (expected.producer_id == metadata.previous_producer_id
            && expected.producer_epoch >= CLIENT_EPOCH_MAX)
}

fn next_producer(
    entry: &Entry,
    expected: Option<ProducerIdAndEpoch>,
    fresh_producer_id: Option<ProducerId>,
) -> Result<Given, Refused> {
    let metadata = &entry.metadata;
    let current = metadata.producer_epoch;
    let expected_epoch = expected.map(|expected| expected.producer_epoch);
    let is_expected_current = expected_epoch == Some(current);
    if metadata.is_epoch_exhausted() {
        if expected_epoch.is_some() && !is_expected_current {
            // Kafka runs into an exception here.
            return Err(ErrorCode::UnknownServerError.into());
        }
        let producer_id = fresh_producer_id.ok_or(Refused::FreshProducerIdNeeded)?;
        let last_epoch = if is_expected_current { current } else { NO_EPOCH };
        return Ok(Given { producer: ProducerIdAndEpoch { producer_id, producer_epoch: 0 }, last_epoch });
    }
    let bumped = current.saturating_add(1);
    let (producer_epoch, last_epoch) = match expected_epoch {
        None => (bumped, NO_EPOCH),
        Some(_) if is_expected_current => (bumped, current),
        // It was given this epoch before, and has not heard of it.
        Some(expected) if expected == entry.last_epoch => (current, entry.last_epoch),
        Some(_) => return Err(ErrorCode::ProducerFenced.into()),
    };
    let producer = ProducerIdAndEpoch { producer_id: metadata.producer_id, producer_epoch };
    Ok(Given { producer, last_epoch })
}
