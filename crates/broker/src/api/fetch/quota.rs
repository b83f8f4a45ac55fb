//! The quota of consumers (`KafkaApis.handleFetchRequest`).

use ottla_control::catalog::QuotaKey;

use super::read::Round;
use crate::api::Call;

/// The most bytes that the client may have in one answer, so that none alone goes beyond its quota; nothing without one.
pub(super) fn most_bytes(call: &Call) -> Option<usize> {
    let quotas = call.shard.quotas();
    if !quotas.has(QuotaKey::ConsumerByteRate) {
        return None;
    }
    // A float that does not fit becomes the largest number.
    quotas.most_at_once(QuotaKey::ConsumerByteRate, call.client_id()).map(|bytes| bytes as usize)
}

/// Charges the client for what was read. When that is beyond its quota, nothing is charged, and the connection will be
/// muted.
pub(super) fn is_over(call: &Call, round: &Round) -> bool {
    let quotas = call.shard.quotas();
    if !quotas.has(QuotaKey::ConsumerByteRate) {
        return false;
    }
    let bytes = round.bytes as f64;
    let throttle = quotas.record_if_free(QuotaKey::ConsumerByteRate, call.client_id(), bytes);
    call.client.note_throttle(throttle);
    !throttle.is_zero()
}
