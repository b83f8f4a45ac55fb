import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/** A commit after the processing loses nothing, and repeats a record when the reader crashes in between. */
public class CommitLast {
    static final String TOPIC = "commit-last-" + UUID.randomUUID();
    static final String GROUP = TOPIC;
    static String bootstrap = "127.0.0.1:9092";

    public static void main(String[] args) throws Exception {
        if (args.length > 0) {
            bootstrap = args[0];
        }
        produce("a", "b", "c");
        List<String> processed = new ArrayList<>();

        var reader = startReader();
        for (int turn = 0; turn < 2; turn++) {
            var record = nextRecord(reader);
            processed.add(record.value());
            if (record.value().equals("b")) {
                break; // A crash, after the processing and before the commit.
            }
            reader.commitSync();
        }
        reader.close();

        reader = startReader();
        for (int turn = 0; turn < 2; turn++) {
            processed.add(nextRecord(reader).value());
            reader.commitSync();
        }
        reader.close();

        check(processed.equals(List.of("a", "b", "b", "c")),
            "Processed first: a, b, b, c were processed. Nothing is lost, b came twice.");
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
                "auto.offset.reset", "earliest",
                "max.poll.records", 1),
            new StringDeserializer(), new StringDeserializer());
        reader.subscribe(List.of(TOPIC));
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
