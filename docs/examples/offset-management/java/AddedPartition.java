import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/** With latest, the first records of a new partition are missed. */
public class AddedPartition {
    static final String TOPIC = "added-partition-" + UUID.randomUUID();
    static String bootstrap = "127.0.0.1:9092";

    public static void main(String[] args) throws Exception {
        if (args.length > 0) {
            bootstrap = args[0];
        }
        check(!readsFirstOfNewPartition("latest"),
            "latest: the group begins the new partition at its end. The record that came first is lost.");
        check(readsFirstOfNewPartition("earliest"),
            "earliest: the group reads the new partition from its first record.");
    }

    /** Lets a group read partition 0, adds partition 1 with one record, and reads that up to its end. */
    static boolean readsFirstOfNewPartition(String policy) throws Exception {
        String topic = TOPIC + "-" + policy;
        produce(topic, 0, "a");
        try (var admin = Admin.create(Map.of("bootstrap.servers", bootstrap));
                var reader = new KafkaConsumer<>(Map.of(
                        "bootstrap.servers", bootstrap,
                        "group.id", topic,
                        "enable.auto.commit", false,
                        "auto.offset.reset", policy,
                        "metadata.max.age.ms", 500),
                    new StringDeserializer(), new StringDeserializer())) {
            reader.subscribe(List.of(topic));
            readToEnd(reader, new TopicPartition(topic, 0));
            admin.createPartitions(Map.of(topic, NewPartitions.increaseTo(2))).all().get();
            produce(topic, 1, "b");
            return readToEnd(reader, new TopicPartition(topic, 1)).contains("b");
        }
    }

    /** Polls until the reader has the partition and is at offset 1 there. */
    static List<String> readToEnd(KafkaConsumer<String, String> reader, TopicPartition partition) {
        List<String> values = new ArrayList<>();
        long deadline = System.nanoTime() + 30_000_000_000L;
        while (!reader.assignment().contains(partition) || reader.position(partition) < 1) {
            reader.poll(Duration.ofMillis(100)).forEach(record -> values.add(record.value()));
            if (System.nanoTime() > deadline) {
                throw new AssertionError("The reader did not get to the end of " + partition);
            }
        }
        return values;
    }

    static void produce(String topic, int partition, String value) throws Exception {
        try (var producer = new KafkaProducer<>(Map.of("bootstrap.servers", bootstrap),
                new StringSerializer(), new StringSerializer())) {
            producer.send(new ProducerRecord<>(topic, partition, null, value)).get();
        }
    }

    static void check(boolean holds, String claim) {
        if (!holds) {
            throw new AssertionError("This does not hold: " + claim);
        }
        System.out.println(claim);
    }
}
