package ottla.clients;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Future;
import java.util.concurrent.Semaphore;
import java.util.zip.CRC32C;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;

/** Many records and much data. */
final class Bulk {
    private static final int SMALL_RECORDS = 2000;
    private static final int LARGE_RECORDS = 2000;
    private static final int LARGE = 10 * 1024;
    private static final int PARTITIONS = 4;

    private Bulk() {
    }

    static void idempotentProducer(Run run) throws Exception {
        TopicPartition partition = new TopicPartition(run.topic("log", 1), 0);
        // Hardly more than one record a request, so that the kill finds as many requests as possible on the way.
        Producer<String, String> producer = run.producer(
            "enable.idempotence", true, "batch.size", 0, "linger.ms", 0);
        List<Future<RecordMetadata>> sent = new ArrayList<>();
        // Sends at the pace of the broker: while it is dead, the window is full and nothing is sent.
        Semaphore window = new Semaphore(10);
        CompletableFuture<Void> killed = null;
        for (int i = 0; i < SMALL_RECORDS; i++) {
            if (i == SMALL_RECORDS / 4) {
                killed = CompletableFuture.runAsync(() -> kill(run));
            }
            if (i == SMALL_RECORDS * 3 / 4) {
                // However late the kill comes, the producer outlives it.
                killed.get();
            }
            window.acquire();
            sent.add(producer.send(
                new ProducerRecord<>(partition.topic(), partition.partition(), null, Integer.toString(i)),
                (metadata, error) -> window.release()));
        }
        Expect.equal(Records.offsets(0, SMALL_RECORDS), Records.offsetsOf(sent), "acknowledged offsets");

        Consumer<String, String> consumer = run.consumer();
        consumer.assign(List.of(partition));
        Records.expectNumbers(consumer, 0, SMALL_RECORDS);
        Expect.equal(Map.of(partition, (long) SMALL_RECORDS), consumer.endOffsets(List.of(partition)), "end offset");
    }

    private static void kill(Run run) {
        try {
            run.broker.kill();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static void largeBatches(Run run) throws Exception {
        String topic = run.topic("log", PARTITIONS);
        Producer<byte[], byte[]> producer = run.bytesProducer(
            "compression.type", "lz4", "batch.size", 1_000_000, "linger.ms", 100);
        Random random = new Random(1);
        Map<Integer, CRC32C> sums = new HashMap<>();
        List<Future<RecordMetadata>> sent = new ArrayList<>();
        for (int i = 0; i < LARGE_RECORDS; i++) {
            int partition = i % PARTITIONS;
            byte[] value = value(random);
            add(sums, partition, value);
            sent.add(producer.send(new ProducerRecord<>(topic, partition, null, value)));
        }
        producer.flush();
        for (Future<RecordMetadata> ack : sent) {
            ack.get();
        }

        Map<Integer, CRC32C> read = new HashMap<>();
        Consumer<byte[], byte[]> consumer = run.bytesConsumer();
        consumer.assign(Run.partitions(topic, PARTITIONS));
        for (ConsumerRecord<byte[], byte[]> record : Records.read(consumer, LARGE_RECORDS)) {
            Expect.equal(LARGE, record.value().length, "length");
            add(read, record.partition(), record.value());
        }
        for (int partition = 0; partition < PARTITIONS; partition++) {
            Expect.equal(sums.get(partition).getValue(), read.get(partition).getValue(),
                "checksum of partition " + partition);
        }
    }

    /** Random letters: they compress, but not to nothing. */
    private static byte[] value(Random random) {
        byte[] value = new byte[LARGE];
        random.nextBytes(value);
        for (int i = 0; i < LARGE; i++) {
            value[i] = (byte) ('a' + (value[i] & 15));
        }
        return value;
    }

    /** The sum of a partition depends on the order of its records. */
    private static void add(Map<Integer, CRC32C> sums, int partition, byte[] value) {
        sums.computeIfAbsent(partition, p -> new CRC32C()).update(value);
    }
}
