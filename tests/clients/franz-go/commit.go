package main

import (
	"cmp"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/harness"
)

// joinGroup makes a member of a classic group that commits only when it is told to.
func joinGroup(t *harness.T, group string, topics []string, opts ...kgo.Opt) *kgo.Client {
	common := []kgo.Opt{
		kgo.ConsumerGroup(group), kgo.ConsumeTopics(topics...), kgo.DisableAutoCommit(),
		kgo.Balancers(kgo.RangeBalancer()), kgo.HeartbeatInterval(300 * time.Millisecond),
	}
	return connect(t, append(common, opts...)...)
}

func resumeAfterStop(t *harness.T) { resume(t) }

func resume(t *harness.T, opts ...kgo.Opt) {
	topic, group := fill(t, "t", 100), t.Name("g")
	readPart := func(from, to int) {
		member := joinGroup(t, group, []string{topic}, opts...)
		defer member.Close()
		records := receive(t, member, to-from)
		expectNumbered(t, records, from, to)
		t.Must(member.CommitRecords(t.Context(), records...), "commit")
	}
	readPart(0, 30)
	readPart(30, 60)
	t.RestartBroker()
	readPart(60, 80)
	t.KillBroker()
	readPart(80, 100)
	expectCommitted(t, group, topic, 100)
}

// autoCommit is greedy: what a poll returned counts as processed at once and not at the next poll.
func autoCommit(t *harness.T) {
	topic, group := fill(t, "t", 60), t.Name("g")
	join := func() *kgo.Client {
		return connect(t, kgo.ConsumerGroup(group), kgo.ConsumeTopics(topic), kgo.Balancers(kgo.RangeBalancer()),
			kgo.GreedyAutoCommit(), kgo.AutoCommitInterval(100*time.Millisecond))
	}
	member := join()
	expectNumbered(t, receive(t, member, 50), 0, 50)
	member.Close()
	expectCommitted(t, group, topic, 50)
	expectNumbered(t, receive(t, join(), 10), 50, 60)
}

func manualCommitSync(t *harness.T) {
	topic, group := createTopic(t, "t", 3, nil), t.Name("g")
	for partition := range int32(3) {
		send(t, connect(t), numbered(topic, partition, 0, 10)...)
	}
	member := joinGroup(t, group, []string{topic})
	receive(t, member, 30)
	commit := func(metadata string, partition int32, offset int64) {
		ctx := kgo.PreCommitFnContext(t.Context(), func(request *kmsg.OffsetCommitRequest) error {
			request.Topics[0].Partitions[0].Metadata = &metadata
			return nil
		})
		t.Must(commitNow(ctx, member, oneOffset(topic, partition, offset)), "commit")
	}
	expect := func(partition int32, wantOffset int64, wantMetadata string) {
		offset, metadata := committed(t, group, topic, partition)
		harness.Equal(t, "committed offset", offset, wantOffset)
		harness.Equal(t, "committed metadata", metadata, wantMetadata)
	}
	commit("first", 0, 4)
	commit("second", 1, 7)
	expect(0, 4, "first")
	expect(1, 7, "second")
	expect(2, -1, "")
	commit("back", 1, 2)
	expect(1, 2, "back")
}

func manualCommitAsync(t *harness.T) {
	topic, group := fill(t, "t", 10), t.Name("g")
	member := joinGroup(t, group, []string{topic})
	receive(t, member, 10)
	done := make(chan error, 1)
	member.CommitOffsets(t.Context(), oneOffset(topic, 0, 6),
		func(_ *kgo.Client, _ *kmsg.OffsetCommitRequest, response *kmsg.OffsetCommitResponse, err error) {
			done <- cmp.Or(err, commitError(response))
		})
	select {
	case err := <-done:
		t.Must(err, "commit callback")
	case <-t.Context().Done():
		t.Fatalf("the commit callback was not called")
	}
	expectCommitted(t, group, topic, 6)
}

// staleCommitRefused sends the commits as plain requests, since a franz-go member always commits
// with its own id and generation.
func staleCommitRefused(t *harness.T) {
	topic, group := fill(t, "t", 10), t.Name("g")
	member := joinGroup(t, group, []string{topic})
	t.Must(member.CommitRecords(t.Context(), receive(t, member, 5)...), "commit")
	memberID, generation := member.GroupMetadata()

	other := connect(t)
	topicID := describeTopic(t, kadm.NewClient(other), topic).ID
	commit := func(memberID string, generation int32) error {
		request := kmsg.NewPtrOffsetCommitRequest()
		request.Group, request.MemberID, request.Generation = group, memberID, generation
		partition := kmsg.NewOffsetCommitRequestTopicPartition()
		partition.Offset = 9
		requestTopic := kmsg.NewOffsetCommitRequestTopic()
		// By id since request version 10, by name before.
		requestTopic.Topic, requestTopic.TopicID = topic, topicID
		requestTopic.Partitions = append(requestTopic.Partitions, partition)
		request.Topics = append(request.Topics, requestTopic)
		response, err := request.RequestWith(t.Context(), other)
		t.Must(err, "commit request")
		return commitError(response)
	}
	t.MustBe("commit of a past generation", commit(memberID, generation-1), kerr.IllegalGeneration)
	t.MustBe("commit by a stranger", commit("stranger", generation), kerr.UnknownMemberID)
	t.MustBe("commit without membership", commit("", -1), kerr.UnknownMemberID)
	expectCommitted(t, group, topic, 5)
	t.Must(commit(memberID, generation), "commit by the member")
	expectCommitted(t, group, topic, 9)
}
