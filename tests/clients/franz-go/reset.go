package main

import (
	"context"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/harness"
)

func resetEarliest(t *harness.T) {
	topic := fill(t, "t", 10)
	member := joinGroup(t, t.Name("g"), []string{topic}, kgo.ConsumeStartOffset(kgo.NewOffset().AtStart()))
	expectNumbered(t, receive(t, member, 10), 0, 10)
}

func resetLatest(t *harness.T) {
	topic := fill(t, "t", 10)
	member := joinGroup(t, t.Name("g"), []string{topic}, kgo.ConsumeStartOffset(kgo.NewOffset().AtEnd()))
	expectAtEnd(t, member, topic, 10)
}

// expectAtEnd produces until the consumer, which starts at the end at a moment that it does not
// tell, sees a record; from there on it must see all of them.
func expectAtEnd(t *harness.T, consumer *kgo.Client, topic string, end int) {
	producer := connect(t)
	var seen []*kgo.Record
	next := end
	t.Until(readLimit, "a new record", func() bool {
		send(t, producer, numbered(topic, 0, next, next+1)...)
		next++
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		fetches := consumer.PollFetches(ctx)
		if err := fetchError(fetches); err != nil && ctx.Err() == nil {
			t.Must(err, "poll")
		}
		seen = append(seen, fetches.Records()...)
		return len(seen) > 0
	})
	first := int(seen[0].Offset)
	if first < end {
		t.Fatalf("read offset %d, which is before the end %d", first, end)
	}
	seen = append(seen, receive(t, consumer, next-first-len(seen))...)
	expectNumbered(t, seen, first, next)
}

func resetNone(t *harness.T) {
	topic := fill(t, "t", 10)
	member := joinGroup(t, t.Name("g"), []string{topic}, kgo.ConsumeStartOffset(kgo.NewOffset().AtCommitted()))
	err := receiveError(t, member)
	// The client does not export this error.
	if !strings.Contains(err.Error(), "no prior committed offset") {
		t.Fatalf("got error %v", err)
	}
}

func resetByDuration(t *harness.T) {
	topic := createTopic(t, "t", 1, nil)
	records := numbered(topic, 0, 0, 20)
	now := time.Now()
	for i, r := range records {
		r.Timestamp = now
		if i < 10 {
			r.Timestamp = now.Add(-2 * time.Hour)
		}
	}
	send(t, connect(t), records...)
	member := joinGroup(t, t.Name("g"), []string{topic}, kgo.ConsumeStartOffset(kgo.LookbackOffset(time.Hour)))
	expectNumbered(t, receive(t, member, 10), 10, 20)
}

func resetOutOfRange(t *harness.T) {
	topic := fill(t, "t", 10)
	join := func(suffix string, reset kgo.Offset) *kgo.Client {
		group := t.Name(suffix)
		commitFor(t, group, topic, 1000, "")
		return joinGroup(t, group, []string{topic}, kgo.ConsumeResetOffset(reset))
	}
	t.MustBe("reset none", receiveError(t, join("none", kgo.NoResetOffset())), kerr.OffsetOutOfRange)
	expectNumbered(t, receive(t, join("earliest", kgo.NewOffset().AtStart()), 10), 0, 10)
	expectAtEnd(t, join("latest", kgo.NewOffset().AtEnd()), topic, 10)
}
