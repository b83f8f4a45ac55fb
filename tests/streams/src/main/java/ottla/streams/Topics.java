package ottla.streams;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.common.TopicPartition;

/** The topics of one run; the internal ones are made by Kafka Streams, which names them after the application. */
record Topics(String application) {
    static final int PARTITIONS = 4;
    static final String STORE = "words";

    String input() {
        return application + "-lines";
    }

    /** The lines, as they were read. */
    String copy() {
        return application + "-copy";
    }

    /** Every new count of a word. */
    String counts() {
        return application + "-counts";
    }

    String changelog() {
        return application + "-" + STORE + "-changelog";
    }

    String repartition() {
        return application + "-" + STORE + "-repartition";
    }

    List<TopicPartition> partitions(String topic) {
        return IntStream.range(0, PARTITIONS).mapToObj(partition -> new TopicPartition(topic, partition)).toList();
    }

    void create(String bootstrap) throws Exception {
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", bootstrap))) {
            admin.createTopics(List.of(input(), copy(), counts()).stream()
                .map(topic -> new NewTopic(topic, Optional.of(PARTITIONS), Optional.empty())).toList()).all().get();
        }
    }
}
