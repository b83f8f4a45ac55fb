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

/**
 * Offsets expire a while after the group's last member has left.
 *
 * <p>For ottla serve -c offsets.retention.minutes=1 -c offsets.retention.check.interval.ms=1000
 */
public class Expiry {
    static final String TOPIC = "expiry-" + UUID.randomUUID();
    static final TopicPartition PARTITION = new TopicPartition(TOPIC, 0);
    static String bootstrap = "127.0.0.1:9092";

    public static void main(String[] args) throws Exception {
        if (args.length > 0) {
            bootstrap = args[0];
        }
        produce("a", "b");
        var left = startReader("left");
        var stays = startReader("stays");
        for (var reader : List.of(left, stays)) {
            nextRecord(reader);
            reader.commitSync();
        }
        left.close();
        long leftAt = System.nanoTime();
        check(committed("left") == 1 && committed("stays") == 1,
            "Two groups have committed 1. The member of one of them leaves.");

        long deadline = leftAt + 90_000_000_000L;
        while (committed("left") >= 0 && System.nanoTime() < deadline) {
            stays.poll(Duration.ofSeconds(1)); // The other member goes on, and commits nothing new.
        }
        long seconds = (System.nanoTime() - leftAt) / 1_000_000_000;
        check(committed("left") < 0 && seconds > 55, "After a minute its offset has expired.");
        check(committed("stays") == 1,
            "The offset of the group that has a member is as old, and is still there.");
        stays.close();

        left = startReader("left");
        check(nextRecord(left).value().equals("a"),
            "When a member comes back it starts as its reset policy says, here with a.");
        left.close();
    }

    static long committed(String group) {
        try (var watcher = new KafkaConsumer<>(
                Map.of("bootstrap.servers", bootstrap, "group.id", group + "-" + TOPIC),
                new StringDeserializer(), new StringDeserializer())) {
            var committed = watcher.committed(Set.of(PARTITION)).get(PARTITION);
            return committed == null ? -1 : committed.offset();
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

    static KafkaConsumer<String, String> startReader(String group) {
        var reader = new KafkaConsumer<>(Map.of(
                "bootstrap.servers", bootstrap,
                "group.id", group + "-" + TOPIC,
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
