import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.consumer.OffsetOutOfRangeException;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/** The reset policy also applies when the committed record is gone. */
public class ResetOutOfRange {
    static final String TOPIC = "reset-out-of-range-" + UUID.randomUUID();
    static final TopicPartition PARTITION = new TopicPartition(TOPIC, 0);
    static String bootstrap = "127.0.0.1:9092";

    public static void main(String[] args) throws Exception {
        if (args.length > 0) {
            bootstrap = args[0];
        }
        produce("a", "b", "c", "d", "e");
        for (String policy : List.of("earliest", "latest", "none")) {
            try (var reader = startReader(policy)) {
                reader.commitSync(Map.of(PARTITION, new OffsetAndMetadata(1)));
            }
        }
        // What retention does after days, here at once: the records a, b and c are deleted.
        try (var admin = Admin.create(Map.of("bootstrap.servers", bootstrap))) {
            admin.deleteRecords(Map.of(PARTITION, RecordsToDelete.beforeOffset(3))).all().get();
        }
        System.out.println("The groups have committed 1. Then the records before offset 3 are deleted.");

        try (var reader = startReader("earliest")) {
            check(nextRecord(reader).value().equals("d"),
                "earliest: the group goes on with d, the first record that is left.");
        }
        try (var reader = startReader("latest")) {
            check(pollUntilAt(5, reader),
                "latest: the group goes on at the end. It skips d and e, which were there to be read.");
        }
        boolean refused = false;
        try (var reader = startReader("none")) {
            nextRecord(reader);
        } catch (OffsetOutOfRangeException error) {
            refused = true;
        }
        check(refused, "none in Java, error in librdkafka: the reader gets an error and decides itself.");
    }

    /** Polls until the reader's position is there, with no record on the way. */
    static boolean pollUntilAt(long offset, KafkaConsumer<String, String> reader) {
        long deadline = System.nanoTime() + 30_000_000_000L;
        while (System.nanoTime() < deadline && reader.poll(Duration.ofMillis(100)).isEmpty()) {
            if (reader.assignment().contains(PARTITION) && reader.position(PARTITION) == offset) {
                return true;
            }
        }
        return false;
    }

    static void produce(String... values) throws Exception {
        try (var producer = new KafkaProducer<>(Map.of("bootstrap.servers", bootstrap),
                new StringSerializer(), new StringSerializer())) {
            for (String value : values) {
                producer.send(new ProducerRecord<>(TOPIC, value)).get();
            }
        }
    }

    static KafkaConsumer<String, String> startReader(String policy) {
        var reader = new KafkaConsumer<>(Map.of(
                "bootstrap.servers", bootstrap,
                "group.id", policy + "-" + TOPIC,
                "enable.auto.commit", false,
                "auto.offset.reset", policy),
            new StringDeserializer(), new StringDeserializer());
        reader.assign(List.of(PARTITION));
        return reader;
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
