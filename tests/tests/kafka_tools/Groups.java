import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.tools.GroupsCommand;
import org.apache.kafka.tools.consumer.ConsoleConsumer;
import org.apache.kafka.tools.consumer.group.ConsumerGroupCommand;

/** {@code kafka-consumer-groups} and {@code kafka-groups}, and what the console consumer reads of the offsets' topic. */
final class Groups implements Session.Scenario {
    private static final Duration SOON = Duration.ofSeconds(60);
    private static final Duration TURN = Duration.ofMillis(50);

    private static final TopicPartition FIRST = new TopicPartition("orders", 0);
    private static final TopicPartition SECOND = new TopicPartition("orders", 1);

    private final List<Consumer<String, String>> classic = new ArrayList<>();
    private final List<Consumer<String, String>> modern = new ArrayList<>();
    private Shell shell;

    @Override
    public void play(Shell shell) throws Exception {
        this.shell = shell;
        try (Contents contents = new Contents(shell)) {
            prepare(contents);
            lookAtEverything();
            touchGroupsInUse();
            leave();
            lookAtEmptyGroups();
            resetOffsets();
            resetFromFile();
            readTheOffsetsTopic();
            delete();
        }
    }

    /** Two partitions with ten and eight records, a group of each kind with two members, and one without members. */
    private void prepare(Contents contents) throws Exception {
        contents.topic("orders", 2).topic("returns", 1);
        contents.records("orders", 0, 10).records("orders", 1, 4);
        contents.records("orders", 1, 4, System.currentTimeMillis()).records("returns", 0, 1);
        for (String client : List.of("one", "two")) {
            classic.add(consumer("classic", "classic", client));
            settle(classic);
        }
        // These have random ids, which give no order: they are told apart by nothing.
        for (String client : List.of("three", "three")) {
            modern.add(consumer("modern", "consumer", client));
            settle(modern);
        }
        Map<TopicPartition, OffsetAndMetadata> commit =
            Map.of(FIRST, new OffsetAndMetadata(3, "third"), SECOND, new OffsetAndMetadata(5));
        for (List<Consumer<String, String>> members : List.of(classic, modern)) {
            for (Consumer<String, String> member : members) {
                Map<TopicPartition, OffsetAndMetadata> own = new HashMap<>(commit);
                own.keySet().retainAll(member.assignment());
                member.commitSync(own);
            }
        }
        try (Admin admin = shell.admin()) {
            admin.alterConsumerGroupOffsets("simple", Map.of(
                FIRST, new OffsetAndMetadata(1), SECOND, new OffsetAndMetadata(8),
                new TopicPartition("returns", 0), new OffsetAndMetadata(0))).all().get();
        }
    }

    private Consumer<String, String> consumer(String group, String protocol, String client) {
        Map<String, Object> settings = new HashMap<>(Map.of(
            "bootstrap.servers", shell.bootstrap(),
            "group.id", group,
            "client.id", client,
            "group.protocol", protocol,
            "enable.auto.commit", "false"));
        if (protocol.equals("classic")) {
            settings.put("partition.assignment.strategy", "org.apache.kafka.clients.consumer.RangeAssignor");
        }
        Consumer<String, String> consumer =
            new KafkaConsumer<>(settings, new StringDeserializer(), new StringDeserializer());
        consumer.subscribe(List.of("orders"));
        return consumer;
    }

    /** Polls the members until each has its part of the two partitions. */
    private static void settle(List<Consumer<String, String>> members) {
        long deadline = System.nanoTime() + SOON.toNanos();
        while (!members.stream().allMatch(member -> member.assignment().size() == 2 / members.size())) {
            if (System.nanoTime() > deadline) {
                throw new IllegalStateException("the members do not settle");
            }
            members.forEach(member -> member.poll(TURN));
        }
    }

    private void leave() {
        classic.forEach(Consumer::close);
        modern.forEach(Consumer::close);
    }

    private void lookAtEverything() {
        for (String what : List.of(
                "--list", "--list --state", "--list --state stable", "--list --state Empty,Dead", "--list --type",
                "--list --type classic", "--list --type consumer", "--list --type classic,consumer",
                "--list --state --type", "--list --state nonsense", "--list --type nonsense")) {
            groups(what);
        }
        for (String group : List.of("classic", "modern", "simple", "missing")) {
            for (String what : List.of("", " --offsets --verbose", " --members", " --members --verbose", " --state",
                    " --state --verbose")) {
                groups("--describe --group " + group + what);
            }
        }
        for (String what : List.of("", " --members", " --members --verbose", " --state")) {
            groups("--describe --all-groups" + what);
        }
        groups("--describe --group classic --group modern --state");
        for (String what : List.of("", " --consumer", " --share", " --group-type classic", " --group-type consumer",
                " --protocol consumer", " --protocol consumer --group-type classic", " --group-type nonsense")) {
            shell.run("kafka-groups", GroupsCommand::main, "--list" + what);
        }
    }

    private void touchGroupsInUse() {
        for (String group : List.of("classic", "modern")) {
            groups("--reset-offsets --group " + group + " --topic orders --to-earliest --dry-run");
            groups("--reset-offsets --group " + group + " --topic orders --to-earliest --execute");
            groups("--delete --group " + group);
            groups("--delete-offsets --group " + group + " --topic orders");
            groups("--delete-offsets --group " + group + " --topic returns");
        }
    }

    private void lookAtEmptyGroups() {
        groups("--list --state --type");
        for (String group : List.of("classic", "modern")) {
            for (String what : List.of("", " --members", " --state")) {
                groups("--describe --group " + group + what);
            }
        }
    }

    private void resetOffsets() {
        for (String group : List.of("classic", "modern", "simple")) {
            for (String where : List.of("--to-earliest", "--to-latest", "--to-datetime 2024-01-01T00:00:02.500",
                    "--by-duration PT1H", "--shift-by 2", "--shift-by -3", "--shift-by -100", "--to-offset 6",
                    "--to-offset 99", "--to-current")) {
                groups("--reset-offsets --group " + group + " --topic orders " + where + " --dry-run");
                groups("--reset-offsets --group " + group + " --topic orders " + where + " --execute");
            }
            groups("--describe --group " + group);
        }
        groups("--reset-offsets --group simple --all-topics --to-earliest");
        groups("--reset-offsets --group simple --topic orders:1 --topic returns --to-latest --execute");
        groups("--reset-offsets --group simple --topic orders:7 --to-latest --execute");
        groups("--reset-offsets --group simple --topic missing --to-latest --execute");
        groups("--reset-offsets --group fresh --topic orders --to-latest --execute");
        groups("--reset-offsets --group fresh --topic orders --to-nowhere");
        groups("--reset-offsets --all-groups --topic orders --to-offset 2 --execute");
        groups("--describe --group fresh");
    }

    private void resetFromFile() throws Exception {
        String exported = groups("--reset-offsets --group simple --topic orders --to-offset 4 --dry-run --export");
        Path plan = shell.file(exported, "PLAN");
        groups("--reset-offsets --group simple --from-file " + plan + " --dry-run");
        groups("--reset-offsets --group simple --from-file " + plan + " --execute");
        exported = groups("--reset-offsets --group simple --group fresh --topic orders --to-current --export");
        plan = shell.file(exported, "PLAN");
        groups("--reset-offsets --group simple --group fresh --from-file " + plan + " --execute --export");
        plan = shell.file("orders,0,nonsense\n", "NONSENSE");
        groups("--reset-offsets --group simple --from-file " + plan + " --execute");
        groups("--describe --group simple");
    }

    private void readTheOffsetsTopic() {
        for (String formatter : List.of("OffsetsMessageFormatter", "GroupMetadataMessageFormatter")) {
            shell.run("kafka-console-consumer", ConsoleConsumer::main, "--topic __consumer_offsets",
                "--group reader-" + formatter, "--from-beginning --timeout-ms 3000",
                "--formatter org.apache.kafka.tools.consumer." + formatter);
            shell.transcript().changeLast(Groups::lastOfEachKey);
        }
    }

    /** The formatters put their objects one behind the other. How often one is written is the broker's business. */
    private static String lastOfEachKey(String told) {
        Map<String, String> last = new TreeMap<>();
        for (String line : told.replace("}{\"key\"", "}\n{\"key\"").lines().toList()) {
            int value = line.indexOf(",\"value\":");
            boolean ofReader = line.contains("\"group\":\"reader-");
            if (!ofReader) {
                last.put(value < 0 ? line : line.substring(0, value), line);
            }
        }
        return String.join("\n", last.values()) + "\n";
    }

    private void delete() {
        groups("--delete-offsets --group simple --topic orders:1");
        groups("--delete-offsets --group simple --topic orders:7");
        groups("--delete-offsets --group missing --topic orders");
        groups("--delete-offsets --group modern --topic orders");
        groups("--describe --group simple");
        groups("--describe --group modern");
        groups("--delete --group simple");
        groups("--delete --group missing");
        groups("--delete --group classic --group modern --group missing");
        groups("--list");
        groups("--delete --group fresh");
        groups("--describe --group fresh");
    }

    private String groups(String arguments) {
        return shell.run("kafka-consumer-groups", ConsumerGroupCommand::main, arguments);
    }
}
