package ottla.clients;

import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.consumer.SubscriptionPattern;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.common.GroupType;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.UnreleasedInstanceIdException;

/** Groups of the consumer protocol, KIP-848, whose members only send heartbeats. */
final class ConsumerProtocol {
    private static final int PARTITIONS = 4;
    /** Brokers look for new topics of a pattern every 10 seconds. */
    private static final Duration PATTERN_LIMIT = Duration.ofSeconds(30);
    private static final Duration SESSION_LIMIT = Duration.ofSeconds(30);

    private ConsumerProtocol() {
    }

    static void resume(Run run) throws Exception {
        String topic = run.topic("log", 1);
        Records.send(run.producer(), new TopicPartition(topic, 0), 0, 100);

        Offsets.readOn(run, topic, 0, 30, "consumer");
        Offsets.readOn(run, topic, 30, 60, "consumer");
        run.broker.restart();
        Offsets.readOn(run, topic, 60, 80, "consumer");
        run.broker.kill();
        Offsets.readOn(run, topic, 80, 100, "consumer");
    }

    static void staticMember(Run run) throws Exception {
        String topic = run.topic("log", PARTITIONS);
        Set<TopicPartition> all = Run.partitions(topic, PARTITIONS);
        Member other = member(run, topic);
        Member.settle(all, other);
        Member before = member(run, topic, "group.instance.id", "instance");
        Member.settle(all, other, before);
        Set<TopicPartition> share = before.consumer.assignment();
        other.forget();

        Member usurper = member(run, topic, "group.instance.id", "instance");
        Expect.fails(UnreleasedInstanceIdException.class, "poll of a second client with the instance id", () -> {
            Wait.until("refusal", () -> {
                usurper.poll();
                return false;
            });
            return null;
        });

        // A static member does not leave the group when it closes.
        before.consumer.close();
        Member back = member(run, topic, "group.instance.id", "instance");
        Member.settle(all, other, back);
        Expect.equal(share, back.consumer.assignment(), "assignment of the member that came back");
        Expect.equal(List.of(), other.revoked, "revocations of the other member");
        Expect.equal(List.of(), other.assigned, "assignments to the other member");

        TopicPartition partition = share.iterator().next();
        back.consumer.commitSync(Map.of(partition, new OffsetAndMetadata(1)));
        Expect.equal(new OffsetAndMetadata(1), back.consumer.committed(Set.of(partition)).get(partition),
            "committed by the member that came back");
    }

    static void pattern(Run run) throws Exception {
        Set<TopicPartition> matching = new HashSet<>(Run.partitions(run.topic("match-a", 2), 2));
        matching.addAll(Run.partitions(run.topic("match-b", 2), 2));
        run.topic("other", 2);
        Member member = new Member(
            run.consumer("group.id", run.name("group"), "group.protocol", "consumer"),
            new SubscriptionPattern(run.name("match") + "-.*"));
        Member.settle(PATTERN_LIMIT, matching, member);

        matching.addAll(Run.partitions(run.topic("match-c", 2), 2));
        Member.settle(PATTERN_LIMIT, matching, member);
        Expect.equal(List.of(), member.revoked, "revocations");
    }

    static void memberDies(Run run) throws Exception {
        String topic = run.topic("log", PARTITIONS);
        Set<TopicPartition> all = Run.partitions(topic, PARTITIONS);
        Member staying = member(run, topic);
        Member.settle(all, staying);
        try (DoomedMember dying = new DoomedMember(run.bootstrap, run.name("group"), topic)) {
            awaitWord(dying, "ASSIGNED", staying);
            Set<TopicPartition> orphaned = new HashSet<>(all);
            orphaned.removeAll(staying.consumer.assignment());
            Expect.equal(PARTITIONS / 2, orphaned.size(), "partitions of the dying member");
            Producer<String, String> producer = run.producer();
            for (TopicPartition partition : all) {
                Records.send(producer, partition, 0, 10);
            }
            Member.expectRead(Member.places(staying.consumer.assignment(), 0, 10), staying);
            awaitWord(dying, "COMMITTED", staying);
            staying.consumer.commitSync();
            staying.forget();
            dying.kill();

            Member.settle(SESSION_LIMIT, all, staying);
            Member.expectRead(Member.places(orphaned, 4, 10), staying);
        }
    }

    private static void awaitWord(DoomedMember dying, String word, Member staying) throws Exception {
        Wait.until("the dying member says " + word, () -> {
            staying.poll();
            return dying.said(word);
        });
    }

    /** A group changes its protocol while it lives, and back. */
    static void migration(Run run) throws Exception {
        String topic = run.topic("log", PARTITIONS);
        Set<TopicPartition> all = Run.partitions(topic, PARTITIONS);
        Producer<String, String> producer = run.producer();
        Member old = member(run, topic, "group.protocol", "classic");
        Member.settle(all, old);
        expectType(run, GroupType.CLASSIC);
        readAndCommit(producer, all, 0, old);

        Member modern = member(run, topic);
        Member.settle(all, old, modern);
        expectType(run, GroupType.CONSUMER);
        readAndCommit(producer, all, 10, old, modern);
        old.consumer.close();
        Member.settle(all, modern);
        expectType(run, GroupType.CONSUMER);
        readAndCommit(producer, all, 20, modern);

        Member again = member(run, topic, "group.protocol", "classic");
        Member.settle(all, modern, again);
        expectType(run, GroupType.CONSUMER);
        modern.consumer.close();
        Member.settle(all, again);
        expectType(run, GroupType.CLASSIC);
        readAndCommit(producer, all, 30, again);
    }

    /** Ten more records of each partition are read once, by whichever member, and committed. */
    private static void readAndCommit(Producer<String, String> producer, Set<TopicPartition> all, int from,
            Member... members) throws Exception {
        for (TopicPartition partition : all) {
            Records.send(producer, partition, from, from + 10);
        }
        Member.expectRead(Member.places(all, from, from + 10), members);
        for (Member member : members) {
            member.consumer.commitSync();
            member.forget();
        }
    }

    private static void expectType(Run run, GroupType type) throws Exception {
        String group = run.name("group");
        Expect.equal(type, run.admin().describeConsumerGroups(List.of(group)).all().get().get(group).type(),
            "type of the group");
    }

    private static Member member(Run run, String topic, Object... settings) {
        Object[] all = new Object[settings.length + 4];
        all[0] = "group.id";
        all[1] = run.name("group");
        all[2] = "group.protocol";
        all[3] = "consumer";
        System.arraycopy(settings, 0, all, 4, settings.length);
        return new Member(run.consumer(all), List.of(topic));
    }
}
