package ottla.clients;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.apache.kafka.clients.consumer.CooperativeStickyAssignor;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.consumer.RangeAssignor;
import org.apache.kafka.clients.consumer.RoundRobinAssignor;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.common.TopicPartition;

/** Two members share two topics of four partitions, then one of them takes over. */
final class Assignors {
    private static final int PARTITIONS = 4;
    private static final int RECORDS = 10;
    /** How far the leaving member commits, short of what it read. */
    private static final int COMMITTED = 6;

    private final Run run;
    private final List<String> topics;
    private final Set<TopicPartition> all = new HashSet<>();
    private final Object[] settings;
    /** What each member had of each topic. */
    private final List<Set<Integer>> halves = new ArrayList<>();
    private Member first;
    private Member second;

    private Assignors(Run run, Class<?> assignor) throws Exception {
        this(run, "group.id", run.name("group"), "partition.assignment.strategy", assignor.getName());
    }

    private Assignors(Run run, Object... settings) throws Exception {
        this.run = run;
        this.settings = settings;
        this.topics = List.of(run.topic("a", PARTITIONS), run.topic("b", PARTITIONS));
        topics.forEach(topic -> all.addAll(Run.partitions(topic, PARTITIONS)));
    }

    static void range(Run run) throws Exception {
        Assignors group = new Assignors(run, RangeAssignor.class);
        group.join();
        group.expectEagerRevocation();
        // Each topic by itself is cut into runs of neighbours.
        Set<Set<Integer>> halves = Set.of(Set.of(0, 1), Set.of(2, 3));
        for (String topic : group.topics) {
            Expect.equal(halves, Set.of(share(group.first, topic), share(group.second, topic)), "shares of a topic");
        }
        Expect.equal(share(group.first, group.topics.get(0)), share(group.first, group.topics.get(1)),
            "the first member's shares of both topics");
        group.readAndTakeOver();
    }

    static void roundRobin(Run run) throws Exception {
        Assignors group = new Assignors(run, RoundRobinAssignor.class);
        group.join();
        group.expectEagerRevocation();
        // The partitions of all topics are dealt out like cards.
        Set<Set<Integer>> halves = Set.of(Set.of(0, 2), Set.of(1, 3));
        for (String topic : group.topics) {
            Expect.equal(halves, Set.of(share(group.first, topic), share(group.second, topic)), "shares of a topic");
        }
        group.readAndTakeOver();
    }

    static void cooperativeSticky(Run run) throws Exception {
        Assignors group = new Assignors(run, CooperativeStickyAssignor.class);
        group.join();
        Set<TopicPartition> kept = group.first.consumer.assignment();
        Set<TopicPartition> moved = group.second.consumer.assignment();
        Expect.equal(PARTITIONS, kept.size(), "size of the first member's share");
        Expect.equal(List.of(moved), group.first.revoked, "revocations of the first member");
        Expect.equal(List.of(group.all), group.first.assigned, "assignments to the first member");
        Expect.equal(List.of(moved), group.second.assigned, "assignments to the second member");
        Expect.equal(List.of(), group.second.revoked, "revocations of the second member");

        group.readAndTakeOver();
        Expect.equal(List.of(), group.second.revoked, "revocations of the staying member");
        Expect.equal(List.of(kept), group.second.assigned, "assignments to the staying member");
        Expect.equal(List.of(), group.second.lost, "losses of the staying member");
    }

    /** The consumer protocol, where the broker assigns. */
    static void serverSideUniform(Run run) throws Exception {
        serverSide(run, "uniform");
    }

    static void serverSideRange(Run run) throws Exception {
        Assignors group = serverSide(run, "range");
        Set<Set<Integer>> halves = Set.of(Set.of(0, 1), Set.of(2, 3));
        for (Set<Integer> half : group.halves) {
            Expect.that(halves.contains(half), "a share of a topic is " + half);
        }
    }

    private static Assignors serverSide(Run run, String assignor) throws Exception {
        Assignors group = new Assignors(run, "group.id", run.name("group"), "group.protocol", "consumer",
            "group.remote.assignor", assignor);
        group.join();
        Set<TopicPartition> kept = group.first.consumer.assignment();
        Set<TopicPartition> moved = group.second.consumer.assignment();
        Expect.equal(PARTITIONS, kept.size(), "size of the first member's share");
        for (String topic : group.topics) {
            group.halves.add(share(group.first, topic));
            group.halves.add(share(group.second, topic));
        }
        Expect.equal(moved, Member.together(group.first.revoked), "revocations of the first member");
        Expect.equal(group.all, Member.together(group.first.assigned), "assignments to the first member");
        Expect.equal(moved, Member.together(group.second.assigned), "assignments to the second member");
        Expect.equal(List.of(), group.second.revoked, "revocations of the second member");

        group.readAndTakeOver();
        Expect.equal(List.of(), group.second.revoked, "revocations of the staying member");
        Expect.equal(kept, Member.together(group.second.assigned), "assignments to the staying member");
        Expect.equal(List.of(), group.second.lost, "losses of the staying member");
        return group;
    }

    /** The first member has all partitions before the second one joins. */
    private void join() throws Exception {
        first = member();
        Member.settle(all, first);
        second = member();
        Member.settle(all, first, second);
        Expect.equal(List.of(), first.lost, "losses of the first member");
    }

    private Member member() {
        return new Member(run.consumer(settings), topics);
    }

    private void expectEagerRevocation() {
        Expect.equal(List.of(all), first.revoked, "revocations of the first member");
        Expect.equal(List.of(all, first.consumer.assignment()), first.assigned, "assignments to the first member");
        Expect.equal(List.of(), second.revoked, "revocations of the second member");
        Expect.equal(List.of(second.consumer.assignment()), second.assigned, "assignments to the second member");
    }

    private void readAndTakeOver() throws Exception {
        Producer<String, String> producer = run.producer();
        for (TopicPartition partition : all) {
            Records.send(producer, partition, 0, RECORDS);
        }
        Member.expectRead(Member.places(all, 0, RECORDS), first, second);

        Set<TopicPartition> left = first.consumer.assignment();
        Map<TopicPartition, OffsetAndMetadata> commit = new HashMap<>();
        left.forEach(partition -> commit.put(partition, new OffsetAndMetadata(COMMITTED)));
        first.consumer.commitSync(commit);
        second.consumer.commitSync();
        second.forget();
        first.consumer.close();

        Member.settle(all, second);
        // Of its own partitions the staying member has read everything.
        List<String> expected = new ArrayList<>(Member.places(left, COMMITTED, RECORDS));
        Member.expectRead(expected, second);
    }

    private static Set<Integer> share(Member member, String topic) {
        return member.consumer.assignment().stream()
            .filter(partition -> partition.topic().equals(topic))
            .map(TopicPartition::partition)
            .collect(Collectors.toSet());
    }
}
