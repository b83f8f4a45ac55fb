import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.NoOffsetForPartitionException;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigException;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/** Where a group starts that has committed nothing. */
public class ResetPolicies {
    static final String TOPIC = "reset-policies-" + UUID.randomUUID();
    static final TopicPartition PARTITION = new TopicPartition(TOPIC, 0);
    static String bootstrap = "127.0.0.1:9092";

    public static void main(String[] args) throws Exception {
        if (args.length > 0) {
            bootstrap = args[0];
        }
        produce("a", "b");

        try (var reader = startReader(Map.of("auto.offset.reset", "earliest"))) {
            check(nextRecord(reader).value().equals("a"), "earliest: the group starts with the first record, a.");
        }
        try (var reader = startReader(Map.of("auto.offset.reset", "latest"))) {
            check(start(reader) == 2, "latest: the group starts at the end, behind a and b.");
        }
        try (var reader = startReader(Map.of())) {
            check(start(reader) == 2, "No setting: as latest.");
        }
        boolean refused = false;
        try (var reader = startReader(Map.of("auto.offset.reset", "none"))) {
            nextRecord(reader);
        } catch (NoOffsetForPartitionException error) {
            refused = true;
        }
        check(refused, "none in Java, error in librdkafka: the reader gets an error and decides itself.");

        refused = false;
        try (var reader = startReader(Map.of("auto.offset.reset", ""))) {
            nextRecord(reader);
        } catch (ConfigException error) {
            refused = true;
        }
        check(refused, "An empty setting: the client refuses to start.");
    }

    static void produce(String... values) throws Exception {
        try (var producer = new KafkaProducer<>(Map.of("bootstrap.servers", bootstrap),
                new StringSerializer(), new StringSerializer())) {
            for (String value : values) {
                producer.send(new ProducerRecord<>(TOPIC, value)).get();
            }
        }
    }

    static KafkaConsumer<String, String> startReader(Map<String, Object> settings) {
        Map<String, Object> all = new HashMap<>(settings);
        all.put("bootstrap.servers", bootstrap);
        all.put("group.id", UUID.randomUUID().toString()); // A new group, which has committed nothing.
        all.put("enable.auto.commit", false);
        var reader = new KafkaConsumer<>(all, new StringDeserializer(), new StringDeserializer());
        reader.subscribe(List.of(TOPIC));
        return reader;
    }

    /** Where the reader starts, when no record comes. */
    static long start(KafkaConsumer<String, String> reader) {
        long deadline = System.nanoTime() + 30_000_000_000L;
        while (reader.assignment().isEmpty() && System.nanoTime() < deadline) {
            reader.poll(Duration.ofMillis(100)).forEach(record -> {
                throw new AssertionError("There came " + record.value());
            });
        }
        return reader.position(PARTITION);
    }

    static ConsumerRecord<String, String> nextRecord(KafkaConsumer<String, String> reader) {
        return reader.poll(Duration.ofSeconds(30)).iterator().next();
    }

    static void check(boolean holds, String claim) {
        if (!holds) {
            throw new AssertionError("This does not hold: " + claim);
        }
        System.out.println(claim);
    }
}
