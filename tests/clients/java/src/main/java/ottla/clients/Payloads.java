package ottla.clients;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.Future;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.record.TimestampType;

/** What a record may hold. */
final class Payloads {
    private static final List<String> CODECS = List.of("none", "gzip", "snappy", "lz4", "zstd");
    private static final int LARGE = 200 * 1024;
    private static final long HOUR = 3_600_000;

    private Payloads() {
    }

    static void variety(Run run) throws Exception {
        for (String codec : CODECS) {
            String topic = run.topic(codec, 1);
            TopicPartition partition = new TopicPartition(topic, 0);
            List<ProducerRecord<byte[], byte[]>> sent = records(topic);

            // Room and time enough for all records to share one batch.
            Producer<byte[], byte[]> producer = run.bytesProducer(
                "compression.type", codec, "batch.size", 2 * LARGE, "linger.ms", 1000);
            List<Future<RecordMetadata>> acks = new ArrayList<>();
            sent.forEach(record -> acks.add(producer.send(record)));
            producer.flush();
            Expect.equal(Records.offsets(0, sent.size()), Records.offsetsOf(acks), codec + " acknowledged offsets");

            Consumer<byte[], byte[]> consumer = run.bytesConsumer();
            consumer.assign(List.of(partition));
            List<ConsumerRecord<byte[], byte[]>> read = Records.read(consumer, sent.size());
            for (int i = 0; i < sent.size(); i++) {
                String what = codec + " record " + i;
                expectEqual(sent.get(i), read.get(i), what);
                Expect.equal((long) i, read.get(i).offset(), what + " offset");
                Expect.equal(acks.get(i).get().timestamp(), read.get(i).timestamp(), what + " timestamp");
            }
            Expect.equal(Map.of(partition, (long) sent.size()), consumer.endOffsets(List.of(partition)),
                codec + " end offset");
        }
    }

    private static List<ProducerRecord<byte[], byte[]>> records(String topic) {
        // Half noise, half zeros: neither trivial nor impossible to compress.
        byte[] large = new byte[LARGE];
        byte[] noise = new byte[LARGE / 2];
        new Random(1).nextBytes(noise);
        System.arraycopy(noise, 0, large, 0, noise.length);

        ProducerRecord<byte[], byte[]> headers = record(topic, null, bytes("key"), bytes("with headers"));
        headers.headers()
            .add("repeated", bytes("first"))
            .add("null", null)
            .add("repeated", bytes("second"))
            .add("empty", new byte[0])
            .add("größe", bytes("π"));

        return List.of(
            record(topic, null, bytes("key"), bytes("value")),
            record(topic, null, null, bytes("null key")),
            record(topic, null, bytes("tombstone"), null),
            record(topic, null, new byte[0], bytes("empty key")),
            record(topic, null, bytes("empty value"), new byte[0]),
            record(topic, null, bytes("large"), large),
            record(topic, null, bytes("schlüssel-鍵-🔑"), bytes("non-ASCII key")),
            headers,
            record(topic, System.currentTimeMillis() - HOUR, bytes("key"), bytes("explicit timestamp")));
    }

    private static void expectEqual(ProducerRecord<byte[], byte[]> sent, ConsumerRecord<byte[], byte[]> read,
            String what) {
        Expect.that(Arrays.equals(sent.key(), read.key()), what + ": key differs");
        Expect.that(Arrays.equals(sent.value(), read.value()), what + ": value differs");
        Expect.equal(shown(sent.headers()), shown(read.headers()), what + " headers");
        if (sent.timestamp() != null) {
            Expect.equal(sent.timestamp(), read.timestamp(), what + " timestamp");
        }
        Expect.equal(TimestampType.CREATE_TIME, read.timestampType(), what + " timestamp type");
    }

    /** Headers in an order and a form that can be compared and read; null and empty stay apart. */
    private static List<String> shown(Headers headers) {
        List<String> shown = new ArrayList<>();
        for (Header header : headers) {
            shown.add(header.key() + "=" + Arrays.toString(header.value()));
        }
        return shown;
    }

    static void timestamps(Run run) throws Exception {
        long chosen = System.currentTimeMillis() - HOUR;

        ConsumerRecord<byte[], byte[]> created = roundTrip(run, run.topic("create", 1), chosen);
        Expect.equal(chosen, created.timestamp(), "CreateTime timestamp");
        Expect.equal(TimestampType.CREATE_TIME, created.timestampType(), "CreateTime timestamp type");

        String topic = run.topic("append", 1, Map.of("message.timestamp.type", "LogAppendTime"));
        long before = System.currentTimeMillis();
        ConsumerRecord<byte[], byte[]> appended = roundTrip(run, topic, chosen);
        long after = System.currentTimeMillis();
        Expect.within(before - 1000, after + 1000, appended.timestamp(), "LogAppendTime timestamp");
        Expect.equal(TimestampType.LOG_APPEND_TIME, appended.timestampType(), "LogAppendTime timestamp type");
    }

    /** Writes one record and reads it; the acknowledgement must tell the stored timestamp. */
    private static ConsumerRecord<byte[], byte[]> roundTrip(Run run, String topic, long timestamp) throws Exception {
        RecordMetadata ack = run.bytesProducer().send(record(topic, timestamp, null, bytes("value"))).get();
        Consumer<byte[], byte[]> consumer = run.bytesConsumer();
        consumer.assign(List.of(new TopicPartition(topic, 0)));
        ConsumerRecord<byte[], byte[]> read = Records.read(consumer, 1).get(0);
        Expect.equal(read.timestamp(), ack.timestamp(), "acknowledged timestamp");
        return read;
    }

    private static ProducerRecord<byte[], byte[]> record(String topic, Long timestamp, byte[] key, byte[] value) {
        return new ProducerRecord<>(topic, 0, timestamp, key, value);
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
