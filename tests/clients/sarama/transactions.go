package main

import (
	"errors"
	"time"

	"github.com/IBM/sarama"

	"ottla/harness"
)

// silence is how long a reader waits for records that must not come.
const silence = 300 * time.Millisecond

func transactions(t *harness.T) harness.Transactions {
	return harness.Transactions{
		T:           t,
		CreateTopic: func(suffix string, partitions int32) string { return createTopic(t, suffix, partitions, nil) },
		Producer: func(id string, timeout time.Duration) harness.TransactionalProducer {
			return &transactor{newProducer(t, transactional(t, id, timeout))}
		},
		Plain: func(p harness.Partition, from, to int64) []int64 {
			return send(t, newProducer(t, newConfig()), numbered(p.Topic, p.Number, int(from), int(to))...)
		},
		Read: func(p harness.Partition, from int64, count int, isCommitted bool) ([]int64, []string) {
			return readAt(t, p, from, count, isCommitted)
		},
		End: func(p harness.Partition, isCommitted bool) int64 { return endOffset(t, p, isCommitted) },
		Copier: func(id, group, input, output string, _ bool) harness.Copier {
			return newCopier(t, id, group, input, output)
		},
		Committed: func(group, topic string) int64 {
			offset, _ := committed(t, group, topic, 0)
			return offset
		},
		Value:  value,
		Fenced: []error{sarama.ErrProducerFenced, sarama.ErrInvalidProducerEpoch},
		Late:   []error{sarama.ErrProducerFenced, sarama.ErrInvalidProducerEpoch},
	}
}

// transactional is the configuration of a producer with an id.
func transactional(t *harness.T, id string, timeout time.Duration) *sarama.Config {
	config := newConfig()
	config.Producer.Idempotent = true
	config.Net.MaxOpenRequests = 1 // sarama demands it of an idempotent producer
	config.Producer.Transaction.ID = t.Name(id)
	config.Producer.Transaction.Timeout = timeout
	config.Producer.Transaction.Retry.Max = 200
	config.Producer.Transaction.Retry.Backoff = 100 * time.Millisecond
	return config
}

type transactor struct {
	producer sarama.SyncProducer
}

func (x *transactor) Begin() error { return x.producer.BeginTxn() }

func (x *transactor) Send(p harness.Partition, from, to int64) (offsets []int64, err error) {
	messages := numbered(p.Topic, p.Number, int(from), int(to))
	err = x.producer.SendMessages(messages)
	for _, message := range messages {
		offsets = append(offsets, message.Offset)
	}
	if failures, ok := err.(sarama.ProducerErrors); ok {
		err = failures[0].Err
	}
	return offsets, err
}

func (x *transactor) Commit() error { return x.producer.CommitTxn() }

func (x *transactor) Abort() error { return x.producer.AbortTxn() }

func isolation(isCommitted bool) sarama.IsolationLevel {
	if isCommitted {
		return sarama.ReadCommitted
	}
	return sarama.ReadUncommitted
}

func readAt(t *harness.T, p harness.Partition, from int64, count int, isCommitted bool) (offsets []int64, values []string) {
	config := newConfig()
	config.Consumer.IsolationLevel = isolation(isCommitted)
	consumer, err := sarama.NewConsumerFromClient(connect(t, config))
	t.Must(err, "new consumer")
	reader, err := consumer.ConsumePartition(p.Topic, p.Number, from)
	t.Must(err, "consume partition")
	defer reader.AsyncClose()
	for _, message := range receive(t, reader, count) {
		offsets, values = append(offsets, message.Offset), append(values, string(message.Value))
	}
	select {
	case message := <-reader.Messages():
		t.Fatalf("a record too many at offset %d", message.Offset)
	case <-time.After(silence):
	}
	return offsets, values
}

// endOffset sends the plain request, as sarama's own call knows no isolation level.
func endOffset(t *harness.T, p harness.Partition, isCommitted bool) (end int64) {
	client := connect(t, newConfig())
	defer client.Close()
	t.Until(readLimit, "an end offset", func() bool {
		leader, err := client.Leader(p.Topic, p.Number)
		t.Must(err, "leader")
		request := &sarama.OffsetRequest{Version: 2, IsolationLevel: isolation(isCommitted)}
		request.AddBlock(p.Topic, p.Number, sarama.OffsetNewest, 1)
		response, err := leader.GetAvailableOffsets(request)
		t.Must(err, "list offsets")
		block := response.GetBlock(p.Topic, p.Number)
		// A broker that is starting does not lead yet.
		if block.Err == sarama.ErrNotLeaderForPartition {
			return false
		}
		t.MustBe("list offsets", block.Err, sarama.ErrNoError)
		end = block.Offset
		return true
	})
	return end
}

type copier struct {
	t             *harness.T
	member        *member
	producer      sarama.SyncProducer
	group         string
	input, output string
	position      int64
}

func newCopier(t *harness.T, id, group, input, output string) *copier {
	producer := newProducer(t, transactional(t, id, time.Minute))
	c := &copier{t: t, producer: producer, group: group, input: input, output: output}
	c.join()
	return c
}

func (c *copier) join() {
	config := newConfig()
	config.Consumer.IsolationLevel = sarama.ReadCommitted
	// A member whose leaving was lost in a kill is missed soon.
	config.Consumer.Group.Session.Timeout = 6 * time.Second
	c.member = startMember(c.t, c.group, []string{c.input}, config)
}

func (c *copier) Step(count int) (values []string) {
	c.t.Must(c.producer.BeginTxn(), "begin")
	var copies []*sarama.ProducerMessage
	for _, message := range c.member.receive(c.t, count) {
		copies = append(copies, &sarama.ProducerMessage{Topic: c.output, Value: sarama.ByteEncoder(message.Value)})
		values = append(values, string(message.Value))
		c.position = message.Offset + 1
	}
	send(c.t, c.producer, copies...)
	c.t.Must(c.addOffsets(c.metadata()), "add offsets")
	return values
}

func (c *copier) metadata() *sarama.ConsumerGroupMetadata {
	return sarama.NewConsumerGroupMetadataFromSession(c.member.currentSession(), c.group, nil)
}

func (c *copier) addOffsets(metadata *sarama.ConsumerGroupMetadata) error {
	offsets := map[string][]*sarama.PartitionOffsetMetadata{c.input: {{Partition: 0, Offset: c.position}}}
	return c.producer.AddOffsetsToTxnWithGroupMetadata(offsets, metadata)
}

// Commit aborts when the member had to join anew, so that its generation is over.
func (c *copier) Commit() (bool, error) {
	err := c.producer.CommitTxn()
	for _, lost := range []error{sarama.ErrIllegalGeneration, sarama.ErrUnknownMemberId, sarama.ErrRebalanceInProgress} {
		if errors.Is(err, lost) {
			return false, c.producer.AbortTxn()
		}
	}
	return true, err
}

// Recover replaces the member, which keeps the error of its lost connection.
func (c *copier) Recover() {
	c.member.close()
	c.join()
}

// Abort begins anew at the committed offset, which a sarama member does only when it joins.
func (c *copier) Abort() error {
	c.member.close()
	defer c.join()
	return c.producer.AbortTxn()
}

func (c *copier) Close() { c.member.close() }

func offsetsRefused(t *harness.T) {
	x := transactions(t)
	input, output, group := fill(t, "t", 60), createTopic(t, "output", 1, nil), t.Name("g")
	c := newCopier(t, "id", group, input, output)
	c.Step(20)
	t.Must(c.producer.CommitTxn(), "commit")
	t.Until(readLimit, "committed offset 20", func() bool { return x.Committed(group, input) == 20 })

	c.Step(20)
	c.t.Must(c.addOffsets(c.metadata()), "add offsets")
	c.member.close()
	// Sarama sends the offsets with the commit.
	t.MustBe("offsets of a member that has left", c.producer.CommitTxn(),
		sarama.ErrUnknownMemberId, sarama.ErrIllegalGeneration)
	t.Must(c.producer.AbortTxn(), "abort")
	harness.Equal(t, "committed", x.Committed(group, input), 20)

	// The producer goes on, with another member.
	c.join()
	c.Step(20)
	t.Must(c.producer.CommitTxn(), "commit")
	t.Until(readLimit, "committed offset 40", func() bool { return x.Committed(group, input) == 40 })
}

func transactionAdmin(t *harness.T) {
	admin, id := connectAdmin(t).(sarama.TransactionClusterAdmin), t.Name("id")
	describe := func() sarama.TransactionState {
		states, err := admin.DescribeTransactions([]string{id})
		t.Must(err, "describe")
		return states[id]
	}
	t.MustBe("description of nobody", describe().ErrorCode, sarama.KError(105))
	p := harness.Partition{Topic: createTopic(t, "t", 1, nil)}
	producer := transactor{newProducer(t, transactional(t, "id", 54_321*time.Millisecond))}
	harness.Equal(t, "state before the first transaction", describe().TransactionState, "Empty")
	t.Must(producer.Begin(), "begin")
	_, err := producer.Send(p, 0, 10)
	t.Must(err, "send")

	open := describe()
	harness.Equal(t, "state", open.TransactionState, "Ongoing")
	harness.Equal(t, "timeout", open.TransactionTimeout, 54_321*time.Millisecond)
	harness.Equal(t, "partitions", open.Topics,
		[]sarama.DescribeTransactionsResponseTopic{{Topic: p.Topic, Partitions: []int32{0}}})
	listed, err := admin.ListTransactions([]string{"Ongoing"}, []int64{open.ProducerID}, -1)
	t.Must(err, "list")
	harness.Equal(t, "listed", listed, []sarama.ListTransactionsResponseTransactionState{
		{TransactionalID: id, ProducerID: open.ProducerID, TransactionState: "Ongoing"},
	})
	producers, err := admin.DescribeProducers(map[string][]int32{p.Topic: {0}})
	t.Must(err, "describe producers")
	states := producers[p.Topic][0].ActiveProducers
	harness.Equal(t, "count of producers", len(states), 1)
	harness.Equal(t, "producer id", states[0].ProducerID, open.ProducerID)
	harness.Equal(t, "last sequence", states[0].LastSequence, 9)
	harness.Equal(t, "first offset of the transaction", states[0].CurrentTxnStartOffset, 0)
}
