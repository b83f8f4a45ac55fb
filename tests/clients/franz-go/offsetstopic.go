package main

import (
	"context"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/harness"
)

func readOffsetsTopic(t *harness.T) {
	topic, group := createTopic(t, "t", 1, nil), t.Name("g")
	before := time.Now().UnixMilli()
	commitFor(t, group, topic, 1234, "about the commit")
	after := time.Now().UnixMilli()

	starts := make(map[int32]kgo.Offset)
	for number := range int32(50) {
		starts[number] = kgo.NewOffset().AtStart()
	}
	consumer := connect(t, kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{harness.OffsetsTopic: starts}))
	want := harness.CommitKey{Group: group, Topic: topic, Partition: 0}
	record := findRecord(t, consumer, func(r *kgo.Record) bool {
		key, isCommit, err := harness.ParseCommitKey(r.Key)
		t.Must(err, "commit key")
		return isCommit && key == want
	})
	harness.Equal(t, "key version", record.Key[:2], []byte{0, 1})
	value, err := harness.ParseCommitValue(record.Value)
	t.Must(err, "commit value")
	if value.Timestamp < before || value.Timestamp > after {
		t.Fatalf("commit timestamp %d is not in %d … %d", value.Timestamp, before, after)
	}
	harness.Equal(t, "committed offset", value.Offset, 1234)
	harness.Equal(t, "committed metadata", value.Metadata, "about the commit")
}

func findRecord(t *harness.T, consumer *kgo.Client, wanted func(*kgo.Record) bool) *kgo.Record {
	ctx, cancel := context.WithTimeout(t.Context(), readLimit)
	defer cancel()
	for {
		fetches := consumer.PollFetches(ctx)
		t.Must(fetchError(fetches), "poll")
		for _, r := range fetches.Records() {
			if wanted(r) {
				return r
			}
		}
	}
}

func offsetsTopicIsProtected(t *harness.T) {
	// A commit makes sure that the topic is there.
	commitFor(t, t.Name("g"), createTopic(t, "t", 1, nil), 1, "")
	end := func() int64 {
		offsets, err := connectAdmin(t).ListEndOffsets(t.Context(), harness.OffsetsTopic)
		t.Must(err, "list end offsets")
		return offsets[harness.OffsetsTopic][0].Offset
	}
	before := end()
	forged := &kgo.Record{Topic: harness.OffsetsTopic, Key: []byte("forged"), Value: []byte("forged")}
	t.MustBe("produce", connect(t).ProduceSync(t.Context(), forged).FirstErr(), kerr.InvalidTopicException)
	// The broker's own records about other groups may come at any time.
	consumer := assign(t, harness.OffsetsTopic, kgo.NewOffset().At(before))
	for _, r := range receive(t, consumer, int(end()-before)) {
		if string(r.Key) == "forged" {
			t.Fatalf("the forged record is at offset %d", r.Offset)
		}
	}
}
