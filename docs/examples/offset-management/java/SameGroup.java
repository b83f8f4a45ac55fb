import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/** Two applications with one group share the records. */
public class SameGroup {
    static final String TOPIC = "same-group-" + UUID.randomUUID();
    static final String GROUP = TOPIC;
    static String bootstrap = "127.0.0.1:9092";

    public static void main(String[] args) throws Exception {
        if (args.length > 0) {
            bootstrap = args[0];
        }
        try (var admin = Admin.create(Map.of("bootstrap.servers", bootstrap))) {
            admin.createTopics(List.of(new NewTopic(TOPIC, Optional.of(2), Optional.empty()))).all().get();
        }
        var billing = startReader();
        var shipping = startReader();
        long deadline = System.nanoTime() + 60_000_000_000L;
        while (System.nanoTime() < deadline
                && (billing.assignment().size() != 1 || shipping.assignment().size() != 1)) {
            billing.poll(Duration.ofMillis(50));
            shipping.poll(Duration.ofMillis(50));
        }

        try (var producer = new KafkaProducer<>(Map.of("bootstrap.servers", bootstrap),
                new StringSerializer(), new StringSerializer())) {
            for (String value : List.of("a", "b")) {
                producer.send(new ProducerRecord<>(TOPIC, 0, null, value)).get();
            }
            for (String value : List.of("c", "d")) {
                producer.send(new ProducerRecord<>(TOPIC, 1, null, value)).get();
            }
        }

        String[] got = {"", ""};
        while (got[0].length() + got[1].length() < 4 && System.nanoTime() < deadline) {
            for (var record : billing.poll(Duration.ofMillis(50))) {
                got[0] += record.value();
            }
            for (var record : shipping.poll(Duration.ofMillis(50))) {
                got[1] += record.value();
            }
        }
        Arrays.sort(got);
        check(Arrays.equals(got, new String[] {"ab", "cd"}),
            "One application gets a and b, the other c and d: neither gets all.");
        billing.close();
        shipping.close();
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

    static void check(boolean holds, String claim) {
        if (!holds) {
            throw new AssertionError("This does not hold: " + claim);
        }
        System.out.println(claim);
    }
}
