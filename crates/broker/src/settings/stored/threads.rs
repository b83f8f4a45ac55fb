//! Threads, queues, buffers and intervals inside the broker.

use super::stored;

stored! {
    "Without effect: Ottla sizes its threads, queues and intervals itself.";
    "add.partitions.to.txn.retry.backoff.max.ms", Int, Some("100"), Check::AtLeast(0), ReadOnly High;
    "add.partitions.to.txn.retry.backoff.ms", Int, Some("20"), Check::AtLeast(1), ReadOnly High;
    "background.threads", Int, Some("10"), Check::AtLeast(1), ClusterWide High;
    "broker.id", Int, Some("-1"), Check::Any, ReadOnly High;
    "delete.records.purgatory.purge.interval.requests", Int, Some("1"), Check::Any, ReadOnly Medium;
    "fetch.purgatory.purge.interval.requests", Int, Some("1000"), Check::Any, ReadOnly Medium;
    "group.coordinator.append.linger.ms", Int, Some("-1"), Check::AtLeast(-1), ReadOnly Medium;
    "group.coordinator.background.threads", Int, Some("2"), Check::AtLeast(1), ReadOnly High;
    "group.coordinator.cached.buffer.max.bytes", Int, Some("1048588"), Check::AtLeast(524_288), ClusterWide Medium;
    "group.coordinator.rebalance.protocols", List, Some("classic,consumer,streams"), Check::OneOf(&["consumer", "classic", "share", "streams"]), ReadOnly Medium;
    "group.coordinator.threads", Int, Some("4"), Check::AtLeast(1), ReadOnly High;
    "log.cleaner.threads", Int, Some("1"), Check::AtLeast(0), ClusterWide Medium;
    "log.dir", List, Some("/tmp/kafka-logs"), Check::Any, ReadOnly High;
    "log.flush.offset.checkpoint.interval.ms", Int, Some("60000"), Check::AtLeast(0), ReadOnly High;
    "log.flush.scheduler.interval.ms", Long, Some("9223372036854775807"), Check::Any, ReadOnly High;
    "log.flush.start.offset.checkpoint.interval.ms", Int, Some("60000"), Check::AtLeast(0), ReadOnly High;
    "log.initial.task.delay.ms", Long, Some("30000"), Check::AtLeast(0), ReadOnly Low;
    "max.connection.creation.rate", Int, Some("2147483647"), Check::AtLeast(0), ClusterWide Medium;
    "num.io.threads", Int, Some("8"), Check::AtLeast(1), ClusterWide High;
    "num.network.threads", Int, Some("3"), Check::AtLeast(1), ClusterWide High;
    "offsets.commit.timeout.ms", Int, Some("5000"), Check::AtLeast(1), ReadOnly High;
    "offsets.load.buffer.size", Int, Some("5242880"), Check::AtLeast(1), ReadOnly High;
    "offsets.topic.compression.codec", Int, Some("0"), Check::Any, ReadOnly High;
    "producer.id.expiration.check.interval.ms", Int, Some("600000"), Check::AtLeast(1), ReadOnly Low;
    "producer.purgatory.purge.interval.requests", Int, Some("1000"), Check::Any, ReadOnly Medium;
    "queued.max.requests", Int, Some("500"), Check::AtLeast(1), ReadOnly High;
    "request.timeout.ms", Int, Some("30000"), Check::Any, ReadOnly High;
    "socket.connection.setup.timeout.max.ms", Long, Some("30000"), Check::Any, ReadOnly Medium;
    "socket.connection.setup.timeout.ms", Long, Some("10000"), Check::Any, ReadOnly Medium;
    "socket.receive.buffer.bytes", Int, Some("102400"), Check::Any, ReadOnly High;
    "socket.send.buffer.bytes", Int, Some("102400"), Check::Any, ReadOnly High;
    "transaction.abort.timed.out.transaction.cleanup.interval.ms", Int, Some("10000"), Check::AtLeast(1), ReadOnly Low;
    "transaction.remove.expired.transaction.cleanup.interval.ms", Int, Some("3600000"), Check::AtLeast(1), ReadOnly Low;
    "transaction.state.log.load.buffer.size", Int, Some("5242880"), Check::AtLeast(1), ReadOnly High;
    "transaction.two.phase.commit.enable", Boolean, Some("false"), Check::Any, ReadOnly Low;
}
