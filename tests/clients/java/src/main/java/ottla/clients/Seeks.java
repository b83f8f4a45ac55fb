package ottla.clients;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Future;
import org.apache.kafka.clients.admin.ListOffsetsResult.ListOffsetsResultInfo;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.OffsetAndTimestamp;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;

/** Positions that the consumer chooses itself. */
final class Seeks {
    private static final long HOUR = 3_600_000;

    private Seeks() {
    }

    static void positions(Run run) throws Exception {
        TopicPartition partition = new TopicPartition(run.topic("log", 1), 0);
        List<TopicPartition> assignment = List.of(partition);
        Producer<String, String> producer = run.producer();
        Records.send(producer, partition, 0, 100);

        Consumer<String, String> consumer = run.consumer("max.poll.records", 1);
        consumer.assign(assignment);
        consumer.seek(partition, 42);
        Records.expectNumbers(consumer, 42, 44);
        consumer.seekToBeginning(assignment);
        Records.expectNumbers(consumer, 0, 2);

        Expect.equal(Map.of(partition, 0L), consumer.beginningOffsets(assignment), "beginning");
        Expect.equal(Map.of(partition, 100L), consumer.endOffsets(assignment), "end");
        Expect.equal(0L, listed(run, partition, OffsetSpec.earliest()).offset(), "earliest by admin");
        Expect.equal(100L, listed(run, partition, OffsetSpec.latest()).offset(), "latest by admin");

        consumer.seekToEnd(assignment);
        Expect.equal(100L, consumer.position(partition), "position at the end");
        Expect.equal(0, consumer.poll(Wait.TURN).count(), "records at the end");
        Records.send(producer, partition, 100, 101);
        Records.expectNumbers(consumer, 100, 101);
    }

    static void toTime(Run run) throws Exception {
        for (String codec : List.of("none", "lz4")) {
            toTime(run, codec);
        }
    }

    private static void toTime(Run run, String codec) throws Exception {
        TopicPartition partition = new TopicPartition(run.topic(codec, 1), 0);
        long start = System.currentTimeMillis() - HOUR;
        sendSeconds(run, partition, codec, start);

        Consumer<String, String> consumer = run.consumer("max.poll.records", 1);
        consumer.assign(List.of(partition));
        long fifty = start + 50_000;
        OffsetAndTimestamp found = offsetFor(consumer, partition, fifty);
        Expect.equal(50L, found.offset(), codec + " offset for the record's time");
        Expect.equal(fifty, found.timestamp(), codec + " timestamp for the record's time");
        found = offsetFor(consumer, partition, fifty - 1);
        Expect.equal(50L, found.offset(), codec + " offset for the time before");
        Expect.equal(fifty, found.timestamp(), codec + " timestamp for the time before");
        Expect.equal(51L, offsetFor(consumer, partition, fifty + 1).offset(), codec + " offset for the time after");
        Expect.equal(null, offsetFor(consumer, partition, start + 99_001), codec + " offset after the last");

        consumer.seek(partition, found.offset());
        Records.expectNumbers(consumer, 50, 52);

        ListOffsetsResultInfo listed = listed(run, partition, OffsetSpec.forTimestamp(fifty - 1));
        Expect.equal(50L, listed.offset(), codec + " offset for the time before, by admin");
        Expect.equal(fifty, listed.timestamp(), codec + " timestamp for the time before, by admin");
        Expect.equal(-1L, listed(run, partition, OffsetSpec.forTimestamp(start + 99_001)).offset(),
            codec + " offset after the last, by admin");
        ListOffsetsResultInfo latest = listed(run, partition, OffsetSpec.maxTimestamp());
        Expect.equal(99L, latest.offset(), codec + " offset of the maximal timestamp");
        Expect.equal(start + 99_000, latest.timestamp(), codec + " maximal timestamp");
    }

    /** One record a second, and at last one that goes back in time. Seven a batch, so that 50 stands inside one. */
    private static void sendSeconds(Run run, TopicPartition partition, String codec, long start) throws Exception {
        Producer<String, String> producer = run.producer("compression.type", codec, "linger.ms", 1000);
        List<Future<RecordMetadata>> sent = new ArrayList<>();
        for (int i = 0; i <= 100; i++) {
            long timestamp = i < 100 ? start + i * 1000L : start;
            sent.add(producer.send(
                new ProducerRecord<>(partition.topic(), 0, timestamp, null, Integer.toString(i))));
            if (i % 7 == 6) {
                producer.flush();
            }
        }
        producer.flush();
        Expect.equal(Records.offsets(0, 101), Records.offsetsOf(sent), codec + " acknowledged offsets");
    }

    private static OffsetAndTimestamp offsetFor(Consumer<?, ?> consumer, TopicPartition partition, long time) {
        return consumer.offsetsForTimes(Collections.singletonMap(partition, time)).get(partition);
    }

    private static ListOffsetsResultInfo listed(Run run, TopicPartition partition, OffsetSpec spec)
            throws Exception {
        return run.admin().listOffsets(Map.of(partition, spec)).partitionResult(partition).get();
    }

    static void externalOffsets(Run run) throws Exception {
        String topic = run.topic("log", 2);
        Producer<String, String> producer = run.producer();
        Map<TopicPartition, Long> stored = new HashMap<>();
        for (TopicPartition partition : Run.partitions(topic, 2)) {
            Records.send(producer, partition, 0, 50);
            stored.put(partition, 0L);
        }

        Map<TopicPartition, List<String>> seen = new HashMap<>();
        readOn(run, stored, seen, 30);
        Expect.equal(30L, stored.values().stream().mapToLong(Long::longValue).sum(), "stored offsets, together");
        readOn(run, stored, seen, 70);
        for (TopicPartition partition : Run.partitions(topic, 2)) {
            Expect.equal(Records.values(0, 50), seen.get(partition), "values of " + partition);
        }
    }

    /** A consumer without a group reads some records from the stored offsets on and stores where it stopped. */
    private static void readOn(Run run, Map<TopicPartition, Long> stored, Map<TopicPartition, List<String>> seen,
            int count) throws Exception {
        try (Consumer<String, String> consumer = run.consumer("max.poll.records", 1)) {
            consumer.assign(stored.keySet());
            stored.forEach(consumer::seek);
            for (ConsumerRecord<String, String> record : Records.read(consumer, count)) {
                TopicPartition partition = new TopicPartition(record.topic(), record.partition());
                Expect.equal(stored.get(partition), record.offset(), "next offset of " + partition);
                stored.put(partition, record.offset() + 1);
                seen.computeIfAbsent(partition, p -> new ArrayList<>()).add(record.value());
            }
        }
    }
}
