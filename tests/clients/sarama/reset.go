package main

import (
	"github.com/IBM/sarama"

	"ottla/harness"
)

func resetEarliest(t *harness.T) {
	topic := fill(t, "t", 10)
	m := startMember(t, t.Name("g"), []string{topic}, newConfig())
	expectNumbered(t, m.receive(t, 10), 0, 10)
}

func resetLatest(t *harness.T) {
	topic := fill(t, "t", 10)
	config := newConfig()
	config.Consumer.Offsets.Initial = sarama.OffsetNewest
	expectAtEnd(t, startMember(t, t.Name("g"), []string{topic}, config), topic, 10)
}

// expectAtEnd produces until the member, which starts at the end at a moment that it does not tell,
// sees a record; from there on it must see all of them.
func expectAtEnd(t *harness.T, m *member, topic string, end int) {
	producer := newProducer(t, newConfig())
	next := end
	t.Until(readLimit, "a new record", func() bool {
		send(t, producer, numbered(topic, 0, next, next+1)...)
		next++
		return m.Count() > 0
	})
	first := int(m.Offsets(harness.Partition{Topic: topic})[0])
	if first < end {
		t.Fatalf("read offset %d, which is before the end %d", first, end)
	}
	expectNumbered(t, m.receive(t, next-first), first, next)
}

func resetNone(t *harness.T) {
	t.Unsupported("Consumer.Offsets.Initial has only OffsetOldest and OffsetNewest")
}

func resetByDuration(t *harness.T) {
	t.Unsupported("Consumer.Offsets.Initial has only OffsetOldest and OffsetNewest")
}

// resetOutOfRange: sarama compares the commit with the offsets that the broker lists and does not
// wait for the broker to refuse a fetch.
func resetOutOfRange(t *harness.T) {
	topic := fill(t, "t", 10)
	join := func(suffix string, change func(*sarama.Config)) *member {
		group := t.Name(suffix)
		commitFor(t, group, topic, 1000, "")
		config := newConfig()
		change(config)
		return startMember(t, group, []string{topic}, config)
	}
	none := join("none", func(c *sarama.Config) { c.Consumer.Group.ResetInvalidOffsets = false })
	t.Until(readLimit, "an error", func() bool { return none.Failure() != nil })
	t.MustBe("reset none", none.Failure(), sarama.ErrOffsetOutOfRange)
	harness.Equal(t, "records read with reset none", none.Count(), 0)

	earliest := join("earliest", func(c *sarama.Config) { c.Consumer.Offsets.Initial = sarama.OffsetOldest })
	expectNumbered(t, earliest.receive(t, 10), 0, 10)
	latest := join("latest", func(c *sarama.Config) { c.Consumer.Offsets.Initial = sarama.OffsetNewest })
	expectAtEnd(t, latest, topic, 10)
}
