package main

import (
	"context"
	"errors"
	"sync"

	"github.com/IBM/sarama"

	"ottla/harness"
)

// member reads in the background and commits only what it is told to.
type member struct {
	*harness.Ledger
	group sarama.ConsumerGroup
	close func()

	mu       sync.Mutex
	session  sarama.ConsumerGroupSession
	messages []*sarama.ConsumerMessage // those that receive has not yet taken
}

func startMember(t *harness.T, group string, topics []string, config *sarama.Config) *member {
	consumerGroup, err := sarama.NewConsumerGroup([]string{t.Bootstrap}, group, config)
	t.Must(err, "new consumer group")
	m := &member{Ledger: harness.NewLedger(), group: consumerGroup}
	var running sync.WaitGroup
	running.Go(func() { m.consume(t.Context(), topics) })
	running.Go(func() {
		for err := range consumerGroup.Errors() {
			m.Fail(err)
		}
	})
	m.close = sync.OnceFunc(func() {
		consumerGroup.Close()
		running.Wait()
	})
	t.Defer(m.close)
	return m
}

// consume goes on over rebalances and ends at the first error, lest a fenced member fence back.
func (m *member) consume(ctx context.Context, topics []string) {
	for ctx.Err() == nil {
		err := m.group.Consume(ctx, topics, m)
		if errors.Is(err, sarama.ErrClosedConsumerGroup) {
			return
		}
		if err != nil {
			m.Fail(err)
			return
		}
	}
}

func (m *member) Setup(session sarama.ConsumerGroupSession) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.session = session
	return nil
}

func (m *member) Cleanup(sarama.ConsumerGroupSession) error { return nil }

// ConsumeClaim runs as long as the member owns the partition.
func (m *member) ConsumeClaim(session sarama.ConsumerGroupSession, claim sarama.ConsumerGroupClaim) error {
	p := harness.Partition{Topic: claim.Topic(), Number: claim.Partition()}
	m.Gain(p)
	defer m.Lose(p)
	for {
		select {
		case message, isOpen := <-claim.Messages():
			if !isOpen {
				return nil
			}
			m.mu.Lock()
			m.messages = append(m.messages, message)
			m.mu.Unlock()
			m.Read(p, message.Offset)
		case <-session.Context().Done():
			return nil
		}
	}
}

// receive takes exactly count records.
func (m *member) receive(t *harness.T, count int) (taken []*sarama.ConsumerMessage) {
	t.Until(readLimit, "records at the member", func() bool {
		t.Must(m.Failure(), "member")
		m.mu.Lock()
		defer m.mu.Unlock()
		if len(m.messages) < count {
			return false
		}
		taken, m.messages = m.messages[:count], m.messages[count:]
		return true
	})
	return taken
}

// currentSession may only be used when the member has partitions.
func (m *member) currentSession() sarama.ConsumerGroupSession {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.session
}

// commit writes the same offset for all of the given partitions.
func (m *member) commit(t *harness.T, partitions []harness.Partition, offset int64) {
	session := m.currentSession()
	for _, p := range partitions {
		session.MarkOffset(p.Topic, p.Number, offset, "")
	}
	session.Commit()
	t.Must(m.Failure(), "commit")
}
