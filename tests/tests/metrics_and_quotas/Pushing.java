import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * A producer and a consumer with their default settings, which live until standard input ends. Prints the instance ids that the
 * broker has given them, the producer's first.
 */
public class Pushing {
    private static final Duration LIMIT = Duration.ofSeconds(60);

    public static void main(String[] arguments) throws Exception {
        String bootstrap = arguments[0];
        int records = Integer.parseInt(arguments[1]);
        String topic = "pushed";
        Map<String, Object> producing = Map.of("bootstrap.servers", bootstrap, "client.id", "java-producer");
        Map<String, Object> consuming = Map.of("bootstrap.servers", bootstrap, "client.id", "java-consumer",
            "group.id", "readers", "auto.offset.reset", "earliest");
        var ended = CompletableFuture.supplyAsync(Pushing::waitForEnd);
        try (var producer = new KafkaProducer<>(producing, new ByteArraySerializer(), new ByteArraySerializer());
             var consumer = new KafkaConsumer<>(consuming, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
            for (int sent = 0; sent < records; sent++) {
                producer.send(new ProducerRecord<>(topic, new byte[100]));
            }
            producer.flush();
            consumer.subscribe(List.of(topic));
            while (!ended.isDone()) {
                consumer.poll(Duration.ofMillis(100));
            }
            System.out.println(producer.clientInstanceId(LIMIT));
            System.out.println(consumer.clientInstanceId(LIMIT));
        }
    }

    private static boolean waitForEnd() {
        try {
            return System.in.read() < 0;
        } catch (java.io.IOException e) {
            return false;
        }
    }
}
