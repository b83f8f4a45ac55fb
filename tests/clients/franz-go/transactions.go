package main

import (
	"context"
	"errors"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/harness"
)

// silence is how long a reader waits for records that must not come.
const silence = 300 * time.Millisecond

func transactions(t *harness.T) harness.Transactions {
	admin := connectAdmin(t)
	return harness.Transactions{
		T:           t,
		CreateTopic: func(suffix string, partitions int32) string { return createTopic(t, suffix, partitions, nil) },
		Producer: func(id string, timeout time.Duration) harness.TransactionalProducer {
			return newTransactor(t, id, timeout)
		},
		Plain: func(p harness.Partition, from, to int64) []int64 {
			return send(t, connect(t), numbered(p.Topic, p.Number, int(from), int(to))...)
		},
		Read: func(p harness.Partition, from int64, count int, isCommitted bool) ([]int64, []string) {
			return readAt(t, p, from, count, isCommitted)
		},
		End: func(p harness.Partition, isCommitted bool) int64 {
			list := admin.ListEndOffsets
			if isCommitted {
				list = admin.ListCommittedOffsets
			}
			ends, err := list(t.Context(), p.Topic)
			t.Must(err, "list end offsets")
			t.Must(ends[p.Topic][p.Number].Err, "list end offset")
			return ends[p.Topic][p.Number].Offset
		},
		Copier: func(id, group, input, output string, isModern bool) harness.Copier {
			return newCopier(t, id, group, input, output, isModern)
		},
		Committed: func(group, topic string) int64 {
			offset, _ := committed(t, group, topic, 0)
			return offset
		},
		Value:  func(i int) string { return string(value(i)) },
		Fenced: []error{kerr.ProducerFenced, kerr.InvalidProducerEpoch},
		Late:   []error{kerr.InvalidTxnState},
	}
}

type transactor struct {
	t  *harness.T
	cl *kgo.Client
}

func newTransactor(t *harness.T, id string, timeout time.Duration) *transactor {
	cl := connect(t, kgo.TransactionalID(t.Name(id)), kgo.TransactionTimeout(timeout))
	// The client would ask for its id, and so fence its predecessor, only when it sends.
	_, _, err := cl.ProducerID(t.Context())
	t.Must(err, "producer id")
	return &transactor{t, cl}
}

func (x *transactor) Begin() error { return x.cl.BeginTransaction() }

func (x *transactor) Send(p harness.Partition, from, to int64) (offsets []int64, err error) {
	results := x.cl.ProduceSync(x.t.Context(), numbered(p.Topic, p.Number, int(from), int(to))...)
	for _, result := range results {
		offsets = append(offsets, result.Record.Offset)
	}
	return offsets, results.FirstErr()
}

func (x *transactor) Commit() error { return x.cl.EndTransaction(x.t.Context(), kgo.TryCommit) }

func (x *transactor) Abort() error { return x.cl.EndTransaction(x.t.Context(), kgo.TryAbort) }

func readAt(t *harness.T, p harness.Partition, from int64, count int, isCommitted bool) (offsets []int64, values []string) {
	isolation := kgo.ReadUncommitted()
	if isCommitted {
		isolation = kgo.ReadCommitted()
	}
	start := map[string]map[int32]kgo.Offset{p.Topic: {p.Number: kgo.NewOffset().At(from)}}
	cl := connect(t, kgo.FetchIsolationLevel(isolation), kgo.ConsumePartitions(start))
	for _, r := range receive(t, cl, count) {
		offsets, values = append(offsets, r.Offset), append(values, string(r.Value))
	}
	ctx, cancel := context.WithTimeout(t.Context(), silence)
	defer cancel()
	harness.Equal(t, "records too many", cl.PollFetches(ctx).NumRecords(), 0)
	return offsets, values
}

// copier is franz-go's own loop of reading, writing and committing.
type copier struct {
	t       *harness.T
	session *kgo.GroupTransactSession
	output  string
}

func newCopier(t *harness.T, id, group, input, output string, isModern bool) *copier {
	opts := []kgo.Opt{
		kgo.SeedBrokers(t.Bootstrap),
		kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.MetadataMinAge(50 * time.Millisecond),
		kgo.TransactionalID(t.Name(id)),
		kgo.ConsumerGroup(group),
		kgo.ConsumeTopics(input),
		kgo.HeartbeatInterval(300 * time.Millisecond),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()),
	}
	if isModern {
		opts = append(opts, uniform...)
	}
	session, err := kgo.NewGroupTransactSession(opts...)
	t.Must(err, "new session")
	t.Defer(session.CloseAllowingRebalance)
	_, _, err = session.Client().ProducerID(t.Context())
	t.Must(err, "producer id")
	return &copier{t, session, output}
}

func (c *copier) Step(count int) (values []string) {
	records := c.receive(count)
	c.t.Must(c.session.Begin(), "begin")
	var copies []*kgo.Record
	for _, r := range records {
		copies = append(copies, &kgo.Record{Topic: c.output, Value: r.Value})
		values = append(values, string(r.Value))
	}
	send(c.t, c.session.Client(), copies...)
	return values
}

// receive goes on over the errors by which the client tells that the group's broker is away.
func (c *copier) receive(count int) (records []*kgo.Record) {
	ctx, cancel := context.WithTimeout(c.t.Context(), 2*readLimit)
	defer cancel()
	for len(records) < count {
		fetches := c.session.PollRecords(ctx, count-len(records))
		away := (*kgo.ErrGroupSession)(nil)
		if err := fetchError(fetches); err != nil && !errors.As(err, &away) {
			c.t.Must(err, "read")
		}
		records = append(records, fetches.Records()...)
	}
	return records
}

func (c *copier) Commit() (bool, error) { return c.session.End(c.t.Context(), kgo.TryCommit) }

func (c *copier) Abort() error {
	_, err := c.session.End(c.t.Context(), kgo.TryAbort)
	return err
}

// Recover has nothing to do: the client does so itself.
func (c *copier) Recover() {}

func (c *copier) Close() { c.session.CloseAllowingRebalance() }

// offsetsRefused sends the request itself, as the client always speaks for the member that it is.
func offsetsRefused(t *harness.T) {
	x := transactions(t)
	input, group := fill(t, "t", 40), t.Name("g")
	member := joinGroup(t, group, []string{input})
	receive(t, member, 20)
	memberID, generation := member.GroupMetadata()
	t.Must(commitNow(t.Context(), member, oneOffset(input, 0, 20)), "commit")
	output := harness.Partition{Topic: createTopic(t, "output", 1, nil)}
	// A transaction that goes on after the refusal, so that an admitted offset would be seen.
	commit := func(memberID string, generation int32) error {
		producer := newTransactor(t, "id", time.Minute)
		t.Must(producer.Begin(), "begin")
		_, err := producer.Send(output, 0, 1)
		t.Must(err, "send")
		producerID, epoch, err := producer.cl.ProducerID(t.Context())
		t.Must(err, "producer id")
		request := kmsg.NewPtrTxnOffsetCommitRequest()
		request.TransactionalID, request.Group = t.Name("id"), group
		request.ProducerID, request.ProducerEpoch = producerID, epoch
		request.MemberID, request.Generation = memberID, generation
		partition := kmsg.NewTxnOffsetCommitRequestTopicPartition()
		partition.Offset = 30
		topic := kmsg.NewTxnOffsetCommitRequestTopic()
		topic.Topic, topic.Partitions = input, append(topic.Partitions, partition)
		request.Topics = append(request.Topics, topic)
		response, err := request.RequestWith(t.Context(), producer.cl)
		t.Must(err, "commit request")
		t.Must(producer.Commit(), "commit")
		return kerr.ErrorForCode(response.Topics[0].Partitions[0].ErrorCode)
	}
	t.MustBe("offsets of a past generation", commit(memberID, generation-1), kerr.IllegalGeneration)
	t.MustBe("offsets of a stranger", commit("stranger", generation), kerr.UnknownMemberID)
	harness.Equal(t, "committed", x.Committed(group, input), 20)
	t.Must(commit(memberID, generation), "offsets of the member")
	t.Until(readLimit, "committed offset 30", func() bool { return x.Committed(group, input) == 30 })
}

func transactionAdmin(t *harness.T) {
	admin, ctx, id := connectAdmin(t), t.Context(), t.Name("id")
	described, err := admin.DescribeTransactions(ctx, id)
	t.Must(err, "describe")
	t.MustBe("description of nobody", described[id].Err, kerr.TransactionalIDNotFound)
	x := transactions(t)
	p := harness.Partition{Topic: createTopic(t, "t", 1, nil)}
	producer := newTransactor(t, "id", 54_321*time.Millisecond)
	t.Must(producer.Begin(), "begin")
	_, err = producer.Send(p, 0, 10)
	t.Must(err, "send")

	described, err = admin.DescribeTransactions(ctx, id)
	t.Must(err, "describe")
	open := described[id]
	harness.Equal(t, "state", open.State, "Ongoing")
	harness.Equal(t, "timeout", open.TimeoutMillis, 54_321)
	harness.Equal(t, "partitions", open.Topics.Lookup(p.Topic, 0), true)
	listed, err := admin.ListTransactions(ctx, []int64{open.ProducerID}, []string{"Ongoing"})
	t.Must(err, "list")
	harness.Equal(t, "listed", listed.TransactionalIDs(), []string{id})
	set := kadm.TopicsSet{}
	set.Add(p.Topic, 0)
	producers, err := admin.DescribeProducers(ctx, set)
	t.Must(err, "describe producers")
	states := producers.SortedProducers()
	harness.Equal(t, "count of producers", len(states), 1)
	state := states[0]
	harness.Equal(t, "producer", [2]int64{state.ProducerID, int64(state.ProducerEpoch)},
		[2]int64{open.ProducerID, int64(open.ProducerEpoch)})
	harness.Equal(t, "last sequence", state.LastSequence, 9)
	harness.Equal(t, "first offset of the transaction", state.CurrentTxnStartOffset, 0)

	// An abort marker on one partition behind the coordinator's back, as for a transaction that hangs.
	marked, err := admin.WriteTxnMarkers(ctx, kadm.TxnMarkers{
		ProducerID: state.ProducerID, ProducerEpoch: state.ProducerEpoch, Topics: set,
	})
	t.Must(err, "write markers")
	marked.EachPartition(func(response kadm.TxnMarkersPartitionResponse) { t.Must(response.Err, "write marker") })
	harness.Equal(t, "offsets behind the marker", x.Plain(p, 11, 12), []int64{11})
	offsets, _ := x.Read(p, 0, 1, true)
	harness.Equal(t, "committed records", offsets, []int64{11})
}
