import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/** When a commit returns, the offset is stored. Nothing else was checked. */
public class CommitReturn {
    static final String TOPIC = "commit-return-" + UUID.randomUUID();
    static final String GROUP = TOPIC;
    static final TopicPartition PARTITION = new TopicPartition(TOPIC, 0);
    static KafkaConsumer<String, String> reader;
    static KafkaConsumer<String, String> watcher;
    static String bootstrap = "127.0.0.1:9092";

    public static void main(String[] args) throws Exception {
        if (args.length > 0) {
            bootstrap = args[0];
        }
        produce("a", "b", "c");
        reader = startReader();
        watcher = startReader();

        check(commit(2) == 2, "The commit of 2 has returned, and everybody is told 2. Nothing had been read.");
        check(commit(0) == 0, "A commit of 0, which goes back, is accepted.");
        check(commit(1000) == 1000, "A commit of 1000 is accepted, though the partition ends at 3.");
    }

    /** Commits, and gives what another client is then told. */
    static long commit(long offset) {
        reader.commitSync(Map.of(PARTITION, new OffsetAndMetadata(offset)));
        return watcher.committed(Set.of(PARTITION)).get(PARTITION).offset();
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
                "enable.auto.commit", false),
            new StringDeserializer(), new StringDeserializer());
        reader.assign(List.of(PARTITION));
        return reader;
    }

    static void check(boolean holds, String claim) {
        if (!holds) {
            throw new AssertionError("This does not hold: " + claim);
        }
        System.out.println(claim);
    }
}
