package ottla.clients;

import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.NoOffsetForPartitionException;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.consumer.OffsetOutOfRangeException;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;

/** Where a group starts that has no offset, or one that the log does not have. */
final class Resets {
    private static final long HOUR = 3_600_000;

    private Resets() {
    }

    static void earliest(Run run) throws Exception {
        TopicPartition partition = new TopicPartition(run.topic("log", 1), 0);
        Records.send(run.producer(), partition, 0, 10);
        Records.expectNumbers(subscribe(run, partition, "group", "earliest"), 0, 10);
    }

    static void latest(Run run) throws Exception {
        TopicPartition partition = new TopicPartition(run.topic("log", 1), 0);
        Producer<String, String> producer = run.producer();
        Records.send(producer, partition, 0, 10);

        Consumer<String, String> consumer = subscribe(run, partition, "group", "latest");
        awaitAssignment(consumer);
        Expect.equal(10L, consumer.position(partition), "position after the reset");
        Records.send(producer, partition, 10, 15);
        Records.expectNumbers(consumer, 10, 15);
    }

    static void none(Run run) throws Exception {
        TopicPartition partition = new TopicPartition(run.topic("log", 1), 0);
        Records.send(run.producer(), partition, 0, 10);
        Consumer<String, String> consumer = subscribe(run, partition, "group", "none");
        var error = Expect.fails(NoOffsetForPartitionException.class, "poll", () -> Records.read(consumer, 1));
        Expect.equal(Set.of(partition), error.partitions(), "partitions of the error");
    }

    static void byDuration(Run run) throws Exception {
        TopicPartition partition = new TopicPartition(run.topic("log", 1), 0);
        Producer<String, String> producer = run.producer();
        long now = System.currentTimeMillis();
        for (int i = 0; i < 10; i++) {
            long timestamp = i < 6 ? now - 2 * HOUR + i : now;
            producer.send(new ProducerRecord<>(partition.topic(), 0, timestamp, null, Integer.toString(i)));
        }
        producer.flush();
        Records.expectNumbers(subscribe(run, partition, "group", "by_duration:PT1H"), 6, 10);
    }

    static void outOfRange(Run run) throws Exception {
        TopicPartition partition = new TopicPartition(run.topic("log", 1), 0);
        Producer<String, String> producer = run.producer();
        Records.send(producer, partition, 0, 10);

        commitBeyondTheEnd(run, partition, "earliest");
        Records.expectNumbers(subscribe(run, partition, "earliest", "earliest"), 0, 10);

        commitBeyondTheEnd(run, partition, "none");
        Consumer<String, String> none = subscribe(run, partition, "none", "none");
        var error = Expect.fails(OffsetOutOfRangeException.class, "poll", () -> Records.read(none, 1));
        Expect.equal(Map.of(partition, 1000L), error.offsetOutOfRangePartitions(), "offsets of the error");

        commitBeyondTheEnd(run, partition, "latest");
        Consumer<String, String> latest = subscribe(run, partition, "latest", "latest");
        // Only a fetch finds that the offset is out of range, so the position is wrong before the first one.
        Wait.until("reset to the end", () -> {
            Expect.equal(0, latest.poll(Wait.TURN).count(), "records before the reset");
            return latest.assignment().contains(partition) && latest.position(partition) == 10;
        });
        Records.send(producer, partition, 10, 15);
        Records.expectNumbers(latest, 10, 15);
    }

    private static void commitBeyondTheEnd(Run run, TopicPartition partition, String group) {
        Consumer<String, String> consumer = run.consumer("group.id", run.name(group));
        consumer.assign(List.of(partition));
        consumer.commitSync(Map.of(partition, new OffsetAndMetadata(1000)));
        consumer.close();
    }

    private static Consumer<String, String> subscribe(Run run, TopicPartition partition, String group, String reset) {
        Consumer<String, String> consumer = run.consumer("group.id", run.name(group), "auto.offset.reset", reset);
        consumer.subscribe(List.of(partition.topic()));
        return consumer;
    }

    private static void awaitAssignment(Consumer<?, ?> consumer) throws Exception {
        Wait.until("assignment", () -> {
            Expect.equal(0, consumer.poll(Wait.TURN).count(), "records before the assignment");
            return !consumer.assignment().isEmpty();
        });
    }
}
