import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.StringSerializer;

/** The topics of a scenario, with known records. They are deleted when it is over. */
final class Contents implements AutoCloseable {
    /** The first records' time, 2024-01-01T00:00:00Z. One record a second follows. */
    static final long LONG_AGO = 1_704_067_200_000L;

    private final Shell shell;
    private final List<String> topics = new ArrayList<>();

    Contents(Shell shell) {
        this.shell = shell;
    }

    /** Makes a topic that keeps its records, which are from another year. */
    Contents topic(String name, int partitions) throws Exception {
        return topic(name, partitions, Map.of("retention.ms", "-1"));
    }

    Contents topic(String name, int partitions, Map<String, String> settings) throws Exception {
        try (Admin admin = shell.admin()) {
            admin.createTopics(List.of(new NewTopic(name, partitions, (short) 1).configs(settings))).all().get();
        }
        shell.await(name, admin -> admin.listTopics().names().get().contains(name));
        topics.add(name);
        return this;
    }

    /** Appends records, each a batch of its own, one a second. */
    Contents records(String topic, int partition, int count) throws Exception {
        return records(topic, partition, count, LONG_AGO);
    }

    Contents records(String topic, int partition, int count, long time) throws Exception {
        Map<String, Object> settings = Map.of("bootstrap.servers", shell.bootstrap(), "enable.idempotence", "false");
        try (KafkaProducer<String, String> producer =
                new KafkaProducer<>(settings, new StringSerializer(), new StringSerializer())) {
            for (int i = 0; i < count; i++) {
                producer.send(new ProducerRecord<>(topic, partition, time + i * 1000L, "k", "v")).get();
            }
        }
        return this;
    }

    @Override
    public void close() throws Exception {
        try (Admin admin = shell.admin()) {
            admin.deleteTopics(topics).all().get();
        }
        shell.await("no topics", admin -> Collections.disjoint(admin.listTopics().names().get(), topics));
    }
}
