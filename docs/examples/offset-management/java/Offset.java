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

/** An offset is the number of a record in its partition. */
public class Offset {
    static final String TOPIC = "offset-" + UUID.randomUUID();
    static String bootstrap = "127.0.0.1:9092";

    public static void main(String[] args) throws Exception {
        if (args.length > 0) {
            bootstrap = args[0];
        }
        try (var admin = Admin.create(Map.of("bootstrap.servers", bootstrap))) {
            admin.createTopics(List.of(new NewTopic(TOPIC, Optional.of(2), Optional.empty()))).all().get();
        }
        try (var producer = new KafkaProducer<>(Map.of("bootstrap.servers", bootstrap),
                new StringSerializer(), new StringSerializer())) {
            for (String value : List.of("a", "b", "c")) {
                producer.send(new ProducerRecord<>(TOPIC, 0, null, value)).get();
            }
            producer.send(new ProducerRecord<>(TOPIC, 1, null, "d")).get();
        }

        check(offsets(0).equals(List.of(0L, 1L, 2L)), "The records of partition 0 have the offsets 0, 1 and 2.");
        check(offsets(1).equals(List.of(0L)), "Partition 1 counts for itself: its first record has offset 0.");
        check(offsets(0).equals(List.of(0L, 1L, 2L)),
            "Reading takes nothing away: the next reader gets the same records.");

        try (var reader = newReader()) {
            var partition = new TopicPartition(TOPIC, 0);
            reader.assign(List.of(partition));
            long end = reader.endOffsets(List.of(partition)).get(partition);
            check(end == 3, "The end offset is 3, which the next record will get.");
        }
    }

    static List<Long> offsets(int partition) {
        try (var reader = newReader()) {
            reader.assign(List.of(new TopicPartition(TOPIC, partition)));
            reader.seekToBeginning(reader.assignment());
            List<Long> offsets = new ArrayList<>();
            reader.poll(Duration.ofSeconds(30)).forEach(record -> offsets.add(record.offset()));
            return offsets;
        }
    }

    static KafkaConsumer<String, String> newReader() {
        return new KafkaConsumer<>(Map.of("bootstrap.servers", bootstrap),
            new StringDeserializer(), new StringDeserializer());
    }

    static void check(boolean holds, String claim) {
        if (!holds) {
            throw new AssertionError("This does not hold: " + claim);
        }
        System.out.println(claim);
    }
}
