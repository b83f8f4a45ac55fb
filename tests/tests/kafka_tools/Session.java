import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TimeZone;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import kafka.admin.ConfigCommand;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.apache.kafka.common.utils.Exit;
import org.apache.kafka.tools.GetOffsetShell;
import org.apache.kafka.tools.GroupsCommand;
import org.apache.kafka.tools.consumer.ConsoleConsumer;
import org.apache.kafka.tools.consumer.group.ConsumerGroupCommand;

/**
 * Runs Apache Kafka's tools for groups and offsets in one virtual machine, against groups of known members and
 * offsets, and writes what they say, with everything masked that no two brokers have in common.
 *
 * <p>Arguments: the broker's address, and the file to write.
 */
public final class Session {
    /** The first records' time, 2024-01-01T00:00:00Z. One record a second follows. */
    private static final long LONG_AGO = 1_704_067_200_000L;
    private static final Duration SOON = Duration.ofSeconds(60);
    private static final Duration TURN = Duration.ofMillis(50);

    private static final TopicPartition FIRST = new TopicPartition("orders", 0);
    private static final TopicPartition SECOND = new TopicPartition("orders", 1);

    private final String bootstrap;
    private final Transcript transcript = new Transcript();
    private final List<Consumer<String, String>> classic = new ArrayList<>();
    private final List<Consumer<String, String>> modern = new ArrayList<>();

    private Session(String bootstrap) {
        this.bootstrap = bootstrap;
    }

    public static void main(String[] arguments) throws Exception {
        Locale.setDefault(Locale.ROOT);
        TimeZone.setDefault(TimeZone.getTimeZone("UTC"));
        Session session = new Session(arguments[0]);
        session.prepare();
        session.lookAtEverything();
        session.touchGroupsInUse();
        session.leave();
        session.lookAtEmptyGroups();
        session.resetOffsets();
        session.resetFromFile();
        session.readTheOffsetsTopic();
        session.delete();
        session.changeSettings();
        Files.writeString(Path.of(arguments[1]), session.transcript.text());
    }

    /** Two partitions with ten and eight records, a group of each kind with two members, and one without members. */
    private void prepare() throws Exception {
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", bootstrap))) {
            // The records are from another year.
            Map<String, String> keepAll = Map.of("retention.ms", "-1");
            admin.createTopics(List.of(
                new NewTopic("orders", 2, (short) 1).configs(keepAll),
                new NewTopic("returns", 1, (short) 1).configs(keepAll))).all().get();
        }
        try (KafkaProducer<String, String> producer = new KafkaProducer<>(
                Map.of("bootstrap.servers", bootstrap), new StringSerializer(), new StringSerializer())) {
            for (int i = 0; i < 10; i++) {
                producer.send(new ProducerRecord<>("orders", 0, LONG_AGO + i * 1000L, "k", "v")).get();
            }
            for (int i = 0; i < 8; i++) {
                long time = i < 4 ? LONG_AGO + i * 1000L : System.currentTimeMillis();
                producer.send(new ProducerRecord<>("orders", 1, time, "k", "v")).get();
            }
            producer.send(new ProducerRecord<>("returns", 0, LONG_AGO, "k", "v")).get();
        }
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
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", bootstrap))) {
            admin.alterConsumerGroupOffsets("simple", Map.of(
                FIRST, new OffsetAndMetadata(1), SECOND, new OffsetAndMetadata(8),
                new TopicPartition("returns", 0), new OffsetAndMetadata(0))).all().get();
        }
    }

    private Consumer<String, String> consumer(String group, String protocol, String client) {
        Map<String, Object> settings = new HashMap<>(Map.of(
            "bootstrap.servers", bootstrap,
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
            run("kafka-groups", GroupsCommand::main, "--list" + what);
        }
        for (String what : List.of("", " --topic orders", " --topic orders --time -1", " --topic orders --time -2",
                " --topic orders --time -3", " --topic orders --time -4", " --topic orders --time -5",
                " --topic orders --time earliest", " --topic orders --time latest",
                " --topic orders --time max-timestamp", " --topic orders --time earliest-local",
                " --topic orders --time latest-tiered", " --topic orders --time " + (LONG_AGO + 1500),
                " --topic orders --time " + (LONG_AGO + 1000L * 86_400 * 36_500), " --topic orders --time nonsense",
                " --topic orders --partitions 1", " --topic orders --partitions 7", " --topic missing",
                " --topic-partitions orders:0,returns:0-3", " --topic o.*", " --exclude-internal-topics")) {
            run("kafka-get-offsets", GetOffsetShell::main, what);
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
        Path plan = Files.createTempFile("plan", ".csv");
        String exported = groups("--reset-offsets --group simple --topic orders --to-offset 4 --dry-run --export");
        Files.writeString(plan, exported);
        groups("--reset-offsets --group simple --from-file " + plan + " --dry-run");
        groups("--reset-offsets --group simple --from-file " + plan + " --execute");
        exported = groups("--reset-offsets --group simple --group fresh --topic orders --to-current --export");
        Files.writeString(plan, exported);
        groups("--reset-offsets --group simple --group fresh --from-file " + plan + " --execute --export");
        Files.writeString(plan, "orders,0,nonsense\n");
        groups("--reset-offsets --group simple --from-file " + plan + " --execute");
        groups("--describe --group simple");
        Files.delete(plan);
    }

    private void readTheOffsetsTopic() {
        for (String formatter : List.of("OffsetsMessageFormatter", "GroupMetadataMessageFormatter")) {
            String told = run("kafka-console-consumer", ConsoleConsumer::main, "--topic __consumer_offsets",
                "--group reader-" + formatter, "--from-beginning --timeout-ms 3000",
                "--formatter org.apache.kafka.tools.consumer." + formatter);
            transcript.replaceLast(lastOfEachKey(told));
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

    /** Settings of the broker whose values are its own business. */
    private static final Set<String> OWN = Set.of(
        "advertised.listeners", "broker.id", "controller.listener.names", "controller.quorum.voters",
        "group.initial.rebalance.delay.ms", "listeners", "log.dir", "log.dirs", "max.connections", "node.id",
        "offsets.topic.replication.factor", "process.roles", "queued.max.request.bytes",
        "socket.listen.backlog.size", "transaction.state.log.min.isr", "transaction.state.log.replication.factor");

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
        transcript.replaceLast(transcript.last().lines()
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
        run("kafka-configs", ConfigCommand::main, arguments);
    }

    private String groups(String arguments) {
        return run("kafka-consumer-groups", ConsumerGroupCommand::main, arguments);
    }

    /** Runs a tool with arguments without spaces in them, and gives what it wrote to standard output. */
    private String run(String name, Tool tool, String... arguments) {
        String shown = String.join(" ", arguments).strip();
        String line = "--bootstrap-server " + bootstrap + " " + shown;
        PrintStream output = System.out;
        PrintStream errors = System.err;
        ByteArrayOutputStream told = new ByteArrayOutputStream();
        ByteArrayOutputStream complained = new ByteArrayOutputStream();
        List<Integer> codes = new ArrayList<>();
        Exit.setExitProcedure((code, message) -> {
            codes.add(code);
            // Some tools catch everything, and take the end of a good run for an error.
            if (code != 0) {
                throw new Ended();
            }
        });
        Exit.setShutdownHookAdder((ignored, hook) -> { });
        System.setOut(new PrintStream(told, true, StandardCharsets.UTF_8));
        System.setErr(new PrintStream(complained, true, StandardCharsets.UTF_8));
        try {
            tool.main(line.split(" "));
        } catch (Ended ended) {
            // The exit code was noted.
        } catch (Exception error) {
            complained.writeBytes((error + "\n").getBytes(StandardCharsets.UTF_8));
            codes.add(1);
        } finally {
            System.setOut(output);
            System.setErr(errors);
            Exit.resetExitProcedure();
            Exit.resetShutdownHookAdder();
        }
        String text = told.toString(StandardCharsets.UTF_8);
        transcript.add(name + " " + shown.replaceAll("\\S+\\.csv", "PLAN"), codes.isEmpty() ? 0 : codes.get(0), text,
            complained.toString(StandardCharsets.UTF_8));
        return text;
    }

    /** The main function of a tool. */
    private interface Tool {
        void main(String[] arguments) throws Exception;
    }

    /** Thrown where a tool would end the process. */
    private static final class Ended extends Error {
        private static final long serialVersionUID = 1;
    }

    /** What the tools said. */
    private static final class Transcript {
        /** What no two runs have in common, and what stands in its place. */
        private static final Map<Pattern, String> MASKS = masks();

        private final List<String> headings = new ArrayList<>();
        private final List<String> texts = new ArrayList<>();
        private final List<String> complaints = new ArrayList<>();

        private static Map<Pattern, String> masks() {
            Map<Pattern, String> masks = new LinkedHashMap<>();
            masks.put(Pattern.compile("(__consumer_offsets:\\d+):\\d+"), "$1:END");
            masks.put(Pattern.compile("total of \\d+ messages"), "total of COUNT messages");
            masks.put(Pattern.compile("127\\.0\\.0\\.1:\\d+"), "ADDRESS");
            masks.put(Pattern.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"), "UUID");
            masks.put(Pattern.compile("\"topicId\":\"[\\w-]{22}\""), "\"topicId\":\"TOPIC-ID\"");
            masks.put(Pattern.compile("(\\w*[tT]imestamp)\":1\\d{12}"), "$1\":TIME");
            masks.put(Pattern.compile("(?<=\\s|^)[A-Za-z0-9_-]{22}(?=\\s|$)"), "MEMBER-ID");
            return masks;
        }

        void add(String command, int code, String told, String complained) {
            headings.add("$ " + command + (code == 0 ? "" : "    # exits with " + code));
            texts.add(told);
            complaints.add(complained);
        }

        String last() {
            return texts.get(texts.size() - 1);
        }

        void replaceLast(String told) {
            texts.set(texts.size() - 1, told);
        }

        String text() {
            StringBuilder all = new StringBuilder();
            for (int i = 0; i < headings.size(); i++) {
                all.append(headings.get(i)).append('\n');
                block(texts.get(i), "").forEach(line -> all.append(line).append('\n'));
                block(complaints.get(i), "! ").forEach(line -> all.append(line).append('\n'));
                all.append('\n');
            }
            return all.toString();
        }

        /** The lines behind a table's heading are sorted: groups and members have no order. */
        private static List<String> block(String text, String prefix) {
            List<String> lines = new ArrayList<>();
            for (String line : text.lines().toList()) {
                String masked = line;
                for (Map.Entry<Pattern, String> mask : MASKS.entrySet()) {
                    Matcher matcher = mask.getKey().matcher(masked);
                    masked = matcher.replaceAll(mask.getValue());
                }
                masked = masked.replaceAll("\\s+", " ").strip();
                boolean isFrame = line.startsWith("\tat ") || line.startsWith("\t... ");
                if (!masked.isEmpty() && !isFrame) {
                    lines.add(prefix + masked);
                }
            }
            boolean isUsage = lines.stream().anyMatch(line -> line.contains("Option Description"));
            if (isUsage) {
                return List.of(prefix + "(the tool's usage)");
            }
            Collections.sort(lines);
            return lines;
        }
    }
}
