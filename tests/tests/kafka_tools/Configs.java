import java.util.List;
import java.util.Set;
import kafka.admin.ConfigCommand;

/** {@code kafka-configs}: settings of topics, brokers, groups and client metrics. */
final class Configs implements Session.Scenario {
    /** Settings of the broker whose values are its own business. */
    private static final Set<String> OWN = Set.of(
        "advertised.listeners", "broker.id", "controller.listener.names", "controller.quorum.voters",
        "group.initial.rebalance.delay.ms", "listeners", "log.dir", "log.dirs", "max.connections", "node.id",
        "offsets.topic.replication.factor", "process.roles", "queued.max.request.bytes",
        "socket.listen.backlog.size", "transaction.state.log.min.isr", "transaction.state.log.replication.factor");

    private Shell shell;

    @Override
    public void play(Shell shell) throws Exception {
        this.shell = shell;
        try (Contents contents = new Contents(shell)) {
            contents.topic("orders", 2);
            changeSettings();
        }
    }

    private void changeSettings() {
        String topic = "--entity-type topics --entity-name orders";
        String one = "--entity-type brokers --entity-name 1";
        String all = "--entity-type brokers --entity-default";
        String group = "--entity-type groups --entity-name modern";
        String metrics = "--entity-type client-metrics --entity-name slow";
        for (String who : List.of(topic, topic + " --all", "--entity-type topics", one, all, group,
                group + " --all", metrics + " --all", "--entity-type client-metrics")) {
            configs("--describe " + who);
        }
        configs("--describe " + one + " --all");
        shell.transcript().changeLast(told -> told.lines()
            .filter(line -> !OWN.contains(line.strip().split("=")[0]) && !line.strip().startsWith("ottla."))
            .reduce("", (lines, line) -> lines + line + "\n"));
        for (String change : List.of(
                topic + " --add-config retention.ms=100000,cleanup.policy=[compact,delete],segment.bytes=2000000",
                topic + " --add-config compression.type=zstd,compression.zstd.level=5",
                topic + " --add-config retention.ms=nonsense", topic + " --add-config segment.bytes=1",
                topic + " --add-config compression.type=rar", topic + " --add-config nonsense=1",
                topic + " --add-config min.compaction.lag.ms=2,max.compaction.lag.ms=1",
                topic + " --add-config remote.storage.enable=true",
                topic + " --add-config leader.replication.throttled.replicas=0:x",
                topic + " --delete-config segment.bytes", topic + " --delete-config nonsense",
                "--entity-type topics --entity-name missing --add-config retention.ms=1",
                one + " --add-config log.retention.ms=9000000,num.io.threads=9,message.max.bytes=3000000",
                one + " --add-config node.id=7", one + " --add-config log.retention.ms=nonsense",
                one + " --add-config log.cleaner.min.cleanable.ratio=7",
                one + " --add-config ssl.keystore.type=JKS", one + " --add-config min.insync.replicas=1",
                all + " --add-config message.max.bytes=2000000", all + " --add-config listeners=PLAINTEXT://:9",
                all + " --delete-config min.insync.replicas",
                group + " --add-config consumer.session.timeout.ms=50000,consumer.heartbeat.interval.ms=6000",
                group + " --add-config consumer.session.timeout.ms=1", group + " --add-config nonsense=1",
                group + " --add-config share.auto.offset.reset=nonsense",
                metrics + " --add-config interval.ms=1000,metrics=[a.,b.],match=[client_id=x.*]",
                metrics + " --add-config interval.ms=1", metrics + " --add-config match=[nonsense]",
                metrics + " --add-config nonsense=1")) {
            configs("--alter " + change);
        }
        for (String who : List.of(topic, topic + " --all", "--entity-type topics", one, all,
                "--entity-type brokers", group, group + " --all", "--entity-type groups", metrics,
                metrics + " --all", "--entity-type client-metrics")) {
            configs("--describe " + who);
        }
        configs("--alter " + topic + " --delete-config "
            + "retention.ms,cleanup.policy,compression.type,compression.zstd.level");
        configs("--alter " + one + " --delete-config log.retention.ms,num.io.threads,message.max.bytes");
        configs("--alter " + all + " --delete-config message.max.bytes");
        configs("--alter " + group
            + " --delete-config consumer.session.timeout.ms,consumer.heartbeat.interval.ms");
        configs("--alter " + metrics + " --delete-config interval.ms,metrics,match");
        for (String who : List.of(topic, one, all, group, metrics)) {
            configs("--describe " + who);
        }
    }

    private void configs(String arguments) {
        shell.run("kafka-configs", ConfigCommand::main, arguments);
    }
}
