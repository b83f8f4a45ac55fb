//! Controllers and the metadata quorum.

use super::stored;

stored! {
    "Without effect: one process is broker and controller, and its catalog is a log of its own.";
    "broker.heartbeat.interval.ms", Int, Some("2000"), Check::Any, ReadOnly Medium;
    "broker.session.timeout.ms", Int, Some("9000"), Check::Any, ReadOnly Medium;
    "controller.performance.always.log.threshold.ms", Long, Some("2000"), Check::AtLeast(0), ReadOnly Medium;
    "controller.performance.sample.period.ms", Long, Some("60000"), Check::AtLeast(100), ReadOnly Medium;
    "controller.quorum.append.linger.ms", Int, Some("25"), Check::AtLeast(0), ReadOnly Medium;
    "controller.quorum.auto.join.enable", Boolean, Some("false"), Check::Any, ReadOnly Low;
    "controller.quorum.bootstrap.servers", List, Some(""), Check::Any, ReadOnly High;
    "controller.quorum.election.backoff.max.ms", Int, Some("1000"), Check::AtLeast(0), ReadOnly High;
    "controller.quorum.election.timeout.ms", Int, Some("1000"), Check::AtLeast(0), ReadOnly High;
    "controller.quorum.fetch.max.bytes", Int, Some("1048576"), Check::AtLeast(1), ReadOnly Low;
    "controller.quorum.fetch.snapshot.max.bytes", Int, Some("1048576"), Check::AtLeast(1), ReadOnly Low;
    "controller.quorum.fetch.timeout.ms", Int, Some("2000"), Check::AtLeast(0), ReadOnly High;
    "controller.quorum.request.timeout.ms", Int, Some("2000"), Check::AtLeast(0), ReadOnly Medium;
    "controller.quorum.retry.backoff.ms", Int, Some("20"), Check::AtLeast(0), ReadOnly Low;
    "controller.quorum.voters", List, Some(""), Check::Any, ReadOnly High;
    "controller.socket.timeout.ms", Int, Some("30000"), Check::Any, ReadOnly Medium;
    "early.start.listeners", List, None, Check::Any, ReadOnly High;
    "initial.broker.registration.timeout.ms", Int, Some("60000"), Check::Any, ReadOnly Medium;
    "internal.metadata.delete.delay.millis", Long, Some("60000"), Check::Any, ReadOnly Low;
    "internal.metadata.log.segment.bytes", Int, None, Check::Any, ReadOnly Low;
    "internal.metadata.max.batch.size.in.bytes", Int, Some("8388608"), Check::Any, ReadOnly Low;
    "metadata.log.dir", Text, None, Check::Any, ReadOnly High;
    "metadata.log.max.record.bytes.between.snapshots", Long, Some("20971520"), Check::AtLeast(1), ReadOnly High;
    "metadata.log.max.snapshot.interval.ms", Long, Some("3600000"), Check::AtLeast(0), ReadOnly High;
    "metadata.log.segment.bytes", Int, Some("1073741824"), Check::AtLeast(8_388_608), ReadOnly High;
    "metadata.log.segment.ms", Long, Some("604800000"), Check::Any, ReadOnly High;
    "metadata.max.idle.interval.ms", Int, Some("500"), Check::AtLeast(0), ReadOnly Low;
    "metadata.max.retention.bytes", Long, Some("104857600"), Check::Any, ReadOnly High;
    "metadata.max.retention.ms", Long, Some("604800000"), Check::Any, ReadOnly High;
    "process.roles", List, None, Check::OneOf(&["broker", "controller"]), ReadOnly High;
    "server.max.startup.time.ms", Long, Some("9223372036854775807"), Check::AtLeast(0), ReadOnly Medium;
    "unstable.api.versions.enable", Boolean, Some("false"), Check::Any, ReadOnly High;
    "unstable.feature.versions.enable", Boolean, Some("false"), Check::Any, ReadOnly High;
}
