import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/** The offset in the same file as the result: each record counts once, wherever the crash is. */
public class Outside {
    static final String TOPIC = "outside-" + UUID.randomUUID();
    static final TopicPartition PARTITION = new TopicPartition(TOPIC, 0);
    static final long NEVER = -1;
    static Path directory;
    static String bootstrap = "127.0.0.1:9092";

    public static void main(String[] args) throws Exception {
        if (args.length > 0) {
            bootstrap = args[0];
        }
        directory = Files.createTempDirectory("outside");
        save(new Checkpoint(0, 0), false);
        produce("10", "20", "30");

        run(2, 1);
        check(load().equals(new Checkpoint(1, 10)),
            "A crash before the rename of the second checkpoint: offset 1, sum 10.");
        run(2, NEVER);
        check(load().equals(new Checkpoint(3, 60)),
            "Run again, from offset 1: offset 3, sum 60. Each record counts once.");

        Files.deleteIfExists(directory.resolve("checkpoint"));
        Files.delete(directory);
    }

    record Checkpoint(long offset, long sum) {
    }

    static Checkpoint load() throws Exception {
        String[] fields = Files.readString(directory.resolve("checkpoint")).split(" ");
        return new Checkpoint(Long.parseLong(fields[0]), Long.parseLong(fields[1]));
    }

    static void save(Checkpoint checkpoint, boolean crash) throws Exception {
        Path written = directory.resolve("checkpoint.new");
        Files.writeString(written, checkpoint.offset + " " + checkpoint.sum,
            StandardOpenOption.CREATE, StandardOpenOption.TRUNCATE_EXISTING, StandardOpenOption.WRITE,
            StandardOpenOption.DSYNC);
        if (!crash) {
            // Offset and sum change in one step.
            Files.move(written, directory.resolve("checkpoint"), StandardCopyOption.ATOMIC_MOVE);
        }
    }

    /** Goes on where the checkpoint says; nothing is committed to the broker. */
    static void run(int count, long crashAt) throws Exception {
        Checkpoint checkpoint = load();
        try (var reader = new KafkaConsumer<>(Map.of("bootstrap.servers", bootstrap, "max.poll.records", 1),
                new StringDeserializer(), new StringDeserializer())) {
            reader.assign(List.of(PARTITION));
            reader.seek(PARTITION, checkpoint.offset);
            for (int number = 0; number < count; number++) {
                var record = nextRecord(reader);
                long sum = checkpoint.sum + Long.parseLong(record.value());
                checkpoint = new Checkpoint(record.offset() + 1, sum);
                save(checkpoint, record.offset() == crashAt);
            }
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
