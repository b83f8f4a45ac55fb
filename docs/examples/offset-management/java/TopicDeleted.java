import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;

/** The offsets of a topic go with the topic. */
public class TopicDeleted {
    static final String TOPIC = "topic-deleted-" + UUID.randomUUID();
    static final String GROUP = TOPIC;
    static final TopicPartition PARTITION = new TopicPartition(TOPIC, 0);
    static String bootstrap = "127.0.0.1:9092";

    public static void main(String[] args) throws Exception {
        if (args.length > 0) {
            bootstrap = args[0];
        }
        try (var admin = Admin.create(Map.of("bootstrap.servers", bootstrap));
                var reader = new KafkaConsumer<>(Map.of("bootstrap.servers", bootstrap, "group.id", GROUP),
                    new StringDeserializer(), new StringDeserializer())) {
            var topic = new NewTopic(TOPIC, Optional.empty(), Optional.empty());
            admin.createTopics(List.of(topic)).all().get();
            reader.commitSync(Map.of(PARTITION, new OffsetAndMetadata(7)));
            check(reader.committed(Set.of(PARTITION)).get(PARTITION).offset() == 7, "A group has committed 7.");

            admin.deleteTopics(List.of(TOPIC)).all().get();
            admin.createTopics(List.of(topic)).all().get();
            // Apache Kafka does this a moment later.
            long deadline = System.nanoTime() + 30_000_000_000L;
            while (reader.committed(Set.of(PARTITION)).get(PARTITION) != null && System.nanoTime() < deadline) {
                reader.listTopics();
            }
            check(reader.committed(Set.of(PARTITION)).get(PARTITION) == null,
                "The topic was deleted and made again: the group has no offset in it.");
        }
    }

    static void check(boolean holds, String claim) {
        if (!holds) {
            throw new AssertionError("This does not hold: " + claim);
        }
        System.out.println(claim);
    }
}
