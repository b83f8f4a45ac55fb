package main

import (
	"context"

	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/harness"
)

// member reads in the background.
type member struct {
	*harness.Ledger
	cl *kgo.Client
}

func startMember(t *harness.T, group string, topics []string, opts ...kgo.Opt) *member {
	m := &member{Ledger: harness.NewLedger()}
	gain := func(_ context.Context, _ *kgo.Client, given map[string][]int32) { m.Gain(flatten(given)...) }
	lose := func(_ context.Context, _ *kgo.Client, taken map[string][]int32) { m.Lose(flatten(taken)...) }
	opts = append(opts, kgo.OnPartitionsAssigned(gain), kgo.OnPartitionsRevoked(lose), kgo.OnPartitionsLost(lose))
	m.cl = joinGroup(t, group, topics, opts...)
	go m.poll(t.Context())
	return m
}

func (m *member) poll(ctx context.Context) {
	for ctx.Err() == nil {
		fetches := m.cl.PollFetches(ctx)
		if fetches.IsClientClosed() {
			return
		}
		if err := fetchError(fetches); err != nil {
			m.Fail(err)
		}
		fetches.EachRecord(func(r *kgo.Record) { m.Read(harness.Partition{Topic: r.Topic, Number: r.Partition}, r.Offset) })
	}
}

// commit writes the same offset for all of the given partitions.
func (m *member) commit(t *harness.T, partitions []harness.Partition, offset int64) {
	offsets := make(map[string]map[int32]kgo.EpochOffset)
	for _, p := range partitions {
		if offsets[p.Topic] == nil {
			offsets[p.Topic] = make(map[int32]kgo.EpochOffset)
		}
		offsets[p.Topic][p.Number] = kgo.EpochOffset{Epoch: -1, Offset: offset}
	}
	t.Must(commitNow(t.Context(), m.cl, offsets), "commit")
}

func flatten(topics map[string][]int32) (partitions []harness.Partition) {
	for topic, numbers := range topics {
		for _, number := range numbers {
			partitions = append(partitions, harness.Partition{Topic: topic, Number: number})
		}
	}
	return partitions
}
