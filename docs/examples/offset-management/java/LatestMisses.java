import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/** A group that has never committed starts at the end each time. */
public class LatestMisses {
    static final String TOPIC = "latest-misses-" + UUID.randomUUID();
    static final String GROUP = TOPIC;
    static final TopicPartition PARTITION = new TopicPartition(TOPIC, 0);
    static String bootstrap = "127.0.0.1:9092";

    public static void main(String[] args) throws Exception {
        if (args.length > 0) {
            bootstrap = args[0];
        }
        produce("a");
        try (var reader = startReader()) {
            check(start(reader) == 1, "A reader starts at the end, finds nothing new and stops.");
        }

        produce("b");
        try (var reader = startReader()) {
            check(start(reader) == 2, "b was written meanwhile. The reader starts at the end again: b is lost.");
            // Put right: commit where reading begins, before the first record comes.
            reader.commitSync();
        }

        produce("c");
        try (var reader = startReader()) {
            check(nextRecord(reader).value().equals("c"),
                "With a commit of the place where it began, the next one starts with c.");
        }
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
                "enable.auto.commit", false,
                "auto.offset.reset", "latest"),
            new StringDeserializer(), new StringDeserializer());
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
