//! Windows of metrics, reporters and plug-ins.

use super::stored;

stored! {
    "Without effect: classes of Java cannot be loaded, and windows of metrics are fixed.";
    "alter.config.policy.class.name", Class, None, Check::Any, ReadOnly Low;
    "client.quota.callback.class", Class, None, Check::Any, ReadOnly Low;
    "config.providers", List, Some(""), Check::Any, ClusterWide Low;
    "create.topic.policy.class.name", Class, None, Check::Any, ReadOnly Low;
    "kafka.metrics.polling.interval.secs", Int, Some("10"), Check::AtLeast(1), ReadOnly Low;
    "kafka.metrics.reporters", List, Some(""), Check::Any, ReadOnly Low;
    "metric.reporters", List, Some("org.apache.kafka.common.metrics.JmxReporter"), Check::Any, ClusterWide Low;
    "metrics.num.samples", Int, Some("2"), Check::AtLeast(1), ReadOnly Low;
    "metrics.recording.level", Text, Some("INFO"), Check::Any, ReadOnly Low;
    "metrics.sample.window.ms", Long, Some("30000"), Check::AtLeast(1), ReadOnly Low;
}
