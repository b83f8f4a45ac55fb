//! DescribeTransactions and ListTransactions (`TransactionCoordinator.handleDescribeTransactions`,
//! `TransactionStateManager.listTransactionStates`).

use std::sync::Arc;

use ottla_model::ErrorCode;

use super::metadata::TransactionMetadata;
use super::transactions::Transactions;
use super::turn::Turn;
use super::{Description, List, Listed, Listing, TransactionState};

impl Transactions {
    pub(super) fn describe(&self, transactional_id: &str) -> Result<Description, ErrorCode> {
        if transactional_id.is_empty() {
            return Err(ErrorCode::InvalidRequest);
        }
        let entry = self.entries.get(transactional_id).ok_or(ErrorCode::TransactionalIdNotFound)?;
        let metadata = &entry.metadata;
        let partitions = self.outbox.remaining(transactional_id).unwrap_or(&metadata.partitions);
        let topics = partitions.iter();
        Ok(Description {
            state: metadata.state,
            timeout_ms: metadata.timeout_ms,
            start_timestamp_ms: metadata.start_timestamp_ms,
            producer: metadata.producer(),
            topics: topics
                .map(|(topic, indexes)| (topic.clone(), indexes.iter().copied().collect()))
                .collect(),
        })
    }

    pub(super) fn list(&self, turn: &Turn<'_, '_>, list: &List) -> Listing {
        let is_unknown = |name: &&Arc<str>| !TransactionState::is_known_name(name);
        let now = turn.wall();
        let listed = self.entries.iter().filter(|(_, entry)| passes(&entry.metadata, list, now));
        let mut transactions: Vec<_> = listed
            .map(|(transactional_id, entry)| Listed {
                transactional_id: Arc::clone(transactional_id),
                producer_id: entry.metadata.producer_id,
                state: entry.metadata.state,
            })
            .collect();
        transactions.sort_unstable_by(|one, other| one.transactional_id.cmp(&other.transactional_id));
        Listing { unknown_states: list.states.iter().filter(is_unknown).cloned().collect(), transactions }
    }
}

fn passes(metadata: &TransactionMetadata, list: &List, now_ms: i64) -> bool {
    let has_state = list.states.is_empty() || list.states.iter().any(|name| **name == *metadata.state.name());
    let has_producer = list.producer_ids.is_empty() || list.producer_ids.contains(&metadata.producer_id);
    let age_ms = now_ms.saturating_sub(metadata.start_timestamp_ms);
    let is_old = list.duration_ms.is_none_or(|duration| duration < 0 || age_ms > duration);
    has_state && has_producer && is_old
}
