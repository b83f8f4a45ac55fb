package ottla.clients;

import java.util.List;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.common.TopicPartition;

/** Offsets of records and of groups across the ends of brokers and clients. */
final class Offsets {
    private static final List<Integer> BATCH_SIZES = List.of(1, 2, 7, 40, 100);

    private Offsets() {
    }

    static void dense(Run run) throws Exception {
        TopicPartition partition = new TopicPartition(run.topic("log", 1), 0);
        // One producer throughout, so that it meets both ends of the broker. A batch is what a flush sends.
        Producer<String, String> producer = run.producer("linger.ms", 1000, "batch.size", 100_000);

        int next = 0;
        while (next < 500) {
            for (int size : BATCH_SIZES) {
                next = append(producer, partition, next, Math.min(size, 500 - next));
            }
        }
        run.broker.restart();
        next = append(producer, partition, next, 100);
        run.broker.kill();
        next = append(producer, partition, next, 100);

        Consumer<String, String> consumer = run.consumer();
        consumer.assign(List.of(partition));
        Records.expectNumbers(consumer, 0, next);
        Expect.equal(700L, consumer.endOffsets(List.of(partition)).get(partition), "end offset");
    }

    private static int append(Producer<String, String> producer, TopicPartition partition, int from, int count)
            throws Exception {
        List<Long> offsets = Records.send(producer, partition, from, from + count);
        Expect.equal(Records.offsets(from, from + count), offsets, "acknowledged offsets");
        return from + count;
    }

    static void resumeAfterStop(Run run) throws Exception {
        String topic = run.topic("log", 1);
        Records.send(run.producer(), new TopicPartition(topic, 0), 0, 100);

        readOn(run, topic, 0, 30, "classic");
        readOn(run, topic, 30, 60, "classic");
        run.broker.restart();
        readOn(run, topic, 60, 80, "classic");
        run.broker.kill();
        readOn(run, topic, 80, 100, "classic");
    }

    /** A new member goes on where the last one committed, commits and leaves. */
    static void readOn(Run run, String topic, int from, int until, String protocol) throws Exception {
        // One record a poll, so that the position stands exactly behind the last record read.
        Consumer<String, String> consumer = run.consumer(
            "group.id", run.name("group"), "group.protocol", protocol, "max.poll.records", 1);
        consumer.subscribe(List.of(topic));
        Records.expectNumbers(consumer, from, until);
        consumer.commitSync();
        consumer.close();
    }
}
