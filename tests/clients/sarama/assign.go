package main

import (
	"time"

	"github.com/IBM/sarama"

	"ottla/harness"
)

func assignRange(t *harness.T) { takeTurns(t, sarama.NewBalanceStrategyRange) }

func assignRoundRobin(t *harness.T) { takeTurns(t, sarama.NewBalanceStrategyRoundRobin) }

func assignCooperativeSticky(t *harness.T) {
	stayer := takeTurns(t, sarama.NewBalanceStrategyCooperativeSticky)
	// It had all eight, gave four away and got these back; what it kept was never revoked.
	harness.Equal(t, "partitions revoked from the staying member", stayer.Lost(), 4)
	harness.Equal(t, "partitions assigned to the staying member", stayer.Gained(), 8+4)
}

// takeTurns goes through the life of a group of two and returns the member that stayed.
func takeTurns(t *harness.T, newStrategy func() sarama.BalanceStrategy) *member {
	pair, join := newPair(t)
	balance := func(c *sarama.Config) {
		c.Consumer.Group.Rebalance.GroupStrategies = []sarama.BalanceStrategy{newStrategy()}
	}
	stayer := join(balance)
	pair.AwaitAll(stayer.Ledger)
	leaver := join(balance)
	pair.AwaitSplit(stayer.Ledger, leaver.Ledger)

	kept, given := pair.ReadAll(stayer.Ledger, leaver.Ledger)
	stayer.commit(t, kept, 10)
	leaver.commit(t, given, 5)
	leaver.close()
	pair.ExpectTakeover(stayer.Ledger, kept, given)
	return stayer
}

func memberDies(t *harness.T) {
	pair, join := newPair(t)
	var line harness.Cable
	survivor := join(func(c *sarama.Config) { c.Consumer.Group.Session.Timeout = 6 * time.Second })
	victim := join(func(c *sarama.Config) {
		c.Consumer.Group.Session.Timeout = 6 * time.Second
		c.Net.Proxy.Enable = true
		c.Net.Proxy.Dialer = &line
		// It shall give up quickly once the line is cut.
		c.Metadata.Retry.Max = 1
		c.Consumer.Group.Rebalance.Retry.Max = 1
	})
	pair.AwaitSplit(survivor.Ledger, victim.Ledger)

	kept, given := pair.ReadAll(survivor.Ledger, victim.Ledger)
	survivor.commit(t, kept, 10)
	victim.commit(t, given, 5)
	line.Cut()
	pair.ExpectTakeover(survivor.Ledger, kept, given)
}

func staticMember(t *harness.T) {
	pair, join := newPair(t)
	instance := func(id string) func(*sarama.Config) {
		return func(c *sarama.Config) { c.Consumer.Group.InstanceId = id }
	}
	other := join(instance("other"))
	pair.AwaitAll(other.Ledger)
	first := join(instance("static"))
	pair.AwaitSplit(other.Ledger, first.Ledger)
	before, lost := first.Owns(), other.Lost()
	generation := other.currentSession().GenerationID()

	first.close()
	second := join(instance("static"))
	pair.AwaitSplit(other.Ledger, second.Ledger)
	harness.Equal(t, "partitions of the returned member", second.Owns(), before)
	pair.ReadAll(other.Ledger, second.Ledger)
	harness.Equal(t, "partitions revoked from the other member", other.Lost(), lost)
	harness.Equal(t, "generation", other.currentSession().GenerationID(), generation)

	third := join(instance("static"))
	pair.AwaitSplit(other.Ledger, third.Ledger)
	t.Until(readLimit, "an error at the fenced member", func() bool { return second.Failure() != nil })
	t.MustBe("fenced member", second.Failure(), sarama.ErrFencedInstancedId)
}

func consumerProtocol(t *harness.T) {
	t.Unsupported("sarama's consumer groups know only the classic protocol")
}

// newPair makes the topics of a pair and a way to join its group.
func newPair(t *harness.T) (*harness.Pair, func(change func(*sarama.Config)) *member) {
	topics := []string{createTopic(t, "a", 4, nil), createTopic(t, "b", 4, nil)}
	group := t.Name("g")
	producer := newProducer(t, newConfig())
	fill := func(partitions []harness.Partition, from, to int) {
		var messages []*sarama.ProducerMessage
		for _, p := range partitions {
			messages = append(messages, numbered(p.Topic, p.Number, from, to)...)
		}
		send(t, producer, messages...)
	}
	join := func(change func(*sarama.Config)) *member {
		config := newConfig()
		change(config)
		return startMember(t, group, topics, config)
	}
	return harness.NewPair(t, topics, fill), join
}
