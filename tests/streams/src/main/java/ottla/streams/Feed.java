package ottla.streams;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.Future;
import java.util.concurrent.locks.LockSupport;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.serialization.StringSerializer;

/** Writes the lines, each once and in order, spread over the time in which things are killed. */
final class Feed {
    /** What this program says when it has begun. */
    private static final String RUNNING = "RUNNING";

    private final String bootstrap;
    private final Topics topics;
    private final Lines lines;

    Feed(String bootstrap, Topics topics, Lines lines) {
        this.bootstrap = bootstrap;
        this.topics = topics;
        this.lines = lines;
    }

    void run(Duration duration) throws Exception {
        // Idempotent, as producers are by default: the input itself has no duplicates when the broker is killed.
        Map<String, Object> configs = Map.of("bootstrap.servers", bootstrap, "reconnect.backoff.max.ms", 200);
        try (Producer<String, String> producer =
                new KafkaProducer<>(configs, new StringSerializer(), new StringSerializer())) {
            Queue<Future<RecordMetadata>> sent = new ArrayDeque<>();
            // The topic is known: from here on the pace is kept.
            producer.partitionsFor(topics.input());
            System.out.println(RUNNING);
            long start = System.nanoTime();
            for (int i = 0; i < lines.count; i++) {
                LockSupport.parkNanos(start + duration.toNanos() / lines.count * i - System.nanoTime());
                sent.add(producer.send(new ProducerRecord<>(topics.input(), Integer.toString(i), lines.line(i))));
            }
            for (Future<RecordMetadata> acknowledgement : sent) {
                acknowledgement.get();
            }
        }
    }
}
