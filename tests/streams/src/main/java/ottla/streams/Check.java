package ottla.streams;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.Deserializer;
import org.apache.kafka.common.serialization.LongDeserializer;
import org.apache.kafka.common.serialization.StringDeserializer;

/** Waits until the input is worked off, and compares all that was committed with the input. */
final class Check {
    private static final Duration TURN = Duration.ofMillis(100);

    private final String bootstrap;
    private final Topics topics;
    private final Lines lines;
    private final long deadline;

    Check(String bootstrap, Topics topics, Lines lines, Duration limit) {
        this.bootstrap = bootstrap;
        this.topics = topics;
        this.lines = lines;
        this.deadline = System.nanoTime() + limit.toNanos();
    }

    void run() {
        copies(read(topics.copy(), new StringDeserializer(), lines.count));
        counts(read(topics.counts(), new LongDeserializer(), lines.wordsInAll()));
        List<String> all = List.of(topics.input(), topics.copy(), topics.counts(), topics.changelog(), topics.repartition());
        all.forEach(this::nothingIsOpen);
        store(read(topics.changelog(), new LongDeserializer(), 0));
        long purged = begin(topics.repartition());
        that(purged > 0, "no record of the repartition topic was deleted");
        System.out.println(lines.count + " lines and " + lines.wordsInAll() + " words, each once; " + purged
            + " records and markers of the repartition topic deleted");
    }

    /** Every line once, the lines of a partition in their order. */
    private void copies(List<ConsumerRecord<String, String>> records) {
        Map<Integer, Integer> last = new HashMap<>();
        Set<Integer> numbers = new HashSet<>();
        for (ConsumerRecord<String, String> record : records) {
            int number = Integer.parseInt(record.key());
            that(numbers.add(number), "line " + number + " was copied twice");
            that(record.value().equals(lines.line(number)), "line " + number + " was copied as " + record.value());
            Integer before = last.put(record.partition(), number);
            that(before == null || before < number, "line " + number + " was copied after line " + before);
        }
        equal(lines.count, numbers.size(), "lines copied");
    }

    /** The counts of each word are 1, 2, 3 and so on, up to its number in the input. */
    private void counts(List<ConsumerRecord<String, Long>> records) {
        Map<String, Long> counts = new HashMap<>();
        for (ConsumerRecord<String, Long> record : records) {
            long before = counts.merge(record.key(), 0L, Long::sum);
            equal(before + 1, record.value(), "the count of " + record.key() + " after " + before);
            counts.put(record.key(), record.value());
        }
        equal(lines.words(), counts, "counts");
    }

    /** What an instance would restore: the last value of each word. */
    private void store(List<ConsumerRecord<String, Long>> records) {
        Map<String, Long> last = new HashMap<>();
        records.forEach(record -> last.put(record.key(), record.value()));
        equal(lines.words(), last, "state");
    }

    /** Reads all that is committed, at least so many records, and whatever is there beyond them. */
    private <V> List<ConsumerRecord<String, V>> read(String topic, Deserializer<V> deserializer, long count) {
        List<ConsumerRecord<String, V>> records = new ArrayList<>();
        try (Consumer<String, V> consumer = consumer("read_committed", deserializer)) {
            List<TopicPartition> partitions = topics.partitions(topic);
            consumer.assign(partitions);
            consumer.seekToBeginning(partitions);
            while (records.size() < count || !isAtEnd(consumer)) {
                consumer.poll(TURN).forEach(records::add);
                that(System.nanoTime() < deadline, "out of time with " + records.size() + " of " + count
                    + " records of " + topic);
            }
        }
        return records;
    }

    private static boolean isAtEnd(Consumer<?, ?> consumer) {
        Map<TopicPartition, Long> ends = consumer.endOffsets(consumer.assignment());
        return ends.entrySet().stream().allMatch(end -> consumer.position(end.getKey()) >= end.getValue());
    }

    /** No transaction holds back the readers of committed records. */
    private void nothingIsOpen(String topic) {
        Map<TopicPartition, Long> all;
        Map<TopicPartition, Long> stable;
        do {
            all = ends(topic, "read_uncommitted");
            stable = ends(topic, "read_committed");
            that(System.nanoTime() < deadline, "transactions are open: " + all + " but stable " + stable);
        } while (!all.equals(stable));
    }

    private Map<TopicPartition, Long> ends(String topic, String isolation) {
        try (Consumer<String, String> consumer = consumer(isolation, new StringDeserializer())) {
            return consumer.endOffsets(topics.partitions(topic));
        }
    }

    private long begin(String topic) {
        try (Consumer<String, String> consumer = consumer("read_committed", new StringDeserializer())) {
            return consumer.beginningOffsets(topics.partitions(topic)).values().stream().mapToLong(begin -> begin).sum();
        }
    }

    private <V> Consumer<String, V> consumer(String isolation, Deserializer<V> deserializer) {
        return new KafkaConsumer<>(Map.of("bootstrap.servers", bootstrap, "isolation.level", isolation,
            "fetch.max.wait.ms", 100), new StringDeserializer(), deserializer);
    }

    private static void equal(Object expected, Object found, String what) {
        that(expected.equals(found), what + ": expected " + expected + ", found " + found);
    }

    private static void that(boolean holds, String what) {
        if (!holds) {
            System.err.println(what);
            System.exit(1);
        }
    }
}
