//! The quota of creating and deleting partitions (KIP-599, `ControllerMutationQuotaManager`).

use ottla_control::catalog::QuotaKey;
use ottla_model::{ErrorCode, PartitionIndex};

use super::call::Call;
use crate::shard::TopicError;

const KEY: QuotaKey = QuotaKey::ControllerMutationRate;

/// Charges a client for partitions. Requests since version `strict_since` are refused while there is a debt; older ones,
/// which know no such error, are only slowed down.
pub(super) fn charge(call: &Call, strict_since: i16, partitions: PartitionIndex) -> Result<(), TopicError> {
    let quotas = call.shard.quotas();
    if !quotas.has(KEY) {
        return Ok(());
    }
    let (client_id, amount) = (call.client_id(), f64::from(partitions));
    if call.version() < strict_since {
        call.client.note_throttle(quotas.owe(KEY, client_id, amount));
        return Ok(());
    }
    quotas.take(KEY, client_id, amount).map_err(|wait| {
        call.client.note_throttle(wait);
        let message = "The throttling quota has been exceeded.".to_owned();
        TopicError { error: ErrorCode::ThrottlingQuotaExceeded, message }
    })
}
