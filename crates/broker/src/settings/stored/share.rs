//! Share groups and Kafka Streams groups.

use super::stored;

stored! {
    "Without effect: there are no share groups and no streams groups yet.";
    "group.share.assignment.interval.ms", Int, Some("1000"), Check::AtLeast(0), ClusterWide Medium;
    "group.share.assignors", List, Some("simple"), Check::Any, ReadOnly Medium;
    "group.share.delivery.count.limit", Int, Some("5"), Check::Range(2.0, 10.0), ReadOnly Medium;
    "group.share.heartbeat.interval.ms", Int, Some("5000"), Check::AtLeast(1), ReadOnly Medium;
    "group.share.initialize.retry.interval.ms", Int, Some("30000"), Check::AtLeast(1), ReadOnly Low;
    "group.share.max.assignment.interval.ms", Int, Some("15000"), Check::AtLeast(0), ReadOnly Medium;
    "group.share.max.delivery.count.limit", Int, Some("10"), Check::Range(5.0, 25.0), ReadOnly Medium;
    "group.share.max.heartbeat.interval.ms", Int, Some("15000"), Check::AtLeast(1), ReadOnly Medium;
    "group.share.max.partition.max.record.locks", Int, Some("4000"), Check::Range(2000.0, 10_000.0), ReadOnly Medium;
    "group.share.max.record.lock.duration.ms", Int, Some("60000"), Check::Range(30_000.0, 3_600_000.0), ReadOnly Medium;
    "group.share.max.session.timeout.ms", Int, Some("60000"), Check::AtLeast(1), ReadOnly Medium;
    "group.share.max.share.sessions", Int, Some("2000"), Check::AtLeast(1), ReadOnly Medium;
    "group.share.max.size", Int, Some("200"), Check::Range(1.0, 1000.0), ReadOnly Medium;
    "group.share.min.assignment.interval.ms", Int, Some("0"), Check::AtLeast(0), ReadOnly Medium;
    "group.share.min.delivery.count.limit", Int, Some("2"), Check::Range(2.0, 5.0), ReadOnly Medium;
    "group.share.min.heartbeat.interval.ms", Int, Some("5000"), Check::AtLeast(1), ReadOnly Medium;
    "group.share.min.partition.max.record.locks", Int, Some("100"), Check::Range(100.0, 2000.0), ReadOnly Medium;
    "group.share.min.record.lock.duration.ms", Int, Some("15000"), Check::Range(1000.0, 30_000.0), ReadOnly Medium;
    "group.share.min.session.timeout.ms", Int, Some("45000"), Check::AtLeast(1), ReadOnly Medium;
    "group.share.partition.max.record.locks", Int, Some("2000"), Check::Range(100.0, 10_000.0), ReadOnly Medium;
    "group.share.persister.class.name", Text, Some("org.apache.kafka.server.share.persister.DefaultStatePersister"), Check::Any, ReadOnly Medium;
    "group.share.record.lock.duration.ms", Int, Some("30000"), Check::Range(1000.0, 3_600_000.0), ReadOnly Medium;
    "group.share.session.timeout.ms", Int, Some("45000"), Check::AtLeast(1), ReadOnly Medium;
    "group.streams.assignment.interval.ms", Int, Some("1000"), Check::AtLeast(0), ClusterWide Medium;
    "group.streams.heartbeat.interval.ms", Int, Some("5000"), Check::AtLeast(1), ReadOnly Medium;
    "group.streams.initial.rebalance.delay.ms", Int, Some("3000"), Check::AtLeast(0), ReadOnly Medium;
    "group.streams.max.assignment.interval.ms", Int, Some("15000"), Check::AtLeast(0), ReadOnly Medium;
    "group.streams.max.heartbeat.interval.ms", Int, Some("15000"), Check::AtLeast(1), ReadOnly Medium;
    "group.streams.max.session.timeout.ms", Int, Some("60000"), Check::AtLeast(1), ReadOnly Medium;
    "group.streams.max.size", Int, Some("2147483647"), Check::AtLeast(1), ReadOnly Medium;
    "group.streams.max.standby.replicas", Int, Some("2"), Check::AtLeast(0), ReadOnly Medium;
    "group.streams.min.assignment.interval.ms", Int, Some("0"), Check::AtLeast(0), ReadOnly Medium;
    "group.streams.min.heartbeat.interval.ms", Int, Some("5000"), Check::AtLeast(1), ReadOnly Medium;
    "group.streams.min.session.timeout.ms", Int, Some("45000"), Check::AtLeast(1), ReadOnly Medium;
    "group.streams.num.standby.replicas", Int, Some("0"), Check::AtLeast(0), ReadOnly Medium;
    "group.streams.session.timeout.ms", Int, Some("45000"), Check::AtLeast(1), ReadOnly Medium;
    "share.coordinator.append.linger.ms", Int, Some("-1"), Check::AtLeast(-1), ReadOnly Medium;
    "share.coordinator.cached.buffer.max.bytes", Int, Some("1048588"), Check::AtLeast(524_288), ClusterWide Medium;
    "share.coordinator.cold.partition.snapshot.interval.ms", Int, Some("300000"), Check::AtLeast(1), ReadOnly Low;
    "share.coordinator.load.buffer.size", Int, Some("5242880"), Check::AtLeast(1), ReadOnly High;
    "share.coordinator.snapshot.update.records.per.snapshot", Int, Some("500"), Check::Range(0.0, 500.0), ReadOnly Medium;
    "share.coordinator.state.topic.compression.codec", Int, Some("0"), Check::Any, ReadOnly High;
    "share.coordinator.state.topic.min.isr", Short, Some("2"), Check::AtLeast(1), ReadOnly High;
    "share.coordinator.state.topic.num.partitions", Int, Some("50"), Check::AtLeast(1), ReadOnly High;
    "share.coordinator.state.topic.prune.interval.ms", Int, Some("300000"), Check::AtLeast(1), ReadOnly Low;
    "share.coordinator.state.topic.replication.factor", Short, Some("3"), Check::AtLeast(1), ReadOnly High;
    "share.coordinator.state.topic.segment.bytes", Int, Some("104857600"), Check::AtLeast(1), ReadOnly High;
    "share.coordinator.threads", Int, Some("1"), Check::AtLeast(1), ReadOnly Medium;
    "share.coordinator.write.timeout.ms", Int, Some("5000"), Check::AtLeast(1), ReadOnly High;
    "share.fetch.purgatory.purge.interval.requests", Int, Some("1000"), Check::Any, ReadOnly Medium;
}
