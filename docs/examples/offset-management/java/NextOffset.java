import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/** The committed offset is that of the next record, not of the last one. */
public class NextOffset {
    static final String TOPIC = "next-offset-" + UUID.randomUUID();
    static final String GROUP = TOPIC;
    static final TopicPartition PARTITION = new TopicPartition(TOPIC, 0);
    static String bootstrap = "127.0.0.1:9092";

    public static void main(String[] args) throws Exception {
        if (args.length > 0) {
            bootstrap = args[0];
        }
        produce("a", "b", "c");

        // The record at offset 1, b, has been processed.
        commit(1);
        check(firstRecord().equals("b"),
            "After a commit of 1, the offset of the last record, that record comes again.");
        commit(1 + 1);
        check(firstRecord().equals("c"), "After a commit of 2, one more, the next record comes.");

        // commitSync() without arguments adds the one by itself.
        try (var reader = startReader()) {
            var record = nextRecord(reader);
            reader.commitSync();
            long committed = reader.committed(Set.of(PARTITION)).get(PARTITION).offset();
            check(record.offset() == 2 && committed == 3, "The client's own commit, after the record at 2, is of 3.");
        }
    }

    static void commit(long offset) {
        try (var reader = startReader()) {
            reader.commitSync(Map.of(PARTITION, new OffsetAndMetadata(offset)));
        }
    }

    static String firstRecord() {
        try (var reader = startReader()) {
            return nextRecord(reader).value();
        }
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
        reader.assign(List.of(PARTITION));
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
