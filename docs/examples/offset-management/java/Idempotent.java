import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/** A repeated record changes nothing when the result is kept under the record's own name. */
public class Idempotent {
    static final String TOPIC = "idempotent-" + UUID.randomUUID();
    static final String GROUP = TOPIC;
    static int total;
    static Map<String, Integer> byName = new HashMap<>();
    static String bootstrap = "127.0.0.1:9092";

    public static void main(String[] args) throws Exception {
        if (args.length > 0) {
            bootstrap = args[0];
        }
        produce("payment-1 10", "payment-2 20", "payment-3 30");

        read(2, true);
        read(2, false);

        check(total == 80, "payment-2 came twice. The sum of what came is 80, which is wrong.");
        int sum = byName.values().stream().mapToInt(Integer::intValue).sum();
        check(sum == 60, "The sum of the payments by their names is 60, which is right.");
    }

    /** Adds to a sum, which counts repeats, and to a map by the payment's name, which does not. */
    static void read(int count, boolean crashBeforeLastCommit) {
        try (var reader = startReader()) {
            for (int number = 1; number <= count; number++) {
                String[] payment = nextRecord(reader).value().split(" ");
                int amount = Integer.parseInt(payment[1]);
                total += amount;
                byName.put(payment[0], amount);
                if (number < count || !crashBeforeLastCommit) {
                    reader.commitSync();
                }
            }
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
