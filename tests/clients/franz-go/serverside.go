package main

import (
	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/harness"
)

// The options of the consumer protocol, KIP-848: for franz-go the sticky balancer stands for the broker's uniform one.
var (
	uniform = []kgo.Opt{kgo.ServerSideBalancer(), kgo.Balancers(kgo.StickyBalancer())}
	ranges  = []kgo.Opt{kgo.ServerSideBalancer(), kgo.Balancers(kgo.RangeBalancer())}
)

func serverSideUniform(t *harness.T) { expectSticky(t, takeTurns(t, uniform...)) }

func serverSideRange(t *harness.T) { expectSticky(t, takeTurns(t, ranges...)) }

func serverSideResume(t *harness.T) { resume(t, uniform...) }

func serverSideMemberDies(t *harness.T) { die(t, uniform...) }

// serverSideStaticMember is not possible: franz-go leaves without its instance id, which brokers refuse as an invalid
// request, and so its own successor is refused until the session has ended.
func serverSideStaticMember(t *harness.T) {
	t.Unsupported("its static members leave without their instance id, which brokers refuse")
}

func serverSidePattern(t *harness.T) {
	topics := []string{createTopic(t, "match-a", 4, nil), createTopic(t, "match-b", 4, nil)}
	createTopic(t, "other", 4, nil)
	pair := harness.NewPair(t, topics, nil)
	pattern := []string{"^" + t.Name("match") + "-.*"}
	member := startMember(t, t.Name("g"), pattern, append(uniform[:len(uniform):len(uniform)], kgo.ConsumeRegex())...)
	pair.AwaitAll(member.Ledger)

	// Brokers look for new topics of a pattern every 10 seconds.
	more := createTopic(t, "match-c", 4, nil)
	for number := range int32(4) {
		pair.All = append(pair.All, harness.Partition{Topic: more, Number: number})
	}
	pair.AwaitAll(member.Ledger)
	harness.Equal(t, "partitions revoked", member.Lost(), 0)
}

// serverSideMigration changes the group's protocol while it lives, and back.
func serverSideMigration(t *harness.T) {
	pair, join := newPair(t)
	old := join()
	pair.AwaitAll(old.Ledger)
	modern := join(uniform...)
	pair.AwaitSplit(old.Ledger, modern.Ledger)
	given, kept := pair.ReadAll(old.Ledger, modern.Ledger)
	old.commit(t, given, 5)
	modern.commit(t, kept, 10)
	old.cl.Close()
	pair.ExpectTakeover(modern.Ledger, kept, given)

	modern.commit(t, pair.All, 15)
	again := join()
	pair.AwaitSplit(modern.Ledger, again.Ledger)
	modern.cl.Close()
	pair.AwaitAll(again.Ledger)
	pair.Fill(15, 20)
	t.Until(readLimit, "the records since the commits", func() bool { return again.Count() >= len(pair.All)*5 })
	for _, p := range pair.All {
		harness.Equal(t, "offsets read", again.Offsets(p), harness.Sequence(15, 20))
	}
}
