import static java.nio.charset.StandardCharsets.UTF_8;

import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/** A commit is a request and a record, so commit once for many records. */
public class CommitCost {
    static final String TOPIC = "commit-cost-" + UUID.randomUUID();
    static final String GROUP = TOPIC;
    static final TopicPartition PARTITION = new TopicPartition(TOPIC, 0);
    static KafkaConsumer<String, String> reader;
    static final int RECORDS = 1000;
    static String bootstrap = "127.0.0.1:9092";

    public static void main(String[] args) throws Exception {
        if (args.length > 0) {
            bootstrap = args[0];
        }
        produce("a");
        reader = startReader();
        commit(0);

        long started = System.nanoTime();
        for (int number = 1; number <= RECORDS; number++) {
            commit(number);
        }
        long between = System.nanoTime();
        check(commitRecords() == 1 + RECORDS,
            "A commit after each of 1000 records: 1000 round trips, and 1000 records written.");

        long restarted = System.nanoTime();
        commit(2 * RECORDS);
        long ended = System.nanoTime();
        check(commitRecords() == 2 + RECORDS, "A commit after 1000 records: one round trip, and one record written.");
        System.err.printf("%.3f s for the first 1000, %.4f s for the second%n",
            (between - started) / 1e9, (ended - restarted) / 1e9);
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
        reader.commitSync(Map.of(PARTITION, new OffsetAndMetadata(offset)));
    }

    static void produce(String... values) throws Exception {
        try (var producer = new KafkaProducer<>(Map.of("bootstrap.servers", bootstrap),
                new StringSerializer(), new StringSerializer())) {
            for (String value : values) {
                producer.send(new ProducerRecord<>(TOPIC, value)).get();
            }
        }
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
