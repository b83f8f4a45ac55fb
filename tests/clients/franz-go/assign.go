package main

import (
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/harness"
)

func assignRange(t *harness.T) { takeTurns(t, kgo.Balancers(kgo.RangeBalancer())) }

func assignRoundRobin(t *harness.T) { takeTurns(t, kgo.Balancers(kgo.RoundRobinBalancer())) }

func assignCooperativeSticky(t *harness.T) {
	expectSticky(t, takeTurns(t, kgo.Balancers(kgo.CooperativeStickyBalancer())))
}

func expectSticky(t *harness.T, stayer *member) {
	// It had all eight, gave four away and got these back; what it kept was never revoked.
	harness.Equal(t, "partitions revoked from the staying member", stayer.Lost(), 4)
	harness.Equal(t, "partitions assigned to the staying member", stayer.Gained(), 8+4)
}

// takeTurns goes through the life of a group of two and returns the member that stayed.
func takeTurns(t *harness.T, opts ...kgo.Opt) *member {
	pair, join := newPair(t)
	stayer := join(opts...)
	pair.AwaitAll(stayer.Ledger)
	leaver := join(opts...)
	pair.AwaitSplit(stayer.Ledger, leaver.Ledger)

	kept, given := pair.ReadAll(stayer.Ledger, leaver.Ledger)
	stayer.commit(t, kept, 10)
	leaver.commit(t, given, 5)
	leaver.cl.Close()
	pair.ExpectTakeover(stayer.Ledger, kept, given)
	return stayer
}

func memberDies(t *harness.T) { die(t, kgo.SessionTimeout(6*time.Second)) }

func die(t *harness.T, opts ...kgo.Opt) {
	pair, join := newPair(t)
	var line harness.Cable
	survivor := join(opts...)
	victim := join(append(opts, kgo.Dialer(line.DialContext), kgo.RequestRetries(0))...)
	pair.AwaitSplit(survivor.Ledger, victim.Ledger)

	kept, given := pair.ReadAll(survivor.Ledger, victim.Ledger)
	survivor.commit(t, kept, 10)
	victim.commit(t, given, 5)
	line.Cut()
	pair.ExpectTakeover(survivor.Ledger, kept, given)
}

func staticMember(t *harness.T) {
	pair, join := newPair(t)
	other := join(kgo.InstanceID("other"))
	pair.AwaitAll(other.Ledger)
	first := join(kgo.InstanceID("static"))
	pair.AwaitSplit(other.Ledger, first.Ledger)
	before, lost := first.Owns(), other.Lost()
	_, generation := other.cl.GroupMetadata()

	first.cl.Close()
	second := join(kgo.InstanceID("static"))
	pair.AwaitSplit(other.Ledger, second.Ledger)
	harness.Equal(t, "partitions of the returned member", second.Owns(), before)
	pair.ReadAll(other.Ledger, second.Ledger)
	harness.Equal(t, "partitions revoked from the other member", other.Lost(), lost)
	_, now := other.cl.GroupMetadata()
	harness.Equal(t, "generation", now, generation)

	third := join(kgo.InstanceID("static"))
	pair.AwaitSplit(other.Ledger, third.Ledger)
	t.Until(readLimit, "an error at the fenced member", func() bool { return second.Failure() != nil })
	t.MustBe("fenced member", second.Failure(), kerr.FencedInstanceID)
}

// newPair makes the topics of a pair and a way to join its group.
func newPair(t *harness.T) (*harness.Pair, func(...kgo.Opt) *member) {
	topics := []string{createTopic(t, "a", 4, nil), createTopic(t, "b", 4, nil)}
	group := t.Name("g")
	producer := connect(t)
	fill := func(partitions []harness.Partition, from, to int) {
		var records []*kgo.Record
		for _, p := range partitions {
			records = append(records, numbered(p.Topic, p.Number, from, to)...)
		}
		send(t, producer, records...)
	}
	join := func(opts ...kgo.Opt) *member { return startMember(t, group, topics, opts...) }
	return harness.NewPair(t, topics, fill), join
}
