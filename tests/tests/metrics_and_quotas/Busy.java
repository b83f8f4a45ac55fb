import java.time.Duration;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * A producer that sends a record as soon as the one before it is acknowledged, for a number of seconds. Prints how many, and the
 * longest time in milliseconds for which the broker has told it to wait.
 */
public class Busy {
    public static void main(String[] arguments) throws Exception {
        Map<String, Object> settings =
            Map.of("bootstrap.servers", arguments[0], "client.id", "busy", "linger.ms", 0);
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(Long.parseLong(arguments[1]));
        int sent = 0;
        try (var producer = new KafkaProducer<>(settings, new ByteArraySerializer(), new ByteArraySerializer())) {
            while (System.nanoTime() < deadline) {
                producer.send(new ProducerRecord<>("requests", new byte[10])).get();
                sent++;
            }
            for (var metric : producer.metrics().values()) {
                if (metric.metricName().name().equals("produce-throttle-time-max")) {
                    System.out.println(sent + " " + metric.metricValue());
                }
            }
        }
    }
}
