package ottla.clients;

import java.util.List;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.common.TopicPartition;

/** How long the broker holds a fetch back. */
final class LongPoll {
    private LongPoll() {
    }

    static void longPoll(Run run) throws Exception {
        wokenByRecord(run);
        heldForMore(run);
    }

    private static void wokenByRecord(Run run) throws Exception {
        TopicPartition partition = new TopicPartition(run.topic("woken", 1), 0);
        Producer<String, String> producer = run.producer();
        Records.send(producer, partition, 0, 1);
        Consumer<String, String> consumer = run.consumer("fetch.max.wait.ms", 5000);
        consumer.assign(List.of(partition));
        Records.expectNumbers(consumer, 0, 1);
        // Leaves a fetch behind that waits at the broker.
        Expect.equal(0, consumer.poll(Wait.TURN).count(), "records at the end");

        long start = System.nanoTime();
        Records.send(producer, partition, 1, 2);
        Records.expectNumbers(consumer, 1, 2);
        Expect.within(0, 500, millisSince(start), "milliseconds from production to delivery");
        // The next fetch waits already, and closing the consumer would wait for it.
        Records.send(producer, partition, 2, 3);
    }

    private static void heldForMore(Run run) throws Exception {
        TopicPartition partition = new TopicPartition(run.topic("held", 1), 0);
        Consumer<String, String> consumer = run.consumer("fetch.max.wait.ms", 1000, "fetch.min.bytes", 100_000);
        consumer.assign(List.of(partition));
        // Connects and finds the position, so that the first poll goes straight to the fetch. The record is there
        // before it: one that comes while a fetch waits is held only for the rest of that wait.
        Expect.equal(0L, consumer.position(partition), "position");
        Records.send(run.producer(), partition, 0, 1);

        long start = System.nanoTime();
        Records.expectNumbers(consumer, 0, 1);
        Expect.within(700, 4000, millisSince(start), "milliseconds from the fetch to delivery");
    }

    private static long millisSince(long start) {
        return TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - start);
    }
}
