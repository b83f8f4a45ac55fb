package ottla.streams;

import java.util.List;
import java.util.Properties;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.state.KeyValueStore;

/** One instance of the application, which runs until it is killed. */
final class WordCount {
    /** What an instance says when it has its partitions and their state. */
    private static final String RUNNING = "RUNNING";

    private final Properties configs = new Properties();
    private final Topics topics;

    WordCount(String bootstrap, Topics topics, String stateDirectory) {
        this.topics = topics;
        configs.put("application.id", topics.application());
        configs.put("bootstrap.servers", bootstrap);
        configs.put("state.dir", stateDirectory);
        configs.put("processing.guarantee", "exactly_once_v2");
        configs.put("default.key.serde", Serdes.StringSerde.class);
        configs.put("default.value.serde", Serdes.StringSerde.class);
        // A killed instance is missed as soon as a broker allows, and records of the repartition topic are deleted
        // every second instead of every 30, so that a short run sees both.
        configs.put("consumer.session.timeout.ms", 6000);
        configs.put("consumer.heartbeat.interval.ms", 500);
        configs.put("repartition.purge.interval.ms", 1000);
        configs.put("reconnect.backoff.max.ms", 200);
        // The internal topics roll all the time, so that the changelogs are compacted while they grow.
        configs.put("topic.segment.ms", 2000);
        configs.put("topic.min.cleanable.dirty.ratio", 0.01);
    }

    void run() throws InterruptedException {
        try (KafkaStreams streams = new KafkaStreams(topology(), configs)) {
            streams.setUncaughtExceptionHandler(error -> {
                error.printStackTrace();
                return StreamThreadExceptionResponse.REPLACE_THREAD;
            });
            streams.setStateListener((state, before) -> {
                if (state == KafkaStreams.State.RUNNING) {
                    System.out.println(RUNNING);
                }
            });
            streams.start();
            Thread.currentThread().join();
        }
    }

    /** Without a cache every occurrence of a word is told, so each count is to be seen once and in order. */
    private Topology topology() {
        StreamsBuilder builder = new StreamsBuilder();
        KStream<String, String> lines = builder.stream(topics.input());
        lines.to(topics.copy());
        lines.flatMapValues(line -> List.of(line.split(" ")))
            .groupBy((number, word) -> word, Grouped.as(Topics.STORE))
            .count(Materialized.<String, Long, KeyValueStore<Bytes, byte[]>>as(Topics.STORE).withCachingDisabled())
            .toStream()
            .to(topics.counts(), Produced.with(Serdes.String(), Serdes.Long()));
        return builder.build();
    }
}
