import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Random;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/**
 * Copies one partition to another, each record once: it consumes, produces and commits its offsets in transactions. It may be
 * killed at any time and started again, and it begins anew after every error, as its documentation tells a program to.
 *
 *     Copy fill ADDRESS COUNT               makes the topics, and COUNT records "0", "1", … in the input
 *     Copy copy ADDRESS COUNT SEED PATIENT_MS RECORDS_MAX
 *                                           copies until COUNT records are copied, at most so many in a transaction
 *     Copy compare ADDRESS COUNT            reads what is committed in the output: "0", "1", … and nothing else
 */
public final class Copy {
    private static final TopicPartition INPUT = new TopicPartition("input", 0);
    private static final TopicPartition OUTPUT = new TopicPartition("output", 0);
    private static final String GROUP = "copiers";
    /** Once in so many transactions it writes nonsense and aborts. */
    private static final int ABORT_ONCE_IN = 8;
    private static final Duration POLL = Duration.ofMillis(500);
    /** How long the comparison waits for the next record. */
    private static final Duration COMPARE = Duration.ofSeconds(30);

    private final String address;
    private final long count;
    private final Random random;
    private final int patientMs;
    private final int pollRecordsMax;
    private long copied = -1;

    private Copy(String address, long count, long seed, int patientMs, int pollRecordsMax) {
        this.address = address;
        this.count = count;
        this.random = new Random(seed);
        this.patientMs = patientMs;
        this.pollRecordsMax = pollRecordsMax;
    }

    public static void main(String[] arguments) throws Exception {
        String address = arguments[1];
        long count = Long.parseLong(arguments[2]);
        long seed = arguments.length > 3 ? Long.parseLong(arguments[3]) : 0;
        int patientMs = arguments.length > 4 ? Integer.parseInt(arguments[4]) : 5000;
        int pollRecordsMax = arguments.length > 5 ? Integer.parseInt(arguments[5]) : 500;
        Copy copy = new Copy(address, count, seed, patientMs, pollRecordsMax);
        switch (arguments[0]) {
            case "fill" -> copy.fill();
            case "copy" -> copy.run();
            default -> copy.compare();
        }
        System.exit(0);
    }

    private Properties common() {
        Properties properties = new Properties();
        properties.put("bootstrap.servers", address);
        properties.put("request.timeout.ms", patientMs);
        properties.put("default.api.timeout.ms", patientMs * 4);
        properties.put("reconnect.backoff.max.ms", 100);
        properties.put("retry.backoff.max.ms", 200);
        return properties;
    }

    private KafkaProducer<String, String> producer(boolean transactional) {
        Properties properties = common();
        properties.put("linger.ms", 0);
        properties.put("delivery.timeout.ms", patientMs * 3);
        properties.put("max.block.ms", patientMs * 4);
        if (transactional) {
            properties.put("transactional.id", "copier");
            properties.put("transaction.timeout.ms", 5000);
        }
        return new KafkaProducer<>(properties, new StringSerializer(), new StringSerializer());
    }

    private KafkaConsumer<String, String> consumer() {
        Properties properties = common();
        properties.put("group.id", GROUP);
        properties.put("enable.auto.commit", false);
        properties.put("auto.offset.reset", "earliest");
        properties.put("isolation.level", "read_committed");
        properties.put("max.poll.records", pollRecordsMax);
        return new KafkaConsumer<>(properties, new StringDeserializer(), new StringDeserializer());
    }

    private void fill() throws Exception {
        try (Admin admin = Admin.create(common())) {
            List<NewTopic> topics = List.of(new NewTopic("input", 1, (short) 1), new NewTopic("output", 1, (short) 1));
            admin.createTopics(topics).all().get();
        }
        try (KafkaProducer<String, String> producer = producer(false)) {
            for (long number = 0; number < count; number++) {
                producer.send(new ProducerRecord<>("input", 0, null, Long.toString(number)));
            }
        }
        System.out.println("filled " + count);
    }

    private void run() {
        try (KafkaConsumer<String, String> consumer = consumer()) {
            consumer.assign(List.of(INPUT));
            while (copied < count) {
                KafkaProducer<String, String> producer = producer(true);
                try {
                    producer.initTransactions();
                    goOn(producer, consumer);
                } catch (RuntimeException error) {
                    System.out.println("again after " + error);
                } finally {
                    producer.close(Duration.ZERO);
                }
            }
        }
    }

    /** Copies from the committed offset on, until everything is copied or something fails. */
    private void goOn(KafkaProducer<String, String> producer, KafkaConsumer<String, String> consumer) {
        toCommitted(consumer);
        while (copied < count) {
            ConsumerRecords<String, String> records = consumer.poll(POLL);
            if (records.isEmpty()) {
                continue;
            }
            producer.beginTransaction();
            if (random.nextInt(ABORT_ONCE_IN) == 0) {
                records.forEach(record -> producer.send(new ProducerRecord<>("output", 0, null, "nonsense")));
                producer.sendOffsetsToTransaction(offsets(copied + 1_000_000_000L), consumer.groupMetadata());
                producer.abortTransaction();
                consumer.seek(INPUT, copied);
                continue;
            }
            for (ConsumerRecord<String, String> record : records) {
                producer.send(new ProducerRecord<>("output", 0, null, record.value()));
            }
            long next = consumer.position(INPUT);
            producer.sendOffsetsToTransaction(offsets(next), consumer.groupMetadata());
            producer.commitTransaction();
            copied = next;
            System.out.println("copied " + copied);
        }
    }

    private static Map<TopicPartition, OffsetAndMetadata> offsets(long offset) {
        return Map.of(INPUT, new OffsetAndMetadata(offset));
    }

    private void toCommitted(KafkaConsumer<String, String> consumer) {
        OffsetAndMetadata committed = consumer.committed(java.util.Set.of(INPUT)).get(INPUT);
        copied = committed == null ? 0 : committed.offset();
        consumer.seek(INPUT, copied);
        System.out.println("begins at " + copied);
    }

    private void compare() {
        try (KafkaConsumer<String, String> consumer = consumer()) {
            consumer.assign(List.of(OUTPUT));
            consumer.seekToBeginning(List.of(OUTPUT));
            long next = 0;
            long end = consumer.endOffsets(List.of(OUTPUT), COMPARE).get(OUTPUT);
            while (consumer.position(OUTPUT, COMPARE) < end) {
                for (ConsumerRecord<String, String> record : consumer.poll(POLL)) {
                    if (!record.value().equals(Long.toString(next))) {
                        System.out.println("at offset " + record.offset() + " is " + record.value() + " where " + next + " should be");
                        System.exit(1);
                    }
                    next++;
                }
            }
            if (next != count) {
                System.out.println(next + " records are there, " + count + " should be");
                System.exit(1);
            }
            System.out.println("equal " + next);
        }
    }
}
