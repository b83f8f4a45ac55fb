//! Tiered storage.

use super::stored;

stored! {
    "Without effect: there is no tiered storage.";
    "follower.fetch.last.tiered.offset.enable", Boolean, Some("false"), Check::Any, ClusterWide Medium;
    "log.local.retention.bytes", Long, Some("-2"), Check::AtLeast(-2), ClusterWide Medium;
    "log.local.retention.ms", Long, Some("-2"), Check::AtLeast(-2), ClusterWide Medium;
    "remote.fetch.max.wait.ms", Int, Some("500"), Check::AtLeast(1), ClusterWide Medium;
    "remote.list.offsets.request.timeout.ms", Long, Some("30000"), Check::AtLeast(1), ClusterWide Medium;
    "remote.log.index.file.cache.total.size.bytes", Long, Some("1073741824"), Check::AtLeast(1), ClusterWide Low;
    "remote.log.index.file.cache.ttl.ms", Long, Some("900000"), Check::AtLeast(-1), ReadOnly Low;
    "remote.log.manager.copier.thread.pool.size", Int, Some("10"), Check::AtLeast(1), ClusterWide Medium;
    "remote.log.manager.copy.max.bytes.per.second", Long, Some("9223372036854775807"), Check::AtLeast(1), ClusterWide Medium;
    "remote.log.manager.copy.quota.window.num", Int, Some("11"), Check::AtLeast(1), ReadOnly Medium;
    "remote.log.manager.copy.quota.window.size.seconds", Int, Some("1"), Check::AtLeast(1), ReadOnly Medium;
    "remote.log.manager.expiration.thread.pool.size", Int, Some("10"), Check::AtLeast(1), ClusterWide Medium;
    "remote.log.manager.fetch.max.bytes.per.second", Long, Some("9223372036854775807"), Check::AtLeast(1), ClusterWide Medium;
    "remote.log.manager.fetch.quota.window.num", Int, Some("11"), Check::AtLeast(1), ReadOnly Medium;
    "remote.log.manager.fetch.quota.window.size.seconds", Int, Some("1"), Check::AtLeast(1), ReadOnly Medium;
    "remote.log.manager.follower.thread.pool.size", Int, Some("2"), Check::AtLeast(1), ClusterWide Medium;
    "remote.log.manager.task.interval.ms", Long, Some("30000"), Check::AtLeast(1), ReadOnly Low;
    "remote.log.manager.task.retry.backoff.max.ms", Long, Some("30000"), Check::AtLeast(1), ReadOnly Low;
    "remote.log.manager.task.retry.backoff.ms", Long, Some("500"), Check::AtLeast(1), ReadOnly Low;
    "remote.log.manager.task.retry.jitter", Double, Some("0.2"), Check::Range(0.0, 0.5), ReadOnly Low;
    "remote.log.manager.thread.pool.size", Int, Some("2"), Check::AtLeast(1), ReadOnly Medium;
    "remote.log.metadata.custom.metadata.max.bytes", Int, Some("128"), Check::AtLeast(0), ReadOnly Low;
    "remote.log.metadata.manager.class.name", Text, Some("org.apache.kafka.server.log.remote.metadata.storage.TopicBasedRemoteLogMetadataManager"), Check::Any, ReadOnly Medium;
    "remote.log.metadata.manager.class.path", Text, None, Check::Any, ReadOnly Medium;
    "remote.log.metadata.manager.impl.prefix", Text, Some("rlmm.config."), Check::Any, ReadOnly Medium;
    "remote.log.metadata.manager.listener.name", Text, None, Check::Any, ReadOnly Medium;
    "remote.log.reader.max.pending.tasks", Int, Some("100"), Check::AtLeast(1), ReadOnly Medium;
    "remote.log.reader.threads", Int, Some("10"), Check::AtLeast(1), ClusterWide Medium;
    "remote.log.storage.manager.class.name", Text, None, Check::Any, ReadOnly Medium;
    "remote.log.storage.manager.class.path", Text, None, Check::Any, ReadOnly Medium;
    "remote.log.storage.manager.impl.prefix", Text, Some("rsm.config."), Check::Any, ReadOnly Medium;
    "remote.log.storage.system.enable", Boolean, Some("false"), Check::Any, ReadOnly Medium;
}
