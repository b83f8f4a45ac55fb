package ottla.clients;

import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.apache.kafka.clients.consumer.CloseOptions;
import org.apache.kafka.clients.consumer.CommitFailedException;
import org.apache.kafka.clients.consumer.ConsumerGroupMetadata;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.CooperativeStickyAssignor;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.consumer.RangeAssignor;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.RebalanceInProgressException;
import org.apache.kafka.common.errors.RetriableException;
import org.apache.kafka.common.errors.WakeupException;
import org.apache.kafka.common.serialization.StringDeserializer;

/** A member on a thread of its own: polls, processes, and commits what it has processed. */
final class ChurnMember implements Runnable, ConsumerRebalanceListener {
    private static final Duration TURN = Duration.ofMillis(200);
    private static final Duration CLOSE = Duration.ofSeconds(5);
    /** The work on what a poll has given lasts up to this long. A pause of the process often falls into it. */
    private static final int WORK_MILLIS = 200;

    private final int number;
    private final String topic;
    private final ChurnLines lines;
    private final Map<String, Object> configs;
    private volatile KafkaConsumer<String, String> consumer;
    /** What is processed and owned, but not known to be committed. */
    private final Map<TopicPartition, OffsetAndMetadata> uncommitted = new HashMap<>();
    private volatile boolean stateAsked;
    private final CountDownLatch leaving = new CountDownLatch(1);

    ChurnMember(int number, String topic, Map<String, Object> configs, ChurnLines lines) {
        this.number = number;
        this.topic = topic;
        this.lines = lines;
        this.configs = configs;
        this.consumer = open();
    }

    private KafkaConsumer<String, String> open() {
        return new KafkaConsumer<>(configs, new StringDeserializer(), new StringDeserializer());
    }

    static Map<String, Object> configs(String bootstrap, String group, String protocol) {
        Map<String, Object> configs = new HashMap<>(Map.of(
            "bootstrap.servers", bootstrap,
            "group.id", group,
            "enable.auto.commit", false,
            "auto.offset.reset", "earliest",
            "max.poll.records", 200,
            "max.poll.interval.ms", 15_000,
            "default.api.timeout.ms", 20_000,
            "reconnect.backoff.max.ms", 200));
        switch (protocol) {
            case "consumer" -> configs.put("group.protocol", "consumer");
            case "eager" -> classic(configs, RangeAssignor.class);
            case "cooperative" -> classic(configs, CooperativeStickyAssignor.class);
            default -> throw new IllegalArgumentException(protocol);
        }
        return configs;
    }

    private static void classic(Map<String, Object> configs, Class<?> assignor) {
        configs.put("partition.assignment.strategy", assignor.getName());
        configs.put("session.timeout.ms", 6_000);
        configs.put("heartbeat.interval.ms", 500);
    }

    void tellState() {
        stateAsked = true;
    }

    void leave() {
        leaving.countDown();
        consumer.wakeup();
    }

    @Override
    public void run() {
        while (!isLeaving()) {
            try {
                live();
            } catch (WakeupException e) {
                // Only leave wakes it up.
            } catch (KafkaException e) {
                // Some errors are for good: an application closes the client and makes another.
                say("renewed " + e);
                uncommitted.clear();
            }
            close();
            if (!isLeaving()) {
                consumer = open();
            }
        }
        say("left");
    }

    private void live() {
        consumer.subscribe(List.of(topic), this);
        while (!isLeaving()) {
            turn();
            if (stateAsked) {
                stateAsked = false;
                say("state " + membership());
            }
        }
    }

    private void close() {
        try {
            consumer.close(CloseOptions.timeout(CLOSE));
        } catch (KafkaException e) {
            say("unclean " + e);
        }
    }

    private void turn() {
        try {
            process(consumer.poll(TURN));
        } catch (RetriableException e) {
            // The broker is away, or it is back and still reads its log.
        }
        if (!uncommitted.isEmpty()) {
            work();
            commit(Map.copyOf(uncommitted));
        }
    }

    private boolean isLeaving() {
        return leaving.getCount() == 0;
    }

    /** Takes as long as an application's work would, or until the member is to leave. */
    private void work() {
        try {
            leaving.await(ThreadLocalRandom.current().nextInt(WORK_MILLIS), TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            throw new AssertionError("nobody interrupts a member", e);
        }
    }

    private void process(ConsumerRecords<String, String> records) {
        int epoch = consumer.groupMetadata().generationId();
        for (TopicPartition partition : records.partitions()) {
            long next = process(epoch, records.records(partition));
            uncommitted.put(partition, new OffsetAndMetadata(next, "member " + number));
        }
    }

    /** Tells the runs of offsets and numbers without a gap; gives the offset after the last. */
    private long process(int epoch, List<ConsumerRecord<String, String>> records) {
        ConsumerRecord<String, String> first = records.get(0);
        int count = 0;
        for (ConsumerRecord<String, String> record : records) {
            boolean follows = record.offset() == first.offset() + count
                && Long.parseLong(record.value()) == Long.parseLong(first.value()) + count;
            if (!follows) {
                processed(epoch, first, count);
                first = record;
                count = 0;
            }
            count++;
        }
        processed(epoch, first, count);
        return records.get(records.size() - 1).offset() + 1;
    }

    private void processed(int epoch, ConsumerRecord<String, String> first, int count) {
        say("processed " + epoch + " " + first.partition() + " " + first.offset() + " " + first.value() + " " + count);
    }

    private void commit(Map<TopicPartition, OffsetAndMetadata> done) {
        String offsets = done.entrySet().stream()
            .map(entry -> entry.getKey().partition() + ":" + entry.getValue().offset())
            .collect(Collectors.joining(","));
        say("committing " + consumer.groupMetadata().generationId() + " " + offsets);
        try {
            consumer.commitSync(done);
            uncommitted.clear();
            say("committed " + consumer.groupMetadata().generationId());
        } catch (CommitFailedException | RebalanceInProgressException e) {
            say("refused " + e);
        } catch (WakeupException e) {
            say("unknown " + e);
            throw e;
        } catch (KafkaException e) {
            say("unknown " + e);
        }
    }

    private String membership() {
        ConsumerGroupMetadata metadata = consumer.groupMetadata();
        String id = metadata.memberId().isEmpty() ? "-" : metadata.memberId();
        return id + " " + metadata.generationId() + " " + ChurnLines.numbers(consumer.assignment());
    }

    private void say(String what) {
        lines.say(number, what);
    }

    @Override
    public void onPartitionsAssigned(Collection<TopicPartition> partitions) {
        say("assigned " + membership());
    }

    @Override
    public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
        uncommitted.keySet().removeAll(partitions);
        say("revoked " + ChurnLines.numbers(partitions));
    }

    @Override
    public void onPartitionsLost(Collection<TopicPartition> partitions) {
        uncommitted.keySet().removeAll(partitions);
        say("lost " + ChurnLines.numbers(partitions));
    }
}
