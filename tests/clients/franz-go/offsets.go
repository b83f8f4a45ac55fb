package main

import (
	"cmp"
	"context"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/harness"
)

// commitNow commits the given offsets as the member that cl is.
func commitNow(ctx context.Context, cl *kgo.Client, offsets map[string]map[int32]kgo.EpochOffset) (failure error) {
	cl.CommitOffsetsSync(ctx, offsets,
		func(_ *kgo.Client, _ *kmsg.OffsetCommitRequest, response *kmsg.OffsetCommitResponse, err error) {
			failure = cmp.Or(err, commitError(response))
		})
	return failure
}

// commitError takes the response of a failed request too, which is nil.
func commitError(response *kmsg.OffsetCommitResponse) error {
	if response == nil {
		return nil
	}
	for _, topic := range response.Topics {
		for _, partition := range topic.Partitions {
			if err := kerr.ErrorForCode(partition.ErrorCode); err != nil {
				return err
			}
		}
	}
	return nil
}

func oneOffset(topic string, partition int32, offset int64) map[string]map[int32]kgo.EpochOffset {
	return map[string]map[int32]kgo.EpochOffset{topic: {partition: {Epoch: -1, Offset: offset}}}
}

// committed asks with a client of its own; offset -1 stands for no commit.
func committed(t *harness.T, group, topic string, partition int32) (offset int64, metadata string) {
	responses, err := connectAdmin(t).FetchOffsetsForTopics(t.Context(), group, topic)
	t.Must(err, "fetch offsets")
	got, ok := responses.Lookup(topic, partition)
	if !ok {
		t.Fatalf("fetch offsets: no answer for partition %d", partition)
	}
	t.Must(got.Err, "fetch offsets")
	return got.At, got.Metadata
}

func expectCommitted(t *harness.T, group, topic string, want int64) {
	offset, _ := committed(t, group, topic, 0)
	harness.Equal(t, "committed offset", offset, want)
}

// commitFor writes the commit of a group that has no members.
func commitFor(t *harness.T, group, topic string, offset int64, metadata string) {
	offsets := kadm.Offsets{}
	offsets.Add(kadm.Offset{Topic: topic, At: offset, LeaderEpoch: -1, Metadata: metadata})
	t.Must(connectAdmin(t).CommitAllOffsets(t.Context(), group, offsets), "commit")
}
