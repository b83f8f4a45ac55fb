import static java.nio.charset.StandardCharsets.UTF_8;

import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/** Committed offsets are records of the topic __consumer_offsets. */
public class OffsetsTopic {
    static final String TOPIC = "offsets-topic-" + UUID.randomUUID();
    static final String GROUP = TOPIC;
    static String bootstrap = "127.0.0.1:9092";

    public static void main(String[] args) throws Exception {
        if (args.length > 0) {
            bootstrap = args[0];
        }
        produce("a", "b", "c");
        var reader = startReader();
        for (int turn = 0; turn < 3; turn++) {
            nextRecord(reader);
            reader.commitSync();
        }
        reader.close();
        check(offsetRecords(3).equals(List.of(1L, 2L, 3L)),
            "Three commits are three records in __consumer_offsets, of 1, 2 and 3.");

        try (var admin = Admin.create(Map.of("bootstrap.servers", bootstrap))) {
            admin.deleteConsumerGroups(List.of(GROUP)).all().get();
        }
        check(offsetRecords(4).get(3) == null,
            "After the group was deleted there is a fourth, without a value: a tombstone.");

        reader = startReader();
        check(nextRecord(reader).value().equals("a"),
            "The group has no offset now and starts as its reset policy says, with a.");
        reader.close();
    }

    /** Reads __consumer_offsets until so many records are about GROUP's offset of TOPIC. */
    static List<Long> offsetRecords(int count) {
        try (var reader = new KafkaConsumer<>(Map.of("bootstrap.servers", bootstrap),
                new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
            reader.assign(reader.partitionsFor("__consumer_offsets").stream()
                .map(partition -> new TopicPartition(partition.topic(), partition.partition())).toList());
            reader.seekToBeginning(reader.assignment());
            List<Long> found = new ArrayList<>();
            while (found.size() < count) {
                var records = reader.poll(Duration.ofSeconds(30));
                if (records.isEmpty()) {
                    throw new AssertionError("Only " + found.size() + " of " + count + " records came.");
                }
                for (var record : records) {
                    if (isOffset(ByteBuffer.wrap(record.key()))) {
                        // The version of the value, then the offset.
                        found.add(record.value() == null ? null : ByteBuffer.wrap(record.value()).getLong(2));
                    }
                }
            }
            return found;
        }
    }

    /** A key of version 0 or 1 is about an offset, of version 2 about a group. */
    static boolean isOffset(ByteBuffer key) {
        return key.getShort() <= 1 && text(key).equals(GROUP) && text(key).equals(TOPIC);
    }

    static String text(ByteBuffer buffer) {
        byte[] bytes = new byte[buffer.getShort()];
        buffer.get(bytes);
        return new String(bytes, UTF_8);
    }

    static void produce(String... values) throws Exception {
        try (var producer = new KafkaProducer<>(Map.of("bootstrap.servers", bootstrap),
                new StringSerializer(), new StringSerializer())) {
            for (String value : values) {
                producer.send(new ProducerRecord<>(TOPIC, value)).get();
            }
        }
    }

    static KafkaConsumer<String, String> startReader() {
        var reader = new KafkaConsumer<>(Map.of(
                "bootstrap.servers", bootstrap,
                "group.id", GROUP,
                "enable.auto.commit", false,
                "auto.offset.reset", "earliest",
                "max.poll.records", 1),
            new StringDeserializer(), new StringDeserializer());
        reader.subscribe(List.of(TOPIC));
        return reader;
    }

    static ConsumerRecord<String, String> nextRecord(KafkaConsumer<String, String> reader) {
        return reader.poll(Duration.ofSeconds(30)).iterator().next();
    }

    static void check(boolean holds, String claim) {
        if (!holds) {
            throw new AssertionError("This does not hold: " + claim);
        }
        System.out.println(claim);
    }
}
