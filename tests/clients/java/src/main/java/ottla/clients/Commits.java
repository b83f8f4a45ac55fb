package ottla.clients;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;

/** The ways to commit. */
final class Commits {
    private Commits() {
    }

    static void automatic(Run run) throws Exception {
        String topic = run.topic("log", 1);
        TopicPartition partition = new TopicPartition(topic, 0);
        var producer = run.producer();
        Records.send(producer, partition, 0, 50);

        Object[] settings = {
            "group.id", run.name("group"), "enable.auto.commit", true, "auto.commit.interval.ms", 100};
        Consumer<String, String> consumer = run.consumer(settings);
        consumer.subscribe(List.of(topic));
        Records.expectNumbers(consumer, 0, 50);
        consumer.close();
        Expect.equal(50L, committed(run, partition).offset(), "committed offset");

        Records.send(producer, partition, 50, 60);
        Consumer<String, String> successor = run.consumer(settings);
        successor.subscribe(List.of(topic));
        Records.expectNumbers(successor, 50, 60);
    }

    static void synchronous(Run run) throws Exception {
        String topic = run.topic("log", 3);
        TopicPartition first = new TopicPartition(topic, 0);
        TopicPartition second = new TopicPartition(topic, 1);
        TopicPartition without = new TopicPartition(topic, 2);
        Records.send(run.producer(), first, 0, 10);

        Consumer<String, String> consumer = run.consumer("group.id", run.name("group"));
        consumer.assign(List.of(first, second, without));
        Map<TopicPartition, OffsetAndMetadata> commit = Map.of(
            first, new OffsetAndMetadata(7, "première"),
            second, new OffsetAndMetadata(0, ""));
        consumer.commitSync(commit);

        Map<TopicPartition, OffsetAndMetadata> expected = new HashMap<>(commit);
        expected.put(without, null);
        Consumer<String, String> other = run.consumer("group.id", run.name("group"));
        Expect.equal(expected, other.committed(Set.of(first, second, without)), "committed");

        consumer.commitSync(Map.of(first, new OffsetAndMetadata(3, "back")));
        expected.put(first, new OffsetAndMetadata(3, "back"));
        Expect.equal(expected, other.committed(Set.of(first, second, without)), "committed after going back");
    }

    static void asynchronous(Run run) throws Exception {
        TopicPartition partition = new TopicPartition(run.topic("log", 1), 0);
        Records.send(run.producer(), partition, 0, 10);
        Consumer<String, String> consumer = run.consumer("group.id", run.name("group"));
        consumer.assign(List.of(partition));
        Map<TopicPartition, OffsetAndMetadata> commit = Map.of(partition, new OffsetAndMetadata(5, "async"));

        CompletableFuture<Map<TopicPartition, OffsetAndMetadata>> done = new CompletableFuture<>();
        consumer.commitAsync(commit, (offsets, error) -> {
            if (error == null) {
                done.complete(offsets);
            } else {
                done.completeExceptionally(error);
            }
        });
        // The callback is called by a poll.
        Wait.until("commit callback", () -> {
            consumer.poll(Wait.TURN);
            return done.isDone();
        });
        Expect.equal(commit, done.get(), "offsets told to the callback");
        Expect.equal(commit.get(partition), committed(run, partition), "committed");
    }

    /** What the scenario's group has committed, asked by a client of its own. */
    private static OffsetAndMetadata committed(Run run, TopicPartition partition) {
        return run.consumer("group.id", run.name("group")).committed(Set.of(partition)).get(partition);
    }
}
