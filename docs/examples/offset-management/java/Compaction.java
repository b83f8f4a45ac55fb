import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/**
 * Compaction leaves gaps: offsets stay, records go.
 *
 * <p>For ottla serve -c log.cleaner.backoff.ms=100
 */
public class Compaction {
    static final String TOPIC = "compaction-" + UUID.randomUUID();
    static final TopicPartition PARTITION = new TopicPartition(TOPIC, 0);
    static String bootstrap = "127.0.0.1:9092";

    public static void main(String[] args) throws Exception {
        if (args.length > 0) {
            bootstrap = args[0];
        }
        try (var admin = Admin.create(Map.of("bootstrap.servers", bootstrap))) {
            var settings = Map.of(
                "cleanup.policy", "compact", "segment.ms", "100", "min.cleanable.dirty.ratio", "0.01");
            var topic = new NewTopic(TOPIC, Optional.of(1), Optional.empty()).configs(settings);
            admin.createTopics(List.of(topic)).all().get();
        }
        List<Long> offsets;
        try (var producer = new KafkaProducer<>(Map.of("bootstrap.servers", bootstrap),
                new StringSerializer(), new StringSerializer())) {
            for (int number = 0; number < 10; number++) {
                producer.send(new ProducerRecord<>(TOPIC, "price", Integer.toString(number))).get();
            }
            // The newest segment is never compacted, so it takes later records to begin a new one.
            long deadline = System.nanoTime() + 60_000_000_000L;
            offsets = offsetsFrom(0);
            while (offsets.contains(3L) && System.nanoTime() < deadline) {
                producer.send(new ProducerRecord<>(TOPIC, "price", "later")).get();
                offsets = offsetsFrom(0);
            }
        }

        check(offsets.get(0) > 3, "Ten prices were written, at 0 to 9. Compaction has taken the old ones away.");
        check(offsetsFrom(3).get(0) > 3,
            "A reader that goes on from 3 gets the next record that is left, without an error.");
        long end = offsets.get(offsets.size() - 1) + 1;
        check(end - 3 > offsets.size(),
            "The end offset less 3 is more than the number of records that are left to read.");
    }

    /** The offsets of all records from there to the end. */
    static List<Long> offsetsFrom(long start) {
        try (var reader = new KafkaConsumer<>(Map.of("bootstrap.servers", bootstrap),
                new StringDeserializer(), new StringDeserializer())) {
            reader.assign(List.of(PARTITION));
            reader.seek(PARTITION, start);
            long end = reader.endOffsets(List.of(PARTITION)).get(PARTITION);
            List<Long> offsets = new ArrayList<>();
            while (reader.position(PARTITION) < end) {
                reader.poll(Duration.ofSeconds(30)).forEach(record -> offsets.add(record.offset()));
            }
            return offsets;
        }
    }

    static void check(boolean holds, String claim) {
        if (!holds) {
            throw new AssertionError("This does not hold: " + claim);
        }
        System.out.println(claim);
    }
}
