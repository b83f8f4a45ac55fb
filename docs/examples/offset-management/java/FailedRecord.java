import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.function.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/** A failed record is passed over, unless the reader seeks back to it. */
public class FailedRecord {
    static final String TOPIC = "failed-record-" + UUID.randomUUID();
    static final String GROUP = TOPIC;
    static final TopicPartition PARTITION = new TopicPartition(TOPIC, 0);
    static int failuresLeft;
    static String bootstrap = "127.0.0.1:9092";

    public static void main(String[] args) throws Exception {
        if (args.length > 0) {
            bootstrap = args[0];
        }
        produce("a", "b", "c");
        var reader = startReader();

        failuresLeft = 1;
        var done = readToC(reader, record -> System.out.println("b fails. The reader logs that and goes on."));
        check(done.equals(List.of("a", "c")), "The commit behind c covers b too: b is lost.");

        reader.seekToBeginning(reader.assignment());
        failuresLeft = 1;
        done = readToC(reader, record -> reader.seek(PARTITION, record.offset()));
        check(done.equals(List.of("a", "b", "c")),
            "A reader that seeks back to the failed record gets it again: nothing is lost.");
        reader.close();
    }

    static List<String> readToC(KafkaConsumer<String, String> reader,
            Consumer<ConsumerRecord<String, String>> onFailure) {
        List<String> done = new ArrayList<>();
        while (!done.contains("c")) {
            var record = nextRecord(reader);
            try {
                process(record);
                done.add(record.value());
                reader.commitSync();
            } catch (IllegalStateException failure) {
                onFailure.accept(record);
            }
        }
        return done;
    }

    /** The first attempt at b fails. */
    static void process(ConsumerRecord<String, String> record) {
        if (record.value().equals("b") && failuresLeft > 0) {
            failuresLeft--;
            throw new IllegalStateException("could not process b");
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
