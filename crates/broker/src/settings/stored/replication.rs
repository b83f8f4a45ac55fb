//! Replication between brokers.

use super::stored;

stored! {
    "Without effect: there is one broker, so nothing is replicated, elected or moved.";
    "alter.log.dirs.replication.quota.window.num", Int, Some("11"), Check::AtLeast(1), ReadOnly Low;
    "alter.log.dirs.replication.quota.window.size.seconds", Int, Some("1"), Check::AtLeast(1), ReadOnly Low;
    "auto.leader.rebalance.enable", Boolean, Some("true"), Check::Any, ReadOnly High;
    "controlled.shutdown.enable", Boolean, Some("true"), Check::Any, ReadOnly Medium;
    "cordoned.log.dirs", List, Some(""), Check::Any, PerBroker Medium;
    "follower.replication.throttled.rate", Long, Some("9223372036854775807"), Check::AtLeast(0), ClusterWide Medium;
    "inter.broker.listener.name", Text, None, Check::Any, ReadOnly Medium;
    "leader.imbalance.check.interval.seconds", Long, Some("300"), Check::AtLeast(1), ReadOnly High;
    "leader.replication.throttled.rate", Long, Some("9223372036854775807"), Check::AtLeast(0), ClusterWide Medium;
    "log.dir.failure.timeout.ms", Long, Some("30000"), Check::AtLeast(1), ReadOnly Low;
    "num.replica.alter.log.dirs.threads", Int, None, Check::Any, ReadOnly High;
    "num.replica.fetchers", Int, Some("1"), Check::AtLeast(1), ClusterWide High;
    "offsets.topic.replication.factor", Short, Some("3"), Check::AtLeast(1), ReadOnly High;
    "replica.alter.log.dirs.io.max.bytes.per.second", Long, Some("9223372036854775807"), Check::AtLeast(0), ClusterWide Medium;
    "replica.fetch.backoff.ms", Int, Some("1000"), Check::AtLeast(0), ReadOnly Medium;
    "replica.fetch.max.bytes", Int, Some("1048576"), Check::AtLeast(0), ReadOnly Medium;
    "replica.fetch.min.bytes", Int, Some("1"), Check::Any, ReadOnly High;
    "replica.fetch.response.max.bytes", Int, Some("10485760"), Check::AtLeast(0), ReadOnly Medium;
    "replica.fetch.wait.max.ms", Int, Some("500"), Check::Any, ReadOnly High;
    "replica.high.watermark.checkpoint.interval.ms", Long, Some("5000"), Check::Any, ReadOnly High;
    "replica.lag.time.max.ms", Long, Some("30000"), Check::Any, ReadOnly High;
    "replica.selector.class", Text, None, Check::Any, ReadOnly Medium;
    "replica.socket.receive.buffer.bytes", Int, Some("65536"), Check::Any, ReadOnly High;
    "replica.socket.timeout.ms", Int, Some("30000"), Check::Any, ReadOnly High;
    "replication.quota.window.num", Int, Some("11"), Check::AtLeast(1), ReadOnly Low;
    "replication.quota.window.size.seconds", Int, Some("1"), Check::AtLeast(1), ReadOnly Low;
    "transaction.state.log.min.isr", Int, Some("2"), Check::AtLeast(1), ReadOnly High;
    "transaction.state.log.replication.factor", Short, Some("3"), Check::AtLeast(1), ReadOnly High;
    "unclean.leader.election.enable", Boolean, Some("false"), Check::Any, ClusterWide High;
    "unclean.leader.election.interval.ms", Long, Some("300000"), Check::AtLeast(1), ReadOnly Medium;
}
