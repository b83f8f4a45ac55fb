package main

import (
	"time"

	"github.com/IBM/sarama"

	"ottla/harness"
)

func resumeAfterStop(t *harness.T) {
	topic, group := fill(t, "t", 100), t.Name("g")
	readPart := func(from, to int) {
		m := startMember(t, group, []string{topic}, newConfig())
		defer m.close()
		expectNumbered(t, m.receive(t, to-from), from, to)
		m.commit(t, m.Owns(), int64(to))
	}
	readPart(0, 30)
	readPart(30, 60)
	t.RestartBroker()
	readPart(60, 80)
	t.KillBroker()
	readPart(80, 100)
	expectCommitted(t, group, topic, 100)
}

func autoCommit(t *harness.T) {
	topic, group := fill(t, "t", 60), t.Name("g")
	config := newConfig()
	config.Consumer.Offsets.AutoCommit.Enable = true
	config.Consumer.Offsets.AutoCommit.Interval = 100 * time.Millisecond
	m := startMember(t, group, []string{topic}, config)
	messages := m.receive(t, 50)
	expectNumbered(t, messages, 0, 50)
	for _, message := range messages {
		m.currentSession().MarkMessage(message, "")
	}
	m.close()
	expectCommitted(t, group, topic, 50)
	expectNumbered(t, startMember(t, group, []string{topic}, config).receive(t, 10), 50, 60)
}

func manualCommitSync(t *harness.T) {
	topic, group := createTopic(t, "t", 3, nil), t.Name("g")
	producer := newProducer(t, newConfig())
	for partition := range int32(3) {
		send(t, producer, numbered(topic, partition, 0, 10)...)
	}
	m := startMember(t, group, []string{topic}, newConfig())
	m.receive(t, 30)
	session := m.currentSession()
	expect := func(partition int32, wantOffset int64, wantMetadata string) {
		offset, metadata := committed(t, group, topic, partition)
		harness.Equal(t, "committed offset", offset, wantOffset)
		harness.Equal(t, "committed metadata", metadata, wantMetadata)
	}
	session.MarkOffset(topic, 0, 4, "first")
	session.Commit()
	session.MarkOffset(topic, 1, 7, "second")
	session.Commit()
	expect(0, 4, "first")
	expect(1, 7, "second")
	expect(2, -1, "")
	session.ResetOffset(topic, 1, 2, "back")
	session.Commit()
	expect(1, 2, "back")
	t.Must(m.Failure(), "commit")
}

func manualCommitAsync(t *harness.T) {
	t.Unsupported("sarama commits in the background or blocks in Commit; no commit calls back")
}

// staleCommitRefused sends the commits as plain requests, since a sarama session always commits
// with its own id and generation.
func staleCommitRefused(t *harness.T) {
	topic, group := fill(t, "t", 10), t.Name("g")
	m := startMember(t, group, []string{topic}, newConfig())
	m.receive(t, 10)
	m.commit(t, m.Owns(), 5)
	memberID, generation := m.currentSession().MemberID(), m.currentSession().GenerationID()

	coordinator, err := connect(t, newConfig()).Coordinator(group)
	t.Must(err, "find coordinator")
	commit := func(memberID string, generation int32) error {
		request := &sarama.OffsetCommitRequest{
			Version: 8, ConsumerGroup: group, ConsumerID: memberID, ConsumerGroupGeneration: generation,
		}
		request.AddBlockWithLeaderEpoch(topic, 0, 9, -1, 0, "")
		response, err := coordinator.CommitOffset(request)
		t.Must(err, "commit request")
		return response.Errors[topic][0]
	}
	t.MustBe("commit of a past generation", commit(memberID, generation-1), sarama.ErrIllegalGeneration)
	t.MustBe("commit by a stranger", commit("stranger", generation), sarama.ErrUnknownMemberId)
	t.MustBe("commit without membership", commit("", -1), sarama.ErrUnknownMemberId)
	expectCommitted(t, group, topic, 5)
	t.MustBe("commit by the member", commit(memberID, generation), sarama.ErrNoError)
	expectCommitted(t, group, topic, 9)
}

// committed asks with a client of its own; offset -1 stands for no commit.
func committed(t *harness.T, group, topic string, partition int32) (offset int64, metadata string) {
	groups, err := connectAdmin(t).ListConsumerGroupOffsetsBatch(map[string]map[string][]int32{
		group: {topic: {partition}},
	})
	t.Must(err, "list consumer group offsets")
	block := groups[group].GetBlock(topic, partition)
	if block == nil {
		t.Fatalf("list consumer group offsets: no answer for partition %d", partition)
	}
	t.MustBe("list consumer group offsets", block.Err, sarama.ErrNoError)
	return block.Offset, block.Metadata
}

func expectCommitted(t *harness.T, group, topic string, want int64) {
	offset, _ := committed(t, group, topic, 0)
	harness.Equal(t, "committed offset", offset, want)
}

// commitFor writes the commit of a group that has no members.
func commitFor(t *harness.T, group, topic string, offset int64, metadata string) {
	response, err := connectAdmin(t).AlterConsumerGroupOffsets(group, map[string]map[int32]sarama.OffsetAndMetadata{
		topic: {0: {Offset: offset, LeaderEpoch: -1, Metadata: metadata}},
	}, nil)
	t.Must(err, "alter consumer group offsets")
	t.MustBe("alter consumer group offsets", response.Errors[topic][0], sarama.ErrNoError)
}
