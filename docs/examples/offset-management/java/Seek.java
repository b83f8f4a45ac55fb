import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/** The position and the committed offset are two numbers. */
public class Seek {
    static final String TOPIC = "seek-" + UUID.randomUUID();
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
        for (int turn = 0; turn < 3; turn++) {
            nextRecord(reader);
        }
        reader.commitSync();
        check(reader.position(PARTITION) == 3 && committed() == 3,
            "After reading and committing a, b, c: position 3, committed 3.");

        reader.seek(PARTITION, 0);
        check(nextRecord(reader).value().equals("a"), "After a seek to 0 the reader gets a.");
        check(reader.position(PARTITION) == 1 && committed() == 3,
            "Position 1, committed still 3: a seek commits nothing.");

        reader.commitSync(Map.of(PARTITION, new OffsetAndMetadata(0)));
        check(nextRecord(reader).value().equals("b"),
            "After a commit of 0 the same reader goes on with b: a commit moves no position.");
        reader.close();
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
