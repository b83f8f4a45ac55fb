import java.util.List;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.tools.TopicCommand;

/** {@code kafka-topics}. */
final class Topics implements Session.Scenario {
    private static final String LONGEST = "t".repeat(249);

    private Shell shell;

    @Override
    public void play(Shell shell) throws Exception {
        this.shell = shell;
        shell.makeOffsetsTopic();
        make();
        makeWrongly();
        list();
        describe();
        describeById();
        alter();
        delete();
    }

    private void make() {
        for (String what : List.of("plain", "plain", "plain --if-not-exists", "three --partitions 3 --replication-factor 1",
                "wide --partitions 2 --config retention.ms=100000 --config cleanup.policy=compact,delete",
                "two.words", "two_words", "two_words --if-not-exists", LONGEST, LONGEST + "t",
                "placed --replica-assignment 1,1", "placed --replica-assignment 1,1",
                "throttled --config leader.replication.throttled.replicas=0:1",
                "small --config segment.bytes=1048576 --config max.message.bytes=100 --config min.insync.replicas=2")) {
            topics("--create --topic " + what);
        }
    }

    private void makeWrongly() {
        for (String name : List.of("", ".", "..", "a/b", "a!b", "../../etc/passwd", "%s", "ü", "__cluster_metadata")) {
            topics("--create --topic " + name);
        }
        for (String what : List.of("--partitions 0", "--partitions -1", "--partitions nonsense", "--partitions 100000",
                "--partitions 10001", "--replication-factor 0", "--replication-factor -1", "--replication-factor 2",
                "--replication-factor 32768", "--partitions 2 --replication-factor 3",
                "--replica-assignment 2", "--replica-assignment 1,2", "--replica-assignment 1:1",
                "--replica-assignment 1:2", "--replica-assignment 1:2,1", "--replica-assignment -1",
                "--replica-assignment nonsense", "--replica-assignment 1 --partitions 1",
                "--replica-assignment 1 --replication-factor 1", "--config nonsense=1", "--config retention.ms",
                "--config retention.ms=nonsense", "--config segment.bytes=1", "--config cleanup.policy=nonsense",
                "--config compression.type=rar", "--config min.insync.replicas=0", "--config retention.ms=-2",
                "--config min.compaction.lag.ms=2 --config max.compaction.lag.ms=1",
                "--config remote.storage.enable=true", "--config follower.replication.throttled.replicas=x",
                "--config message.timestamp.type=Never", "--config unclean.leader.election.enable=maybe",
                "--config local.retention.ms=5 --config retention.ms=1", "--if-exists", "--delete-config retention.ms",
                "--alter", "--exclude-internal", "--unavailable-partitions", "--topics-with-overrides", "--nonsense")) {
            topics("--create --topic wrong " + what);
        }
        topics("--create");
        topics("--topic wrong");
        topics("--list --describe");
    }

    private void list() {
        for (String what : List.of("", " --exclude-internal", " --topic t.*", " --topic three", " --topic missing",
                " --topic three,wide", " --if-exists", " --topics-with-overrides", " --partitions 3")) {
            topics("--list" + what);
        }
    }

    private void describe() {
        for (String what : List.of("--exclude-internal", "--topic three", "--topic wide", "--topic placed",
                "--topic small", "--topic missing", "--topic missing --if-exists", "--topic t.*", "--topic three,plain",
                "--exclude-internal --topics-with-overrides", "--topic three --under-replicated-partitions",
                "--unavailable-partitions", "--under-min-isr-partitions", "--topic three --at-min-isr-partitions",
                "--topic three --topics-with-overrides", "--topic wide --topics-with-overrides",
                "--topic three --partition-size-limit-per-response 1",
                "--exclude-internal --partition-size-limit-per-response 2",
                "--topic three --partition-size-limit-per-response 0",
                "--topic three --partition-size-limit-per-response -1",
                "--topic three --partition-size-limit-per-response nonsense",
                "--topics-with-overrides --under-replicated-partitions", "--topic three --config retention.ms=1",
                "--topic three --partitions 3", "--topic three --if-not-exists",
                "--unavailable-partitions --under-replicated-partitions")) {
            topics("--describe " + what);
        }
    }

    private void describeById() throws Exception {
        String id;
        try (Admin admin = shell.admin()) {
            id = admin.describeTopics(List.of("three")).allTopicNames().get().get("three").topicId().toString();
        }
        for (String what : List.of(id, id + " --if-exists", id + " --topic three", id + " --topics-with-overrides",
                "AAAAAAAAAAAAAAAAAAAAZg", "AAAAAAAAAAAAAAAAAAAAZg --if-exists", "AAAAAAAAAAAAAAAAAAAAAA", "nonsense")) {
            topics("--describe --topic-id " + what);
        }
    }

    private void alter() throws Exception {
        for (String what : List.of("three --partitions 5", "three --partitions 5", "three --partitions 2",
                "three --partitions 0", "three --partitions -1", "three --partitions nonsense", "three",
                "missing --partitions 5", "missing --partitions 5 --if-exists",
                "t.* --partitions 6", "three --partitions 7 --replica-assignment 1,1,1,1,1,1,1")) {
            topics("--alter --topic " + what);
        }
        shell.await("seven partitions", admin -> 7
            == admin.describeTopics(List.of("three")).allTopicNames().get().get("three").partitions().size());
        for (String what : List.of("three --partitions 8 --replica-assignment 1", "three --partitions 8 --replica-assignment 1,1,1,1,1,1,1,9",
                "three --partitions 8 --replica-assignment 1,1,1,1,1,1,1,1,1", "three --partitions 8 --replica-assignment 1:1",
                "three --partitions 8 --replica-assignment 1:2,1:2,1:2,1:2,1:2,1:2,1:2,1:2",
                "three --partitions 8 --replica-assignment x",
                "three --partitions 8 --config retention.ms=1", "three --partitions 8 --replication-factor 2",
                "three --partitions 8 --if-not-exists")) {
            topics("--alter --topic " + what);
        }
        topics("--alter --partitions 3");
        topics("--describe --topic three");
    }

    private void delete() throws Exception {
        for (String what : List.of("missing", "missing --if-exists", "plain", "plain", "two.words --partitions 3",
                "two.words --config retention.ms=1", "two.words --if-not-exists", "two.words", "t.*", "wide,placed",
                "small --if-exists", "wrong --if-exists")) {
            topics("--delete --topic " + what);
        }
        topics("--delete");
        shell.await("no topics", admin -> admin.listTopics().names().get().isEmpty());
        topics("--list --exclude-internal");
    }

    private void topics(String arguments) {
        shell.run("kafka-topics", TopicCommand::main, arguments);
    }
}
