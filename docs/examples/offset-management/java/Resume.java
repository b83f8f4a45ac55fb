import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/** A group goes on where it committed, whatever it has read. */
public class Resume {
    static final String TOPIC = "resume-" + UUID.randomUUID();
    static String bootstrap = "127.0.0.1:9092";

    public static void main(String[] args) throws Exception {
        if (args.length > 0) {
            bootstrap = args[0];
        }
        produce("a", "b", "c", "d");

        var reader = startReader("billing");
        String read = "";
        for (int turn = 0; turn < 4; turn++) {
            var record = nextRecord(reader);
            read += record.value();
            if (record.value().equals("b")) {
                reader.commitSync();
            }
        }
        reader.close();
        check(read.equals("abcd"), "A reader has read a, b, c, d and committed behind b.");

        reader = startReader("billing");
        check(nextRecord(reader).value().equals("c"),
            "Its successor starts with c: what was committed counts, not what was read.");
        reader.close();

        reader = startReader("shipping");
        check(nextRecord(reader).value().equals("a"), "Another group starts with a: each group has its own offsets.");
        reader.close();
    }

    static void produce(String... values) throws Exception {
        try (var producer = new KafkaProducer<>(Map.of("bootstrap.servers", bootstrap),
                new StringSerializer(), new StringSerializer())) {
            for (String value : values) {
                producer.send(new ProducerRecord<>(TOPIC, value)).get();
            }
        }
    }

    static KafkaConsumer<String, String> startReader(String group) {
        var reader = new KafkaConsumer<>(Map.of(
                "bootstrap.servers", bootstrap,
                "group.id", group + "-" + TOPIC,
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
