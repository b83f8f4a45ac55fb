package ottla.clients;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.CloseOptions;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/** What one scenario works with: a broker, names of its own, and clients that end with the scenario. */
final class Run implements AutoCloseable {
    private static final Duration CLOSE = Duration.ofSeconds(5);
    // Shorter than a scenario, so that the client's own error is told, not the watchdog's.
    private static final int API_MILLIS = 30_000;
    private static final int DELIVERY_MILLIS = 45_000;

    final Broker broker;
    final String bootstrap;
    private final String prefix;
    private final List<AutoCloseable> clients = new ArrayList<>();
    private Admin admin;

    Run(String bootstrap, String prefix, Broker broker) {
        this.bootstrap = bootstrap;
        this.prefix = prefix;
        this.broker = broker;
    }

    String name(String suffix) {
        return prefix + "-" + suffix;
    }

    /** Creates a topic of this scenario's own and returns its name. */
    String topic(String suffix, int partitions) throws Exception {
        return topic(suffix, partitions, Map.of());
    }

    String topic(String suffix, int partitions, Map<String, String> configs) throws Exception {
        String topic = name(suffix);
        NewTopic created = new NewTopic(topic, Optional.of(partitions), Optional.of((short) 1)).configs(configs);
        admin().createTopics(List.of(created)).all().get();
        awaitLeaders(topic, partitions);
        return topic;
    }

    /** A broker may answer a creation or an extension before its metadata shows it. */
    void awaitLeaders(String topic, int partitions) throws Exception {
        Wait.until("leaders of " + topic, () -> {
            try {
                var found = admin().describeTopics(List.of(topic)).allTopicNames().get().get(topic).partitions();
                return found.size() == partitions && found.stream().allMatch(p -> p.leader() != null);
            } catch (ExecutionException e) {
                if (e.getCause() instanceof UnknownTopicOrPartitionException) {
                    return false;
                }
                throw e;
            }
        });
    }

    static Set<TopicPartition> partitions(String topic, int count) {
        return IntStream.range(0, count).mapToObj(p -> new TopicPartition(topic, p)).collect(Collectors.toSet());
    }

    Admin admin() {
        if (admin == null) {
            admin = Admin.create(with(configs(), "default.api.timeout.ms", API_MILLIS));
            clients.add(() -> admin.close(CLOSE));
        }
        return admin;
    }

    KafkaProducer<String, String> producer(Object... settings) {
        return track(new KafkaProducer<>(producerConfigs(settings), new StringSerializer(), new StringSerializer()));
    }

    KafkaProducer<byte[], byte[]> bytesProducer(Object... settings) {
        return track(
            new KafkaProducer<>(producerConfigs(settings), new ByteArraySerializer(), new ByteArraySerializer()));
    }

    KafkaConsumer<String, String> consumer(Object... settings) {
        return track(
            new KafkaConsumer<>(consumerConfigs(settings), new StringDeserializer(), new StringDeserializer()));
    }

    KafkaConsumer<byte[], byte[]> bytesConsumer(Object... settings) {
        return track(
            new KafkaConsumer<>(consumerConfigs(settings), new ByteArrayDeserializer(), new ByteArrayDeserializer()));
    }

    private <K, V> KafkaProducer<K, V> track(KafkaProducer<K, V> producer) {
        clients.add(() -> producer.close(CLOSE));
        return producer;
    }

    private <K, V> KafkaConsumer<K, V> track(KafkaConsumer<K, V> consumer) {
        clients.add(() -> consumer.close(CloseOptions.timeout(CLOSE)));
        return consumer;
    }

    private Map<String, Object> producerConfigs(Object... settings) {
        Map<String, Object> configs = configs();
        configs.put("delivery.timeout.ms", DELIVERY_MILLIS);
        return with(configs, settings);
    }

    private Map<String, Object> consumerConfigs(Object... settings) {
        Map<String, Object> configs = configs();
        configs.put("default.api.timeout.ms", API_MILLIS);
        configs.put("group.protocol", "classic");
        configs.put("auto.offset.reset", "earliest");
        configs.put("enable.auto.commit", false);
        // Members learn of a rebalance by their heartbeat: often, or every rebalance takes seconds.
        configs.put("heartbeat.interval.ms", 300);
        // Closing a consumer waits for the fetch that waits at the broker.
        configs.put("fetch.max.wait.ms", 100);
        with(configs, settings);
        if (configs.get("group.protocol").equals("consumer")) {
            // The broker says how often.
            configs.remove("heartbeat.interval.ms");
        }
        return configs;
    }

    private Map<String, Object> configs() {
        return new HashMap<>(Map.of("bootstrap.servers", bootstrap));
    }

    private static Map<String, Object> with(Map<String, Object> configs, Object... settings) {
        for (int i = 0; i < settings.length; i += 2) {
            configs.put((String) settings[i], settings[i + 1]);
        }
        return configs;
    }

    /** Closes every client; one that the scenario closed itself is left as it is. */
    @Override
    public void close() {
        // Clients refuse to close properly in an interrupted thread.
        Thread.interrupted();
        for (AutoCloseable client : clients) {
            try {
                client.close();
            } catch (Exception e) {
                System.err.println("closing a client of " + prefix + ": " + e);
            }
        }
    }
}
