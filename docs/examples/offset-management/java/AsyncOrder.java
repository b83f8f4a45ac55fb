import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/** Asynchronous commits are stored in their order, so one that is sent again can go back. */
public class AsyncOrder {
    static final String TOPIC = "async-order-" + UUID.randomUUID();
    static final String GROUP = TOPIC;
    static final TopicPartition PARTITION = new TopicPartition(TOPIC, 0);
    static KafkaConsumer<String, String> reader;
    static String bootstrap = "127.0.0.1:9092";

    public static void main(String[] args) throws Exception {
        if (args.length > 0) {
            bootstrap = args[0];
        }
        produce("a", "b", "c");
        reader = startReader();
        // An answer from the coordinator, so that the client knows it when it commits.
        reader.committed(Set.of(PARTITION));

        check(answersTo(1, 2, 3).equals(List.of(1L, 2L, 3L)), "Commits of 1, 2 and 3 were answered in this order.");
        check(committed() == 3, "The last one counts: 3 is committed.");
        // A program that takes the answer to 1 for lost, and sends it again:
        answersTo(1);
        check(committed() == 1, "The commit of 1, sent again, has replaced 3: two records would be repeated.");
        reader.close();
    }

    /** Commits without waiting in between, then waits for all answers. */
    static List<Long> answersTo(long... offsets) {
        List<Long> answers = new ArrayList<>();
        for (long offset : offsets) {
            reader.commitAsync(Map.of(PARTITION, new OffsetAndMetadata(offset)),
                (committed, error) -> answers.add(error == null ? committed.get(PARTITION).offset() : null));
        }
        long deadline = System.nanoTime() + 30_000_000_000L;
        while (answers.size() < offsets.length && System.nanoTime() < deadline) {
            reader.poll(Duration.ofMillis(100));
        }
        return answers;
    }

    static long committed() {
        return reader.committed(Set.of(PARTITION)).get(PARTITION).offset();
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
