package ottla.clients;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ConsumerGroupDescription;
import org.apache.kafka.clients.admin.GroupListing;
import org.apache.kafka.clients.admin.ListGroupsOptions;
import org.apache.kafka.clients.admin.MemberDescription;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.consumer.RangeAssignor;
import org.apache.kafka.common.GroupState;
import org.apache.kafka.common.GroupType;
import org.apache.kafka.common.TopicPartition;

/** A group as an admin sees it. */
final class Groups {
    private Groups() {
    }

    static void admin(Run run) throws Exception {
        Admin admin = run.admin();
        String group = run.name("group");
        String topic = run.topic("log", 3);
        Set<TopicPartition> all = Run.partitions(topic, 3);
        Member first = member(run, group, topic, "one");
        Member.settle(all, first);
        Member second = member(run, group, topic, "two");
        Member.settle(all, first, second);
        TopicPartition partition = new TopicPartition(topic, 0);
        OffsetAndMetadata offset = new OffsetAndMetadata(0, "committed");
        first.consumer.commitSync(Map.of(partition, offset));

        expectListed(admin, group, GroupState.STABLE);
        ConsumerGroupDescription live = describe(admin, group);
        Expect.equal(GroupState.STABLE, live.groupState(), "state with members");
        Expect.equal(GroupType.CLASSIC, live.type(), "type");
        Expect.equal(false, live.isSimpleConsumerGroup(), "simple");
        Expect.equal("range", live.partitionAssignor(), "protocol");
        Expect.equal(run.bootstrap, live.coordinator().host() + ":" + live.coordinator().port(), "coordinator");
        Expect.equal(2, live.members().size(), "members");
        expectDescribed(live, first, "one");
        expectDescribed(live, second, "two");

        first.consumer.close();
        second.consumer.close();
        expectListed(admin, group, GroupState.EMPTY);
        ConsumerGroupDescription left = describe(admin, group);
        Expect.equal(GroupState.EMPTY, left.groupState(), "state without members");
        Expect.equal(0, left.members().size(), "members after they left");
        Expect.equal(Map.of(partition, offset),
            admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata().get(), "offsets of the group");
    }

    private static Member member(Run run, String group, String topic, String client) {
        return new Member(
            run.consumer("group.id", group, "client.id", client,
                "partition.assignment.strategy", RangeAssignor.class.getName()),
            List.of(topic));
    }

    private static ConsumerGroupDescription describe(Admin admin, String group) throws Exception {
        return admin.describeConsumerGroups(List.of(group)).all().get().get(group);
    }

    /** The group is in the list of all groups and in that of its state, and not in that of the other state. */
    private static void expectListed(Admin admin, String group, GroupState state) throws Exception {
        GroupState other = state == GroupState.STABLE ? GroupState.EMPTY : GroupState.STABLE;
        GroupListing listed = find(admin, group, new ListGroupsOptions()).orElseThrow(
            () -> new AssertionError("the group is not listed"));
        Expect.equal(Optional.of(state), listed.groupState(), "listed state");
        Expect.equal(Optional.of(GroupType.CLASSIC), listed.type(), "listed type");
        Expect.equal("consumer", listed.protocol(), "listed protocol type");
        Expect.that(find(admin, group, new ListGroupsOptions().inGroupStates(Set.of(state))).isPresent(),
            "the group is not listed as " + state);
        Expect.that(find(admin, group, new ListGroupsOptions().inGroupStates(Set.of(other))).isEmpty(),
            "the group is listed as " + other);
    }

    private static Optional<GroupListing> find(Admin admin, String group, ListGroupsOptions options)
            throws Exception {
        return admin.listGroups(options).all().get().stream()
            .filter(listing -> listing.groupId().equals(group))
            .findAny();
    }

    private static void expectDescribed(ConsumerGroupDescription group, Member member, String client) {
        String id = member.consumer.groupMetadata().memberId();
        MemberDescription described = group.members().stream()
            .filter(m -> m.consumerId().equals(id))
            .findAny()
            .orElseThrow(() -> new AssertionError("member " + id + " is not described"));
        Expect.equal(client, described.clientId(), "client id");
        Expect.equal(member.consumer.assignment(), described.assignment().topicPartitions(), "assignment");
        Expect.equal(Optional.empty(), described.groupInstanceId(), "instance id");
        Expect.equal("/127.0.0.1", described.host(), "host");
    }
}
