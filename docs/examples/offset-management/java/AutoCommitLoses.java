import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/** A poll commits what the poll before it gave, also what another thread still works on. */
public class AutoCommitLoses {
    static final String TOPIC = "auto-commit-loses-" + UUID.randomUUID();
    static final String GROUP = TOPIC;
    static final TopicPartition PARTITION = new TopicPartition(TOPIC, 0);
    static KafkaConsumer<String, String> watcher;
    static String bootstrap = "127.0.0.1:9092";

    public static void main(String[] args) throws Exception {
        if (args.length > 0) {
            bootstrap = args[0];
        }
        watcher = startReader();
        produce("a");

        var reader = startReader();
        var record = nextRecord(reader);
        // From here on another thread processes the record, and this one goes on polling.
        long deadline = System.nanoTime() + 30_000_000_000L;
        while (committed() == 0 && System.nanoTime() < deadline) {
            reader.poll(Duration.ofMillis(100));
        }
        check(record.value().equals("a") && committed() == 1,
            "a is still being processed, and the client has committed 1.");

        // A crash now: the successor goes on from the committed offset.
        produce("b");
        var successor = startReader();
        check(nextRecord(successor).value().equals("b"),
            "After a crash now, the successor starts with b: a is lost.");
    }

    static long committed() {
        var committed = watcher.committed(Set.of(PARTITION)).get(PARTITION);
        return committed == null ? 0 : committed.offset();
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
                "enable.auto.commit", true,
                "auto.commit.interval.ms", 100,
                "auto.offset.reset", "earliest"),
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
