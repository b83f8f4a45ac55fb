package ottla.clients;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.InvalidTopicException;

/** The topic in which the broker keeps the commits: readable by anyone, written by the broker alone. */
final class OffsetsTopic {
    private static final String TOPIC = "__consumer_offsets";
    private static final int PARTITIONS = 50;
    private static final int COMMIT_KEY_VERSION = 1;
    private static final int FIRST_COMPACT_VERSION = 4;
    private static final int NEWEST_VALUE_VERSION = 4;

    private OffsetsTopic() {
    }

    /** The key of a commit's record. */
    private record CommitKey(String group, String topic, int partition) {
        /** Returns null for the key of another kind of record. */
        static CommitKey parse(byte[] bytes) {
            ByteBuffer key = ByteBuffer.wrap(bytes);
            return key.getShort() == COMMIT_KEY_VERSION ? new CommitKey(string(key), string(key), key.getInt()) : null;
        }
    }

    /** The value of a commit's record. */
    private record Commit(long offset, int leaderEpoch, String metadata, long timestamp) {
        static Commit parse(byte[] bytes) {
            ByteBuffer value = ByteBuffer.wrap(bytes);
            short version = value.getShort();
            Expect.within(0, NEWEST_VALUE_VERSION, version, "version of the commit's value");
            long offset = value.getLong();
            int leaderEpoch = version >= 3 ? value.getInt() : -1;
            String metadata = version >= FIRST_COMPACT_VERSION ? compactString(value) : string(value);
            return new Commit(offset, leaderEpoch, metadata, value.getLong());
        }
    }

    private static String string(ByteBuffer from) {
        return string(from, from.getShort());
    }

    private static String compactString(ByteBuffer from) {
        int lengthAndOne = from.get();
        Expect.that(lengthAndOne >= 0, "the length takes more than one byte, longer than any string here");
        return string(from, lengthAndOne - 1);
    }

    private static String string(ByteBuffer from, int length) {
        byte[] bytes = new byte[length];
        from.get(bytes);
        return new String(bytes, StandardCharsets.UTF_8);
    }

    static void read(Run run) throws Exception {
        TopicPartition partition = new TopicPartition(run.topic("log", 3), 2);
        String group = run.name("group");
        long before = System.currentTimeMillis();
        commit(run, group, partition, new OffsetAndMetadata(12345, "méta"));
        long after = System.currentTimeMillis();

        Expect.equal(PARTITIONS, run.admin().describeTopics(List.of(TOPIC)).allTopicNames().get().get(TOPIC)
            .partitions().size(), "partitions of the offsets topic");
        Consumer<byte[], byte[]> consumer = run.bytesConsumer();
        CommitKey key = new CommitKey(group, partition.topic(), partition.partition());
        ConsumerRecord<byte[], byte[]> record = find(consumer, key);

        Expect.equal(home(group), record.partition(), "partition of the group");
        Commit commit = Commit.parse(record.value());
        Expect.equal(12345L, commit.offset, "offset");
        Expect.equal(-1, commit.leaderEpoch, "leader epoch");
        Expect.equal("méta", commit.metadata, "metadata");
        Expect.within(before - 1000, after + 1000, commit.timestamp, "commit timestamp");
    }

    /** The partition that holds everything of the group. The absolute value of the hash counts, not its low bits. */
    private static int home(String group) {
        int hash = group.hashCode();
        return hash == Integer.MIN_VALUE ? 0 : Math.abs(hash) % PARTITIONS;
    }

    private static ConsumerRecord<byte[], byte[]> find(Consumer<byte[], byte[]> consumer, CommitKey key)
            throws Exception {
        Set<TopicPartition> all = Run.partitions(TOPIC, PARTITIONS);
        consumer.assign(all);
        consumer.seekToBeginning(all);
        ConsumerRecord<?, ?>[] found = new ConsumerRecord<?, ?>[1];
        Wait.until("record of the commit", () -> {
            for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Wait.TURN)) {
                if (key.equals(CommitKey.parse(record.key()))) {
                    Expect.equal(null, found[0], "another record of the commit");
                    found[0] = record;
                }
            }
            return found[0] != null;
        });
        @SuppressWarnings("unchecked")
        ConsumerRecord<byte[], byte[]> record = (ConsumerRecord<byte[], byte[]>) found[0];
        return record;
    }

    static void isProtected(Run run) throws Exception {
        // The first commit of all makes the topic.
        commit(run, run.name("group"), new TopicPartition(run.topic("log", 1), 0), new OffsetAndMetadata(1));
        TopicPartition target = new TopicPartition(TOPIC, 7);
        Consumer<byte[], byte[]> consumer = run.bytesConsumer();
        consumer.assign(List.of(target));
        consumer.seekToEnd(List.of(target));
        long end = consumer.position(target);

        byte[] forged = "forged".getBytes(StandardCharsets.UTF_8);
        Expect.fails(InvalidTopicException.class, "produce to the offsets topic",
            () -> run.bytesProducer().send(new ProducerRecord<>(TOPIC, target.partition(), forged, forged)).get());
        Expect.equal(Map.of(target, end), consumer.endOffsets(List.of(target)), "end offset");
        Expect.equal(0, consumer.poll(Wait.TURN).count(), "records appended");
    }

    private static void commit(Run run, String group, TopicPartition partition, OffsetAndMetadata offset) {
        Consumer<String, String> consumer = run.consumer("group.id", group);
        consumer.assign(List.of(partition));
        consumer.commitSync(Map.of(partition, offset));
        consumer.close();
    }
}
