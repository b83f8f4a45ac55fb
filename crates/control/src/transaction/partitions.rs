//! AddPartitionsToTxn (`TransactionCoordinator.handleAddPartitionsToTransaction`,
//! `handleVerifyPartitionsInTransaction`).

use ottla_model::{ErrorCode, TopicPartition};

use super::metadata::contains;
use super::transactions::{Entry, Transactions, to_record};
use super::turn::Turn;
use super::{AddPartitions, ProducerIdAndEpoch, TransactionState, VerifyPartitions};

impl Transactions {
    pub(super) fn add_partitions(
        &mut self,
        turn: &mut Turn<'_, '_>,
        add: AddPartitions,
    ) -> Result<(), ErrorCode> {
        if add.transactional_id.is_empty() {
            return Err(ErrorCode::InvalidRequest);
        }
        let (transactional_id, entry) =
            self.find(&add.transactional_id).ok_or(ErrorCode::InvalidProducerIdMapping)?;
        let metadata = &entry.metadata;
        // Before the ids are looked at, as in Kafka: they may be about to change.
        if metadata.state.is_prepared() {
            return Err(ErrorCode::ConcurrentTransactions);
        }
        check_producer(entry, add.producer)?;
        let is_ongoing = metadata.state == TransactionState::Ongoing;
        if is_ongoing && add.partitions.iter().all(|partition| contains(&metadata.partitions, partition)) {
            return Ok(());
        }
        let to = metadata.prepare_add_partitions(&add.partitions, turn.wall(), add.client_version);
        let record = to_record(self.version, &transactional_id, &to)?;
        if record.value.as_ref().is_some_and(|value| value.len() > turn.config.record_bytes_max) {
            // What Kafka answers when the record is larger than a batch of its log may be.
            return Err(ErrorCode::UnknownServerError);
        }
        if !is_ongoing {
            let timeout = turn.env.monotonic.plus_millis(i64::from(to.timeout_ms));
            self.timeouts.insert(transactional_id.clone(), timeout);
        }
        turn.effects.records.push(record);
        self.plan(turn.env, &transactional_id, &to);
        Ok(())
    }

    pub(super) fn verify_partitions(&self, verify: VerifyPartitions) -> Vec<(TopicPartition, ErrorCode)> {
        let VerifyPartitions { transactional_id, producer, partitions } = verify;
        let found = self.transaction_of(&transactional_id, producer);
        let verdict = |partition: &TopicPartition| match found {
            Err(error) => error,
            Ok(entry) if contains(&entry.metadata.partitions, partition) => ErrorCode::None,
            Ok(_) => ErrorCode::TransactionAbortable,
        };
        partitions
            .into_iter()
            .map(|partition| {
                let verdict = verdict(&partition);
                (partition, verdict)
            })
            .collect()
    }

    fn transaction_of(
        &self,
        transactional_id: &str,
        producer: ProducerIdAndEpoch,
    ) -> Result<&Entry, ErrorCode> {
        if transactional_id.is_empty() {
            return Err(ErrorCode::InvalidRequest);
        }
        let entry = self.entries.get(transactional_id).ok_or(ErrorCode::InvalidProducerIdMapping)?;
        check_producer(entry, producer)?;
        if entry.metadata.state.is_prepared() {
            return Err(ErrorCode::ConcurrentTransactions);
        }
        Ok(entry)
    }
}

fn check_producer(entry: &Entry, producer: ProducerIdAndEpoch) -> Result<(), ErrorCode> {
    if entry.metadata.producer_id != producer.producer_id {
        return Err(ErrorCode::InvalidProducerIdMapping);
    }
    if entry.metadata.producer_epoch != producer.producer_epoch {
        return Err(ErrorCode::ProducerFenced);
    }
    Ok(())
}
