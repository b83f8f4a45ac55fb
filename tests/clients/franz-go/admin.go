package main

import (
	"net"
	"strconv"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/harness"
)

func topicAdmin(t *harness.T) {
	ctx, admin := t.Context(), connectAdmin(t)
	configs := map[string]*string{
		"retention.ms": kadm.StringPtr("123456789"), "cleanup.policy": kadm.StringPtr("compact"),
	}
	topic := createTopic(t, "t", 3, configs)
	_, err := admin.CreateTopic(ctx, 3, 1, configs, topic)
	t.MustBe("create again", err, kerr.TopicAlreadyExists)
	_, err = admin.CreateTopic(ctx, 1, 1, nil, "not/a/name")
	t.MustBe("create an illegal name", err, kerr.InvalidTopicException)

	detail := describeTopic(t, admin, topic)
	t.Must(detail.Err, "describe")
	harness.Equal(t, "partitions", detail.Partitions.Numbers(), []int32{0, 1, 2})
	for _, p := range detail.Partitions {
		harness.Equal(t, "leader", p.Leader, detail.Partitions[0].Leader)
		harness.Equal(t, "replicas", p.Replicas, []int32{p.Leader})
	}
	if detail.ID == (kadm.TopicID{}) {
		t.Fatalf("the topic has no id")
	}

	t.Must(setPartitions(t, admin, topic, 5), "add partitions")
	t.Until(readLimit, "five partitions", func() bool { return len(describeTopic(t, admin, topic).Partitions) == 5 })
	t.MustBe("shrink", setPartitions(t, admin, topic, 2), kerr.InvalidPartitions)

	described, err := admin.DescribeTopicConfigs(ctx, topic)
	t.Must(err, "describe configs")
	resource, err := described.On(topic, nil)
	t.Must(err, "describe configs of the topic")
	for _, config := range resource.Configs {
		if want, wasSet := configs[config.Key]; wasSet {
			harness.Equal(t, config.Key, config.MaybeValue(), *want)
			delete(configs, config.Key)
		}
	}
	harness.Equal(t, "configs that are missing", len(configs), 0)

	send(t, connect(t), &kgo.Record{Topic: topic, Key: []byte("k"), Value: []byte("v")})
	_, err = admin.DeleteTopic(ctx, topic)
	t.Must(err, "delete")
	t.Until(readLimit, "the topic to be gone", func() bool { return describeTopic(t, admin, topic).Err != nil })
	t.MustBe("describe a deleted topic", describeTopic(t, admin, topic).Err, kerr.UnknownTopicOrPartition)
	createTopic(t, "t", 1, nil)
	expectEnd(t, topic, 0, 0)
	if describeTopic(t, admin, topic).ID == detail.ID {
		t.Fatalf("the new topic has the id of the old one")
	}
}

func describeTopic(t *harness.T, admin *kadm.Client, topic string) kadm.TopicDetail {
	topics, err := admin.ListTopics(t.Context(), topic)
	t.Must(err, "list topics")
	return topics[topic]
}

func setPartitions(t *harness.T, admin *kadm.Client, topic string, count int) error {
	responses, err := admin.UpdatePartitions(t.Context(), count, topic)
	t.Must(err, "update partitions")
	return responses[topic].Err
}

func groupAdmin(t *harness.T) {
	ctx, admin := t.Context(), connectAdmin(t)
	topic, group := fill(t, "t", 10), t.Name("g")
	clientID := t.Name("client")
	member := joinGroup(t, group, []string{topic}, kgo.ClientID(clientID))
	t.Must(member.CommitRecords(ctx, receive(t, member, 7)...), "commit")
	state := func() string {
		groups, err := admin.ListGroups(ctx)
		t.Must(err, "list groups")
		return groups[group].State
	}
	harness.Equal(t, "state of a live group", state(), "Stable")

	described := describeGroup(t, admin, group)
	harness.Equal(t, "state", described.State, "Stable")
	harness.Equal(t, "protocol type", described.ProtocolType, "consumer")
	harness.Equal(t, "protocol", described.Protocol, "range")
	harness.Equal(t, "count of members", len(described.Members), 1)
	memberID, _ := member.GroupMetadata()
	harness.Equal(t, "member id", described.Members[0].MemberID, memberID)
	harness.Equal(t, "client id", described.Members[0].ClientID, clientID)
	assigned := described.AssignedPartitions()
	harness.Equal(t, "assignment", assigned[topic], map[int32]struct{}{0: {}})

	committed, err := admin.FetchOffsets(ctx, group)
	t.Must(err, "fetch offsets")
	harness.Equal(t, "topics with commits", len(committed), 1)
	harness.Equal(t, "committed offset", committed[topic][0].At, 7)

	member.Close()
	t.Until(readLimit, "the group to be listed as Empty", func() bool { return state() == "Empty" })
	described = describeGroup(t, admin, group)
	harness.Equal(t, "state after the last member left", described.State, "Empty")
	harness.Equal(t, "count of members", len(described.Members), 0)
}

func describeGroup(t *harness.T, admin *kadm.Client, group string) kadm.DescribedGroup {
	groups, err := admin.DescribeGroups(t.Context(), group)
	t.Must(err, "describe groups")
	t.Must(groups[group].Err, "describe group")
	return groups[group]
}

func clusterAdmin(t *harness.T) {
	before := describeCluster(t)
	harness.Equal(t, "count of nodes", len(before.Brokers), 1)
	node := before.Brokers[0]
	harness.Equal(t, "node", net.JoinHostPort(node.Host, strconv.Itoa(int(node.Port))), t.Bootstrap)
	harness.Equal(t, "controller", before.ControllerID, node.NodeID)
	if before.ClusterID == "" {
		t.Fatalf("the cluster has no id")
	}
	metadata, err := connectAdmin(t).BrokerMetadata(t.Context())
	t.Must(err, "metadata")
	harness.Equal(t, "cluster id in the metadata", metadata.Cluster, before.ClusterID)
	t.RestartBroker()
	harness.Equal(t, "cluster id after a restart", describeCluster(t).ClusterID, before.ClusterID)
}

// describeCluster sends the plain request, as kadm asks for metadata instead.
func describeCluster(t *harness.T) *kmsg.DescribeClusterResponse {
	response, err := kmsg.NewPtrDescribeClusterRequest().RequestWith(t.Context(), connect(t))
	t.Must(err, "describe cluster request")
	t.Must(kerr.ErrorForCode(response.ErrorCode), "describe cluster")
	return response
}
