package ottla.clients;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.Config;
import org.apache.kafka.clients.admin.ConfigEntry.ConfigSource;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicCollection;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.TopicPartitionInfo;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.InvalidPartitionsException;
import org.apache.kafka.common.errors.InvalidTopicException;
import org.apache.kafka.common.errors.TopicExistsException;
import org.apache.kafka.common.errors.UnknownTopicIdException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;

/** The life of a topic. */
final class Topics {
    private static final Map<String, String> CONFIGS =
        Map.of("retention.ms", "123456789", "cleanup.policy", "delete", "max.message.bytes", "65536");

    private Topics() {
    }

    static void autoCreate(Run run) throws Exception {
        TopicPartition partition = new TopicPartition(run.name("log"), 0);
        Producer<String, String> producer = run.producer();
        Expect.equal(0L, producer.send(new ProducerRecord<>(partition.topic(), "0")).get().offset(), "offset");
        Expect.equal(1, describe(run.admin(), partition.topic()).partitions().size(), "partitions");
        Consumer<String, String> consumer = run.consumer();
        consumer.assign(List.of(partition));
        Records.expectNumbers(consumer, 0, 1);
    }

    static void admin(Run run) throws Exception {
        Admin admin = run.admin();
        String topic = run.topic("log", 3, CONFIGS);
        Expect.fails(TopicExistsException.class, "second creation", () -> create(admin, topic));
        Expect.fails(InvalidTopicException.class, "illegal name", () -> create(admin, run.name("a/b")));

        Uuid id = expectDescribed(run, topic, 3);
        expectConfigs(admin, topic);
        expectGrowth(run, topic);

        Records.send(run.producer(), new TopicPartition(topic, 0), 0, 10);
        admin.deleteTopics(List.of(topic)).all().get();
        // A broker may answer the deletion before its metadata shows it.
        Wait.until("deletion", () -> !admin.listTopics().names().get().contains(topic));
        Expect.fails(UnknownTopicOrPartitionException.class, "description of a deleted topic",
            () -> describe(admin, topic));
        Expect.fails(UnknownTopicIdException.class, "description of a deleted topic's id", () -> byId(admin, id));

        run.topic("log", 3);
        Expect.that(!id.equals(expectDescribed(run, topic, 3)), "the second topic has the first one's id");
        Consumer<String, String> consumer = run.consumer();
        consumer.assign(Run.partitions(topic, 3));
        consumer.endOffsets(Run.partitions(topic, 3))
            .forEach((partition, end) -> Expect.equal(0L, end, "end offset of " + partition));
        List<Long> offsets = Records.send(run.producer(), new TopicPartition(topic, 0), 0, 1);
        Expect.equal(List.of(0L), offsets, "first offset of the second topic");
        Records.expectNumbers(consumer, 0, 1);
    }

    private static Object create(Admin admin, String topic) throws Exception {
        NewTopic created = new NewTopic(topic, Optional.of(3), Optional.of((short) 1));
        return admin.createTopics(List.of(created)).all().get();
    }

    /** Describes by name and by id and returns the id. */
    private static Uuid expectDescribed(Run run, String topic, int partitions) throws Exception {
        int node = run.admin().describeCluster().nodes().get().iterator().next().id();
        TopicDescription byName = describe(run.admin(), topic);
        Uuid id = byName.topicId();
        Expect.that(!id.equals(Uuid.ZERO_UUID), "the topic has no id");
        for (TopicDescription described : List.of(byName, byId(run.admin(), id))) {
            Expect.equal(topic, described.name(), "name");
            Expect.equal(id, described.topicId(), "id");
            Expect.equal(false, described.isInternal(), "internal");
            expectPartitions(described, partitions, node);
        }
        Expect.equal(partitions, run.producer().partitionsFor(topic).size(), "partitions by metadata");
        return id;
    }

    private static void expectPartitions(TopicDescription described, int partitions, int node) {
        Expect.equal(partitions, described.partitions().size(), "partitions");
        for (int i = 0; i < partitions; i++) {
            TopicPartitionInfo partition = described.partitions().get(i);
            Expect.equal(i, partition.partition(), "partition");
            Expect.equal(node, partition.leader().id(), "leader of " + i);
            Expect.equal(1, partition.replicas().size(), "replicas of " + i);
            Expect.equal(1, partition.isr().size(), "in-sync replicas of " + i);
        }
    }

    private static void expectConfigs(Admin admin, String topic) throws Exception {
        ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, topic);
        Config configs = admin.describeConfigs(List.of(resource)).all().get().get(resource);
        CONFIGS.forEach((name, value) -> {
            Expect.equal(value, configs.get(name).value(), name);
            Expect.equal(ConfigSource.DYNAMIC_TOPIC_CONFIG, configs.get(name).source(), "source of " + name);
        });
        Expect.equal("CreateTime", configs.get("message.timestamp.type").value(), "config that was not set");
        Expect.equal(true, configs.get("message.timestamp.type").isDefault(), "default of config that was not set");
    }

    /** From three to five, not back to two, and not to five again. */
    private static void expectGrowth(Run run, String topic) throws Exception {
        increase(run.admin(), topic, 5);
        run.awaitLeaders(topic, 5);
        Expect.fails(InvalidPartitionsException.class, "shrinking", () -> increase(run.admin(), topic, 2));
        Expect.fails(InvalidPartitionsException.class, "no change", () -> increase(run.admin(), topic, 5));
        expectDescribed(run, topic, 5);
    }

    private static Object increase(Admin admin, String topic, int partitions) throws Exception {
        return admin.createPartitions(Map.of(topic, NewPartitions.increaseTo(partitions))).all().get();
    }

    private static TopicDescription describe(Admin admin, String topic) throws Exception {
        return admin.describeTopics(List.of(topic)).topicNameValues().get(topic).get();
    }

    private static TopicDescription byId(Admin admin, Uuid id) throws Exception {
        return admin.describeTopics(TopicCollection.ofTopicIds(List.of(id))).topicIdValues().get(id).get();
    }
}
