import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/** A transaction commits a result together with the offset behind what it was made of. */
public class ExactlyOnce {
    static final String TOPIC = "exactly-once-" + UUID.randomUUID();
    static final String RESULTS = TOPIC + "-results";
    static final String GROUP = TOPIC;
    static final TopicPartition PARTITION = new TopicPartition(TOPIC, 0);
    static String bootstrap = "127.0.0.1:9092";

    public static void main(String[] args) throws Exception {
        if (args.length > 0) {
            bootstrap = args[0];
        }
        produce("payment-1", "payment-2", "payment-3");

        process(2, true);
        check(results("read_uncommitted", 2).equals(List.of("payment-1", "payment-2")) && committed() == 1,
            "A crash before the second commit: the result of payment-2 is written, and 1 is committed.");

        List<String> processed = process(2, false);
        check(processed.equals(List.of("payment-2", "payment-3")), "The successor begins with payment-2.");
        check(results("read_committed", 3).equals(List.of("payment-1", "payment-2", "payment-3")),
            "A reader of committed records gets each result once.");
        check(results("read_uncommitted", 4).equals(List.of("payment-1", "payment-2", "payment-2", "payment-3")),
            "A reader of all records gets that of payment-2 twice.");
        check(committed() == 3, "Committed is 3, by the transactions alone.");
    }

    /** Processes records, each in a transaction of its own. */
    static List<String> process(int count, boolean crashBeforeLastCommit) {
        List<String> processed = new ArrayList<>();
        try (var reader = startReader()) {
            var producer = startProducer();
            for (int number = 1; number <= count; number++) {
                var record = nextRecord(reader);
                processed.add(record.value());
                producer.beginTransaction();
                producer.send(new ProducerRecord<>(RESULTS, record.value()));
                var next = Map.of(PARTITION, new OffsetAndMetadata(record.offset() + 1));
                producer.sendOffsetsToTransaction(next, reader.groupMetadata());
                producer.flush();
                if (number < count || !crashBeforeLastCommit) {
                    producer.commitTransaction();
                }
            }
            // No time to say goodbye: an open transaction stays open.
            producer.close(Duration.ZERO);
        }
        return processed;
    }

    static KafkaProducer<String, String> startProducer() {
        var producer = new KafkaProducer<>(Map.of(
                "bootstrap.servers", bootstrap,
                "transactional.id", TOPIC),
            new StringSerializer(), new StringSerializer());
        // Ends what a predecessor of that id has left open.
        producer.initTransactions();
        return producer;
    }

    /** The first results, as a reader of that isolation level gets them. */
    static List<String> results(String isolation, int count) {
        List<String> results = new ArrayList<>();
        try (var reader = new KafkaConsumer<>(Map.of(
                "bootstrap.servers", bootstrap,
                "isolation.level", isolation),
            new StringDeserializer(), new StringDeserializer())) {
            var partitions = List.of(new TopicPartition(RESULTS, 0));
            reader.assign(partitions);
            reader.seekToBeginning(partitions);
            while (results.size() < count) {
                reader.poll(Duration.ofSeconds(30)).forEach(record -> results.add(record.value()));
            }
        }
        return results;
    }

    /** The committed offset as an administrator is told it, who does not wait for an open transaction. */
    static long committed() throws Exception {
        try (var admin = Admin.create(Map.of("bootstrap.servers", bootstrap))) {
            var offsets = admin.listConsumerGroupOffsets(GROUP).partitionsToOffsetAndMetadata().get();
            return offsets.get(PARTITION).offset();
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
