package ottla.clients;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;

/** A group member in a process of its own, which a scenario can kill: a client of this process says goodbye. */
final class DoomedMember implements AutoCloseable {
    private static final Duration TIME_TO_LIVE = Duration.ofSeconds(60);

    private final Process process;
    private final Set<String> said = ConcurrentHashMap.newKeySet();

    DoomedMember(String bootstrap, String group, String topic) throws IOException {
        String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
        process = new ProcessBuilder(java, "-Xmx128m", "-XX:TieredStopAtLevel=1", "-cp",
            System.getProperty("java.class.path"), DoomedMember.class.getName(), bootstrap, group, topic)
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
        Thread listener = new Thread(this::listen, "doomed-member");
        listener.setDaemon(true);
        listener.start();
    }

    private void listen() {
        try (BufferedReader reader =
                new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
            reader.lines().forEach(said::add);
        } catch (IOException e) {
            System.err.println("the doomed member is not heard any more: " + e);
        }
    }

    boolean said(String line) {
        return said.contains(line);
    }

    void kill() {
        process.destroyForcibly();
    }

    @Override
    public void close() {
        kill();
    }

    /** The member's side: takes two partitions, reads ten records of each, commits four of them, and lingers. */
    public static void main(String[] args) throws Exception {
        String topic = args[2];
        Map<String, Object> configs = Map.of(
            "bootstrap.servers", args[0], "group.id", args[1], "group.protocol", "consumer",
            "auto.offset.reset", "earliest", "enable.auto.commit", false);
        try (KafkaConsumer<String, String> consumer =
                new KafkaConsumer<>(configs, new StringDeserializer(), new StringDeserializer())) {
            Member member = new Member(consumer, List.of(topic));
            Wait.until("two partitions", () -> {
                member.poll();
                return consumer.assignment().size() == 2;
            });
            System.out.println("ASSIGNED");
            Wait.until("the records of two partitions", () -> {
                member.poll();
                return member.read.size() == 20;
            });
            Map<TopicPartition, OffsetAndMetadata> commit = new HashMap<>();
            consumer.assignment().forEach(partition -> commit.put(partition, new OffsetAndMetadata(4)));
            consumer.commitSync(commit);
            System.out.println("COMMITTED");
            Wait.until("being killed", TIME_TO_LIVE, () -> {
                member.poll();
                return false;
            });
        }
    }
}
