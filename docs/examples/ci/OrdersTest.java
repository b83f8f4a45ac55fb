import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/** With JUnit, the main method is a test. */
public final class OrdersTest {
    public static void main(String[] arguments) throws Exception {
        try (var broker = new Ottla()) {
            Map<String, Object> producing = Map.of("bootstrap.servers", broker.bootstrap());
            try (var producer = new KafkaProducer<>(producing, new StringSerializer(), new StringSerializer())) {
                producer.send(new ProducerRecord<>("orders", "42", "tea")).get();
            }
            Map<String, Object> consuming = Map.of("bootstrap.servers", broker.bootstrap(),
                "group.id", "kitchen", "auto.offset.reset", "earliest");
            try (var consumer = new KafkaConsumer<>(consuming, new StringDeserializer(), new StringDeserializer())) {
                consumer.subscribe(List.of("orders"));
                var orders = consumer.poll(Duration.ofSeconds(30));
                if (orders.count() != 1 || !orders.iterator().next().value().equals("tea")) {
                    throw new AssertionError("The order did not arrive: " + orders.count());
                }
            }
        }
    }
}
