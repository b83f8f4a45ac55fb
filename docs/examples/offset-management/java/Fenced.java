import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.apache.kafka.clients.consumer.CommitFailedException;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/** A member that was too slow has lost its partitions, and its commit is refused. */
public class Fenced {
    static final String TOPIC = "fenced-" + UUID.randomUUID();
    static final String GROUP = TOPIC;
    static final TopicPartition PARTITION = new TopicPartition(TOPIC, 0);
    static String bootstrap = "127.0.0.1:9092";

    public static void main(String[] args) throws Exception {
        if (args.length > 0) {
            bootstrap = args[0];
        }
        produce("a", "b");

        var slow = startReader();
        var record = nextRecord(slow);
        // The slow member processes a now, for longer than max.poll.interval.ms. Meanwhile another one joins:
        var other = startReader();
        check(nextRecord(other).value().equals("a") && record.value().equals("a"),
            "The slow member lost its partition: the other one got a, too.");

        boolean refused = false;
        try {
            slow.commitSync();
        } catch (CommitFailedException error) {
            refused = true;
        }
        check(refused, "The commit of the slow member is refused: both have processed a.");
        check(other.committed(Set.of(PARTITION)).get(PARTITION) == null, "Nothing was committed by it.");
        other.close();
        slow.close();
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
                "max.poll.records", 1,
                "max.poll.interval.ms", 6000),
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
