import static java.nio.charset.StandardCharsets.UTF_8;

import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.StringDeserializer;

/**
 * Of a group's commits, compaction keeps the last one of each partition.
 *
 * <p>For ottla serve -c log.cleaner.backoff.ms=100 -c offsets.topic.segment.bytes=1048576 -c ottla.offsets.history.ms=0
 */
public class OffsetsCompaction {
    static final String TOPIC = "offsets-compaction-" + UUID.randomUUID();
    static final String GROUP = TOPIC;
    static final TopicPartition PARTITION = new TopicPartition(TOPIC, 0);
    /** May stand beside an offset; here it fills the segment, of which only full ones are compacted. */
    static final String NOTE = "x".repeat(4000);
    static KafkaConsumer<String, String> reader;
    static String bootstrap = "127.0.0.1:9092";

    public static void main(String[] args) throws Exception {
        if (args.length > 0) {
            bootstrap = args[0];
        }
        try (var admin = Admin.create(Map.of("bootstrap.servers", bootstrap))) {
            admin.createTopics(List.of(new NewTopic(TOPIC, Optional.empty(), Optional.empty()))).all().get();
        }
        reader = startReader();

        long commits = 0;
        long deadline = System.nanoTime() + 60_000_000_000L;
        while (commits == 0 || commitRecords() == commits && System.nanoTime() < deadline) {
            for (int number = 0; number < 100; number++) {
                commits++;
                commit(commits);
            }
        }
        check(commitRecords() < commits,
            "There are fewer records of commits than there were commits: old ones were compacted away.");
        check(reader.committed(Set.of(PARTITION)).get(PARTITION).offset() == commits, "The last commit is there.");
        reader.close();
    }

    /** How many records of __consumer_offsets are commits of GROUP. */
    static long commitRecords() {
        // The version of the key, 1 for an offset, then the group with its length before it.
        byte[] group = GROUP.getBytes(UTF_8);
        byte[] start = ByteBuffer.allocate(4 + group.length)
            .putShort((short) 1).putShort((short) group.length).put(group).array();
        try (var reader = new KafkaConsumer<>(Map.of("bootstrap.servers", bootstrap),
                new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
            reader.assign(reader.partitionsFor("__consumer_offsets").stream()
                .map(partition -> new TopicPartition(partition.topic(), partition.partition())).toList());
            reader.seekToBeginning(reader.assignment());
            var ends = reader.endOffsets(reader.assignment());
            long count = 0;
            while (ends.entrySet().stream().anyMatch(end -> reader.position(end.getKey()) < end.getValue())) {
                for (var record : reader.poll(Duration.ofSeconds(30))) {
                    int common = Arrays.mismatch(record.key(), start);
                    count += common == start.length ? 1 : 0;
                }
            }
            return count;
        }
    }

    static void commit(long offset) {
        reader.commitSync(Map.of(PARTITION, new OffsetAndMetadata(offset, NOTE)));
    }

    static KafkaConsumer<String, String> startReader() {
        var reader = new KafkaConsumer<>(Map.of(
                "bootstrap.servers", bootstrap,
                "group.id", GROUP,
                "enable.auto.commit", false),
            new StringDeserializer(), new StringDeserializer());
        reader.assign(List.of(PARTITION));
        return reader;
    }

    static void check(boolean holds, String claim) {
        if (!holds) {
            throw new AssertionError("This does not hold: " + claim);
        }
        System.out.println(claim);
    }
}
