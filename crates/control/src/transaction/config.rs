//! What an operator can set, and limits.

use super::TransactionVersion;

/// Settings and limits of transactions. Each setting says its name in Kafka; the defaults are Kafka's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransactionConfig {
    /// Longest time that a transaction may be open, in milliseconds (`transaction.max.timeout.ms`).
    pub max_timeout_ms: i32,
    /// How long a transactional id is kept without any change of its state, in milliseconds
    /// (`transactional.id.expiration.ms`).
    pub transactional_id_expiration_ms: i32,
    /// The level of the feature `transaction.version` at start; [`Command::LearnVersion`](super::Command) tells of later
    /// ones. It says how records are written, and by which version the coordinator itself ends a transaction.
    pub version: TransactionVersion,
    /// Transactional ids of one partition of `__transaction_state` (a limit of Ottla's own).
    pub transactional_ids_max: usize,
    /// Bytes of the record of one transaction, with all its partitions (a limit of Ottla's own). What ends the
    /// transaction is a little larger and must still fit a batch, or it could never end.
    pub record_bytes_max: usize,
}

impl Default for TransactionConfig {
    fn default() -> Self {
        Self {
            max_timeout_ms: 900_000,
            transactional_id_expiration_ms: 604_800_000,
            version: TransactionVersion::FINALIZED,
            transactional_ids_max: 100_000,
            record_bytes_max: 768 * 1024,
        }
    }
}
