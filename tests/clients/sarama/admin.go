package main

import (
	"github.com/IBM/sarama"

	"ottla/harness"
)

func topicAdmin(t *harness.T) {
	admin := connectAdmin(t)
	retention, cleanup := "123456789", "compact"
	configs := map[string]*string{"retention.ms": &retention, "cleanup.policy": &cleanup}
	topic := createTopic(t, "t", 3, configs)
	one := &sarama.TopicDetail{NumPartitions: 1, ReplicationFactor: 1}
	t.MustBe("create again", admin.CreateTopic(topic, one, false), sarama.ErrTopicAlreadyExists)
	t.MustBe("create an illegal name", admin.CreateTopic("not/a/name", one, false), sarama.ErrInvalidTopic)

	described := describeTopic(t, admin, topic)
	t.MustBe("describe", described.Err, sarama.ErrNoError)
	harness.Equal(t, "count of partitions", len(described.Partitions), 3)
	for _, p := range described.Partitions {
		harness.Equal(t, "leader", p.Leader, described.Partitions[0].Leader)
		harness.Equal(t, "replicas", p.Replicas, []int32{p.Leader})
	}
	if described.Uuid == (sarama.Uuid{}) {
		t.Fatalf("the topic has no id")
	}

	t.Must(admin.CreatePartitions(topic, 5, nil, false), "add partitions")
	t.Until(readLimit, "five partitions", func() bool { return len(describeTopic(t, admin, topic).Partitions) == 5 })
	t.MustBe("shrink", admin.CreatePartitions(topic, 2, nil, false), sarama.ErrInvalidPartitions)

	entries, err := admin.DescribeConfig(sarama.ConfigResource{Type: sarama.TopicResource, Name: topic})
	t.Must(err, "describe config")
	for _, entry := range entries {
		if want, wasSet := configs[entry.Name]; wasSet {
			harness.Equal(t, entry.Name, entry.Value, *want)
			delete(configs, entry.Name)
		}
	}
	harness.Equal(t, "configs that are missing", len(configs), 0)

	message := numbered(topic, 0, 0, 1)[0]
	message.Key = sarama.StringEncoder("k")
	send(t, newProducer(t, newConfig()), message)
	t.Must(admin.DeleteTopic(topic), "delete")
	t.Until(readLimit, "the topic to be gone", func() bool {
		return describeTopic(t, admin, topic).Err == sarama.ErrUnknownTopicOrPartition
	})
	createTopic(t, "t", 1, nil)
	expectEnd(t, topic, 0)
	if describeTopic(t, admin, topic).Uuid == described.Uuid {
		t.Fatalf("the new topic has the id of the old one")
	}
}

func describeTopic(t *harness.T, admin sarama.ClusterAdmin, topic string) *sarama.TopicMetadata {
	topics, err := admin.DescribeTopics([]string{topic})
	t.Must(err, "describe topics")
	harness.Equal(t, "count of described topics", len(topics), 1)
	return topics[0]
}

func groupAdmin(t *harness.T) {
	admin := connectAdmin(t)
	topic, group := fill(t, "t", 10), t.Name("g")
	config := newConfig()
	config.ClientID = t.Name("client")
	m := startMember(t, group, []string{topic}, config)
	m.receive(t, 10)
	m.commit(t, m.Owns(), 7)
	harness.Equal(t, "state of a live group", listedState(t, admin, group), "Stable")

	described := describeGroup(t, admin, group)
	harness.Equal(t, "state", described.State, "Stable")
	harness.Equal(t, "protocol type", described.ProtocolType, "consumer")
	harness.Equal(t, "protocol", described.Protocol, "range")
	harness.Equal(t, "count of members", len(described.Members), 1)
	only, ok := described.Members[m.currentSession().MemberID()]
	if !ok {
		t.Fatalf("the member is not among %v", described.Members)
	}
	harness.Equal(t, "client id", only.ClientId, config.ClientID)
	assignment, err := only.GetMemberAssignment()
	t.Must(err, "assignment")
	harness.Equal(t, "assignment", assignment.Topics, map[string][]int32{topic: {0}})
	expectCommitted(t, group, topic, 7)

	m.close()
	t.Until(readLimit, "the group to be listed as Empty", func() bool { return listedState(t, admin, group) == "Empty" })
	described = describeGroup(t, admin, group)
	harness.Equal(t, "state after the last member left", described.State, "Empty")
	harness.Equal(t, "count of members", len(described.Members), 0)
}

// listedState asks the broker itself, because the admin's list has no states.
func listedState(t *harness.T, admin sarama.ClusterAdmin, group string) string {
	broker, err := admin.Controller()
	t.Must(err, "controller")
	response, err := broker.ListGroups(&sarama.ListGroupsRequest{Version: 4})
	t.Must(err, "list groups")
	t.MustBe("list groups", response.Err, sarama.ErrNoError)
	return response.GroupsData[group].GroupState
}

func describeGroup(t *harness.T, admin sarama.ClusterAdmin, group string) *sarama.GroupDescription {
	groups, err := admin.DescribeConsumerGroups([]string{group})
	t.Must(err, "describe consumer groups")
	harness.Equal(t, "count of described groups", len(groups), 1)
	t.MustBe("describe consumer group", groups[0].Err, sarama.ErrNoError)
	return groups[0]
}

func clusterAdmin(t *harness.T) {
	describe := func() (clusterID string) {
		admin := connectAdmin(t)
		brokers, controller, err := admin.DescribeCluster()
		t.Must(err, "describe cluster")
		harness.Equal(t, "count of nodes", len(brokers), 1)
		harness.Equal(t, "node", brokers[0].Addr(), t.Bootstrap)
		harness.Equal(t, "controller", controller, brokers[0].ID())
		// The admin's answer has no cluster id.
		broker, err := admin.Controller()
		t.Must(err, "controller")
		metadata, err := broker.GetMetadata(sarama.NewMetadataRequest(sarama.MaxVersion, nil))
		t.Must(err, "metadata")
		if metadata.ClusterID == nil || *metadata.ClusterID == "" {
			t.Fatalf("the cluster has no id")
		}
		return *metadata.ClusterID
	}
	before := describe()
	t.RestartBroker()
	harness.Equal(t, "cluster id", describe(), before)
}
