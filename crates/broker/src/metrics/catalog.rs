//! The one table of metrics: name, kind, labels, help. The exposition and `docs/metrics.md` follow it.

/// What kind of number a metric is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// It only rises, until the broker restarts.
    Counter,
    /// It goes up and down.
    Gauge,
    /// How many observations fell into which range.
    Histogram,
}

/// One row of the table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Metric {
    /// Its name; of a counter without the `_total` that the exposition adds.
    pub(crate) name: &'static str,
    /// Its kind.
    pub(crate) kind: Kind,
    /// The names of its labels, in the order in which samples give their values.
    pub(crate) labels: &'static [&'static str],
    /// What it tells.
    pub(crate) help: &'static str,
}

macro_rules! metrics {
    ($($id:ident: $kind:ident $name:literal [$($label:literal)*] $help:literal;)*) => {
        /// Names a row of the table.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Id {
            $(#[doc = $help] $id,)*
        }

        /// The table.
        pub(crate) const METRICS: &[Metric] = &[$(Metric {
            name: $name, kind: Kind::$kind, labels: &[$($label),*], help: $help,
        },)*];
    };
}

metrics! {
    GroupCommittedOffset: Gauge "ottla_group_committed_offset" ["group" "topic" "partition"]
        "The committed offset.";
    GroupEndOffset: Gauge "ottla_group_end_offset" ["group" "topic" "partition"]
        "The offset at which a reader of everything comes to the end.";
    GroupLagRecords: Gauge "ottla_group_lag_records" ["group" "topic" "partition" "isolation"]
        "Records that the group would still receive: no control records, none of aborted transactions, no gaps.";
    GroupLagBytes: Gauge "ottla_group_lag_bytes" ["group" "topic" "partition" "isolation"]
        "Bytes of the batches that those records are in, as they are stored.";
    GroupLagSeconds: Gauge "ottla_group_lag_seconds" ["group" "topic" "partition" "isolation"]
        "Age of the first of those records; 0 when there is none, and no sample when it has no timestamp.";
    GroupCommits: Counter "ottla_group_commits" ["group" "topic" "partition"]
        "Commits of an offset. At a restart it begins with those that the log still remembers.";
    GroupMembers: Gauge "ottla_group_members" ["group"]
        "Members of the group.";
    GroupState: Gauge "ottla_group_state" ["group" "type" "state"]
        "1 for the state that the group is in.";
    GroupRebalances: Counter "ottla_group_rebalances" ["group" "reason"]
        "Rebalances that have begun since this broker coordinates the group, by what began them.";
    KafkaGroupOffset: Gauge "kafka_consumergroup_current_offset" ["consumergroup" "topic" "partition"]
        "The committed offset, under the name of kafka_exporter.";
    KafkaGroupOffsetSum: Gauge "kafka_consumergroup_current_offset_sum" ["consumergroup" "topic"]
        "The sum of the committed offsets of a topic, under the name of kafka_exporter.";
    KafkaGroupLag: Gauge "kafka_consumergroup_lag" ["consumergroup" "topic" "partition"]
        "End offset less committed offset, under the name of kafka_exporter. It counts gaps as if they were records.";
    KafkaGroupLagSum: Gauge "kafka_consumergroup_lag_sum" ["consumergroup" "topic"]
        "The sum of that over a topic, under the name of kafka_exporter.";
    KafkaGroupMembers: Gauge "kafka_consumergroup_members" ["consumergroup"]
        "Members of the group, under the name of kafka_exporter.";
    KafkaTopicPartitions: Gauge "kafka_topic_partitions" ["topic"]
        "Partitions of the topic, under the name of kafka_exporter.";
    KafkaPartitionOffset: Gauge "kafka_topic_partition_current_offset" ["topic" "partition"]
        "The end offset, under the name of kafka_exporter.";
    KafkaPartitionOldest: Gauge "kafka_topic_partition_oldest_offset" ["topic" "partition"]
        "The first offset that can be read, under the name of kafka_exporter.";
    KafkaBrokers: Gauge "kafka_brokers" []
        "Brokers of the cluster, under the name of kafka_exporter.";
    JmxMessagesIn: Counter "kafka_server_brokertopicmetrics_messagesin" ["topic"]
        "Records that were appended; without a topic those of all topics, deleted ones too.";
    JmxBytesIn: Counter "kafka_server_brokertopicmetrics_bytesin" ["topic"]
        "Bytes of batches that were appended; without a topic those of all topics, deleted ones too.";
    JmxBytesOut: Counter "kafka_server_brokertopicmetrics_bytesout" ["topic"]
        "Bytes of batches that were read; without a topic those of all topics, deleted ones too.";
    JmxLogSize: Gauge "kafka_log_log_size" ["topic" "partition"]
        "Size of the log, without indexes.";
    JmxLogStart: Gauge "kafka_log_log_logstartoffset" ["topic" "partition"]
        "The first offset that can be read.";
    JmxLogEnd: Gauge "kafka_log_log_logendoffset" ["topic" "partition"]
        "The offset that the next record gets.";
    JmxLogSegments: Gauge "kafka_log_log_numlogsegments" ["topic" "partition"]
        "Segments of the log.";
    JmxPartitions: Gauge "kafka_server_replicamanager_partitioncount" []
        "Partitions.";
    JmxLeaders: Gauge "kafka_server_replicamanager_leadercount" []
        "Partitions that are served.";
    JmxOfflineReplicas: Gauge "kafka_server_replicamanager_offlinereplicacount" []
        "Partitions whose log is closed, because its disk failed.";
    JmxUnderReplicated: Gauge "kafka_server_replicamanager_underreplicatedpartitions" []
        "0: a partition has one replica.";
    JmxUnderMinIsr: Gauge "kafka_server_replicamanager_underminisrpartitioncount" []
        "0: a partition has one replica, and no more are asked for.";
    JmxAtMinIsr: Gauge "kafka_server_replicamanager_atminisrpartitioncount" []
        "Partitions that are served, which have one replica.";
    JmxIsrShrinks: Counter "kafka_server_replicamanager_isrshrinks" []
        "0: there is one broker.";
    JmxIsrExpands: Counter "kafka_server_replicamanager_isrexpands" []
        "0: there is one broker.";
    JmxBrokerState: Gauge "kafka_server_kafkaserver_brokerstate" []
        "3: the broker runs.";
    JmxActiveControllers: Gauge "kafka_controller_kafkacontroller_activecontrollercount" []
        "1: the broker is its controller.";
    JmxActiveBrokers: Gauge "kafka_controller_kafkacontroller_activebrokercount" []
        "1: there is one broker.";
    JmxFencedBrokers: Gauge "kafka_controller_kafkacontroller_fencedbrokercount" []
        "0: there is one broker.";
    JmxTopics: Gauge "kafka_controller_kafkacontroller_globaltopiccount" []
        "Topics.";
    JmxGlobalPartitions: Gauge "kafka_controller_kafkacontroller_globalpartitioncount" []
        "Partitions.";
    JmxOfflinePartitions: Gauge "kafka_controller_kafkacontroller_offlinepartitionscount" []
        "Partitions whose log is closed, because its disk failed.";
    JmxPreferredImbalance: Gauge "kafka_controller_kafkacontroller_preferredreplicaimbalancecount" []
        "0: there is one broker.";
    JmxUncleanElections: Counter "kafka_controller_controllerstats_uncleanleaderelections" []
        "0: there is one broker.";
    JmxGroups: Gauge "kafka_coordinator_group_groupmetadatamanager_numgroups" []
        "Groups of the classic protocol.";
    JmxGroupsEmpty: Gauge "kafka_coordinator_group_groupmetadatamanager_numgroupsempty" []
        "Those that have no members.";
    JmxGroupsStable: Gauge "kafka_coordinator_group_groupmetadatamanager_numgroupsstable" []
        "Those that are stable.";
    JmxGroupsPreparing: Gauge "kafka_coordinator_group_groupmetadatamanager_numgroupspreparingrebalance" []
        "Those that wait for members to join.";
    JmxGroupsCompleting: Gauge "kafka_coordinator_group_groupmetadatamanager_numgroupscompletingrebalance" []
        "Those that wait for the assignment.";
    JmxOffsets: Gauge "kafka_coordinator_group_groupmetadatamanager_numoffsets" []
        "Committed offsets.";
    JmxRequests: Counter "kafka_network_requestmetrics_requests" ["request"]
        "Requests that were answered, or needed no answer. A Fetch is counted as `FetchConsumer` too.";
    JmxErrors: Counter "kafka_network_requestmetrics_errors" ["request" "error"]
        "Error codes in answers, each partition and group for itself.";
    JmxConnections: Gauge "kafka_server_socket_server_metrics_connection_count" []
        "Open connections of clients.";
    JmxConnectionsMade: Counter "kafka_server_socket_server_metrics_connection_creation" []
        "Connections that were accepted.";
    TopicRecordsIn: Counter "ottla_topic_records_in" ["topic"]
        "Records that were appended.";
    TopicBytesIn: Counter "ottla_topic_bytes_in" ["topic"]
        "Bytes of batches that were appended.";
    TopicBytesOut: Counter "ottla_topic_bytes_out" ["topic"]
        "Bytes of batches that were read; what is read again, as by a fetch that waits for more, counts again.";
    LogSize: Gauge "ottla_log_size_bytes" ["topic" "partition"]
        "Size of the log, without indexes.";
    LogUnsynced: Gauge "ottla_log_unsynced_bytes" ["topic" "partition"]
        "Bytes that a power loss could take.";
    LogSegments: Gauge "ottla_log_segments" ["topic" "partition"]
        "Segments of the log.";
    OfflinePartitions: Gauge "ottla_offline_partitions" []
        "Partitions whose log is closed, because its disk failed.";
    Compactions: Counter "ottla_compactions" []
        "Compactions of a log that were finished.";
    CompactionRemoved: Counter "ottla_compaction_removed_bytes" []
        "Bytes that compaction has freed.";
    Connections: Gauge "ottla_connections" []
        "Open connections of clients.";
    ConnectionsAccepted: Counter "ottla_connections_accepted" []
        "Connections that were accepted.";
    ReceivedBytes: Counter "ottla_received_bytes" []
        "Bytes that were read from clients.";
    SentBytes: Counter "ottla_sent_bytes" []
        "Bytes that were written to clients.";
    Requests: Counter "ottla_requests" ["api"]
        "Requests that were answered, or needed no answer.";
    RequestErrors: Counter "ottla_request_errors" ["api" "error"]
        "Error codes in answers, each partition and group for itself; CLOSED when the connection was closed instead.";
    RequestSeconds: Histogram "ottla_request_duration_seconds" ["api"]
        "Time from the arrival of a whole request to its answer being ready, waits that the client asked for included.";
    ClientInstances: Gauge "ottla_client_instances" []
        "Clients that have asked lately which metrics to push.";
    ClientPushes: Counter "ottla_client_pushes" []
        "Pushes of metrics that were taken from clients.";
    ClientGauge: Gauge "ottla_client_gauge" ["metric" "client_id" "client_instance_id" "attributes"]
        "What a client has pushed last under the name that the label `metric` tells.";
    ClientCounter: Counter "ottla_client_counter" ["metric" "client_id" "client_instance_id" "attributes"]
        "The same of what only rises: the sum of the differences that were pushed.";
    ClientMetricsLeftOut: Counter "ottla_client_metrics_left_out" []
        "Numbers that clients have pushed and that there was no room for.";
    LeftOut: Gauge "ottla_metrics_left_out" ["what"]
        "Partitions of groups or of topics that are left out here, because there are too many.";
    BuildInfo: Gauge "ottla_build_info" ["version"]
        "1, with the version.";
    ProcessCpu: Counter "process_cpu_seconds" []
        "Processor time of the process.";
    ProcessResident: Gauge "process_resident_memory_bytes" []
        "Memory of the process that is resident, mapped files included.";
    ProcessVirtual: Gauge "process_virtual_memory_bytes" []
        "Address space of the process.";
    ProcessFds: Gauge "process_open_fds" []
        "Open descriptors.";
    ProcessFdsMax: Gauge "process_max_fds" []
        "Descriptors that the process may open.";
    ProcessStart: Gauge "process_start_time_seconds" []
        "When the process started, in seconds since 1970.";
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The table as the document shows it.
    fn table() -> String {
        let mut text = "| metric | kind | labels | |\n|---|---|---|---|\n".to_owned();
        for metric in METRICS {
            let labels: Vec<String> = metric.labels.iter().map(|label| format!("`{label}`")).collect();
            let (suffix, kind) = match metric.kind {
                Kind::Counter => ("_total", "counter"),
                Kind::Gauge => ("", "gauge"),
                Kind::Histogram => ("", "histogram"),
            };
            let (name, labels) = (metric.name, labels.join(", "));
            text.push_str(&format!("| `{name}{suffix}` | {kind} | {labels} | {} |\n", metric.help));
        }
        text
    }

    #[test]
    fn the_document_lists_what_there_is() {
        let document = include_str!("../../../../docs/metrics.md");
        assert!(document.contains(&table()), "put this table into docs/metrics.md:\n\n{}", table());
    }

    #[test]
    fn names_follow_the_rules() {
        let mut names: Vec<&str> = METRICS.iter().map(|metric| metric.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), METRICS.len());
        for metric in METRICS {
            let prefixes = ["ottla_", "process_", "kafka_"];
            assert!(prefixes.iter().any(|prefix| metric.name.starts_with(prefix)), "{}", metric.name);
            let is_snake = |text: &str| text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
            assert!(is_snake(metric.name) && metric.labels.iter().all(|label| is_snake(label)));
            assert!(!metric.name.ends_with("_total"), "{}", metric.name);
            assert!(metric.help.ends_with('.'), "{}", metric.name);
        }
    }
}
