package ottla.clients;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.clients.admin.RemoveMembersFromConsumerGroupOptions;
import org.apache.kafka.clients.consumer.CommitFailedException;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.FencedInstanceIdException;
import org.apache.kafka.common.errors.UnknownMemberIdException;

/** Members that die, come back, or are not members any more. */
final class Membership {
    private static final int PARTITIONS = 4;

    private Membership() {
    }

    static void memberDies(Run run) throws Exception {
        String topic = run.topic("log", PARTITIONS);
        Set<TopicPartition> all = Run.partitions(topic, PARTITIONS);
        Member dying = member(run, topic, "session.timeout.ms", 6000);
        Member.settle(all, dying);
        Member staying = member(run, topic, "session.timeout.ms", 6000);
        Member.settle(all, dying, staying);

        Producer<String, String> producer = run.producer();
        for (TopicPartition partition : all) {
            Records.send(producer, partition, 0, 10);
        }
        Member.expectRead(Member.places(all, 0, 10), dying, staying);
        Set<TopicPartition> orphaned = dying.consumer.assignment();
        for (TopicPartition partition : orphaned) {
            dying.consumer.commitSync(Map.of(partition, new OffsetAndMetadata(4)));
        }
        staying.consumer.commitSync();
        staying.forget();
        dying.drop();

        Member.settle(Duration.ofSeconds(30), all, staying);
        Member.expectRead(Member.places(orphaned, 4, 10), staying);
    }

    static void staticMember(Run run) throws Exception {
        String topic = run.topic("log", PARTITIONS);
        Set<TopicPartition> all = Run.partitions(topic, PARTITIONS);
        Member other = member(run, topic);
        Member.settle(all, other);
        Member before = member(run, topic, "group.instance.id", "instance");
        Member.settle(all, other, before);
        Set<TopicPartition> share = before.consumer.assignment();
        int generation = before.generation();
        other.forget();

        // A static member does not leave the group when it closes.
        before.consumer.close();
        Member back = member(run, topic, "group.instance.id", "instance");
        Member.settle(all, other, back);
        Expect.equal(share, back.consumer.assignment(), "assignment of the member that came back");
        // The same generation: there was no rebalance, neither behind nor ahead of the other member.
        Expect.equal(generation, back.generation(), "generation of the member that came back");
        Expect.equal(generation, other.generation(), "generation of the other member");
        Expect.equal(List.of(), other.revoked, "revocations of the other member");
        Expect.equal(List.of(), other.assigned, "assignments to the other member");

        TopicPartition partition = share.iterator().next();
        back.consumer.commitSync(Map.of(partition, new OffsetAndMetadata(1)));
        Member fencing = member(run, topic, "group.instance.id", "instance");
        Wait.until("assignment of the second client with the instance id", () -> {
            other.poll();
            fencing.poll();
            return fencing.consumer.assignment().equals(share);
        });
        Expect.fails(FencedInstanceIdException.class, "commit of the fenced client", () -> {
            back.consumer.commitSync(Map.of(partition, new OffsetAndMetadata(2)));
            return null;
        });
        Expect.fails(FencedInstanceIdException.class, "poll of the fenced client", () -> {
            Wait.until("fencing", () -> {
                back.poll();
                return false;
            });
            return null;
        });
        fencing.consumer.commitSync(Map.of(partition, new OffsetAndMetadata(3)));
        Expect.equal(new OffsetAndMetadata(3), fencing.consumer.committed(Set.of(partition)).get(partition),
            "committed by the fencing client");
    }

    static void staleCommitRefused(Run run) throws Exception {
        String topic = run.topic("log", 1);
        String group = run.name("group");
        TopicPartition partition = new TopicPartition(topic, 0);
        // A heartbeat must not find out about the eviction before the commit does.
        Member member = member(run, topic, "heartbeat.interval.ms", 10_000);
        Member.settle(Set.of(partition), member);
        OffsetAndMetadata good = new OffsetAndMetadata(5, "good");
        Map<TopicPartition, OffsetAndMetadata> stale = Map.of(partition, new OffsetAndMetadata(6, "stale"));
        member.consumer.commitSync(Map.of(partition, good));

        // While a group has members, a commit without membership is refused, by a consumer ...
        Consumer<String, String> outsider = run.consumer("group.id", group);
        outsider.assign(List.of(partition));
        expectRefused("commit of an outsider", outsider, stale);
        // ... and by an admin.
        Expect.fails(UnknownMemberIdException.class, "commit by an admin",
            () -> run.admin().alterConsumerGroupOffsets(group, stale).all().get());

        run.admin().removeMembersFromConsumerGroup(group, new RemoveMembersFromConsumerGroupOptions()).all().get();
        expectRefused("commit of an evicted member", member.consumer, stale);

        Expect.equal(good, outsider.committed(Set.of(partition)).get(partition), "committed");
    }

    private static void expectRefused(String what, Consumer<?, ?> consumer,
            Map<TopicPartition, OffsetAndMetadata> commit) {
        Expect.fails(CommitFailedException.class, what, () -> {
            consumer.commitSync(commit);
            return null;
        });
    }

    private static Member member(Run run, String topic, Object... settings) {
        Object[] all = new Object[settings.length + 2];
        all[0] = "group.id";
        all[1] = run.name("group");
        System.arraycopy(settings, 0, all, 2, settings.length);
        return new Member(run.consumer(all), List.of(topic));
    }
}
