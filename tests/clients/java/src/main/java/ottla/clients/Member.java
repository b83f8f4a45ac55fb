package ottla.clients;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.apache.kafka.clients.consumer.CloseOptions;
import org.apache.kafka.clients.consumer.CloseOptions.GroupMembershipOperation;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.SubscriptionPattern;
import org.apache.kafka.common.TopicPartition;

/** A subscribed consumer that notes what it reads and what its rebalance listener is told. */
final class Member implements ConsumerRebalanceListener {
    final KafkaConsumer<String, String> consumer;
    /** Where each record read stands, as "topic-partition@offset". */
    final List<String> read = new ArrayList<>();
    /** The listener's calls; one that names no partition is left out. */
    final List<Set<TopicPartition>> assigned = new ArrayList<>();
    final List<Set<TopicPartition>> revoked = new ArrayList<>();
    final List<Set<TopicPartition>> lost = new ArrayList<>();

    Member(KafkaConsumer<String, String> consumer, Collection<String> topics) {
        this.consumer = consumer;
        consumer.subscribe(topics, this);
    }

    Member(KafkaConsumer<String, String> consumer, SubscriptionPattern pattern) {
        this.consumer = consumer;
        consumer.subscribe(pattern, this);
    }

    /**
     * Polls the members in turn until each has a share, the shares are disjoint, and together they are the given
     * partitions. One thread does for all: a poll goes on with a rebalance where the last one left it.
     */
    static void settle(Set<TopicPartition> partitions, Member... members) throws Exception {
        settle(Wait.SOON, partitions, members);
    }

    static void settle(Duration limit, Set<TopicPartition> partitions, Member... members) throws Exception {
        Wait.until("assignment of all partitions to " + members.length + " members", limit, () -> {
            int assigned = 0;
            Set<TopicPartition> together = new HashSet<>();
            boolean all = true;
            for (Member member : members) {
                member.poll();
                Set<TopicPartition> share = member.consumer.assignment();
                all &= !share.isEmpty();
                assigned += share.size();
                together.addAll(share);
            }
            return all && assigned == together.size() && together.equals(partitions);
        });
    }

    /** Polls the members in turn until they have read exactly these records, in whatever order. */
    static void expectRead(Collection<String> expected, Member... members) throws Exception {
        Wait.until("records of the group, " + expected.size(), () -> {
            int count = 0;
            for (Member member : members) {
                member.poll();
                count += member.read.size();
            }
            return count >= expected.size();
        });
        List<String> actual = Arrays.stream(members).flatMap(m -> m.read.stream()).sorted().toList();
        Expect.equal(expected.stream().sorted().toList(), actual, "records of the group");
    }

    static List<String> places(Collection<TopicPartition> partitions, int from, int until) {
        List<String> places = new ArrayList<>();
        for (TopicPartition partition : partitions) {
            for (int offset = from; offset < until; offset++) {
                places.add(partition + "@" + offset);
            }
        }
        return places;
    }

    /** The partitions of all calls of the listener. */
    static Set<TopicPartition> together(List<Set<TopicPartition>> calls) {
        Set<TopicPartition> together = new HashSet<>();
        calls.forEach(together::addAll);
        return together;
    }

    void poll() {
        for (ConsumerRecord<String, String> record : consumer.poll(Wait.TURN)) {
            read.add(record.topic() + "-" + record.partition() + "@" + record.offset());
        }
    }

    int generation() {
        return consumer.groupMetadata().generationId();
    }

    /** Ends without a word to the group, as by a crash. */
    void drop() {
        consumer.close(CloseOptions.groupMembershipOperation(GroupMembershipOperation.REMAIN_IN_GROUP));
    }

    void forget() {
        read.clear();
        assigned.clear();
        revoked.clear();
        lost.clear();
    }

    @Override
    public void onPartitionsAssigned(Collection<TopicPartition> partitions) {
        note(assigned, partitions);
    }

    @Override
    public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
        note(revoked, partitions);
    }

    @Override
    public void onPartitionsLost(Collection<TopicPartition> partitions) {
        note(lost, partitions);
    }

    private static void note(List<Set<TopicPartition>> calls, Collection<TopicPartition> partitions) {
        if (!partitions.isEmpty()) {
            calls.add(Set.copyOf(partitions));
        }
    }
}
