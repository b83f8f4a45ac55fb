//! Which partition of `__consumer_offsets` a group lives in.

/// The partition that owns `group_id`: `Utils.abs(groupId.hashCode()) % partitions`, with Java's hash over UTF-16
/// units, so that data written by Kafka stays where it is. `partitions` is at least 1; anything below counts as 1.
#[must_use]
pub fn partition_for(group_id: &str, partitions: i32) -> i32 {
    let hash =
        group_id.encode_utf16().fold(0i32, |hash, unit| hash.wrapping_mul(31).wrapping_add(i32::from(unit)));
    // Kafka's `abs` makes the one number without a positive twin 0.
    hash.checked_abs().unwrap_or(0) % partitions.max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `Utils.abs(groupId.hashCode()) % 50` of Kafka 4.3.1. The one but last hashes to the smallest integer.
    const VECTORS: [(&str, i32); 9] = [
        ("", 0),
        ("g", 3),
        ("group", 47),
        ("console-consumer-12345", 6),
        ("my.Group_01", 41),
        ("Grüße", 1),
        ("😀", 49),
        ("polygenelubricants", 0),
        ("connect-cluster", 13),
    ];

    #[test]
    fn as_kafka_hashes() {
        for (group, partition) in VECTORS {
            assert_eq!(partition_for(group, 50), partition, "{group:?}");
        }
        assert_eq!(partition_for("group", 1), 0);
        assert_eq!(partition_for("group", 0), 0);
    }
}
