package harness

import (
	"fmt"
	"slices"
	"time"
)

const (
	// Apache Kafka looks for transactions that are over their time every 10 seconds.
	timeoutLimit     = 20 * time.Second
	shortTransaction = time.Second
	longTransaction  = time.Minute

	copyInput = 100
	copyStep  = 20
)

// TransactionalProducer is a producer of one library. Its values are the numbers of the offsets that
// they are expected to get.
type TransactionalProducer interface {
	Begin() error
	// Send waits for the acknowledgements and returns the offsets.
	Send(p Partition, from, to int64) ([]int64, error)
	Commit() error
	Abort() error
}

// Copier reads a topic as the member of a group and writes it to another one. It begins a transaction,
// reads as many values as it is told, writes them, and makes the offset behind them part of it.
type Copier interface {
	Step(count int) []string
	// Commit tells whether it has committed; a library that fears for its membership aborts instead.
	Commit() (bool, error)
	Abort() error
	// Recover is called when a transaction has ended that may have seen a kill.
	Recover()
	// Close leaves the group; a transaction stays open.
	Close()
}

// Transactions are the scenarios of transactions, with what a library brings to them.
type Transactions struct {
	T           *T
	CreateTopic func(suffix string, partitions int32) string
	// Producer makes a producer that is ready for its first transaction; what its predecessor left open is aborted.
	Producer func(id string, timeout time.Duration) TransactionalProducer
	// Plain sends outside of transactions.
	Plain func(p Partition, from, to int64) []int64
	// Read reads so many values from an offset on, then waits a moment for more, which fails it.
	Read func(p Partition, from int64, count int, isCommitted bool) (offsets []int64, values []string)
	// End is the end offset at the isolation level.
	End func(p Partition, isCommitted bool) int64
	// Copier joins the group, with the consumer protocol if isModern.
	Copier func(id, group, input, output string, isModern bool) Copier
	// Committed is the committed offset of partition 0, -1 without one.
	Committed func(group, topic string) int64
	// Value makes the value of a number.
	Value func(i int) string
	// The library's errors for what a fenced producer does, and for the commit of a transaction that was aborted
	// because of its timeout.
	Fenced, Late []error
}

// Commit is transaction_commit.
func (x Transactions) Commit() {
	var partitions []Partition
	for _, topic := range []string{x.CreateTopic("first", 2), x.CreateTopic("second", 2)} {
		partitions = append(partitions, Partition{topic, 0}, Partition{topic, 1})
	}
	producer := x.Producer("id", longTransaction)
	// A marker stands behind the records of each transaction and has an offset of its own.
	for _, base := range []int64{0, 11} {
		x.T.Must(producer.Begin(), "begin")
		for _, p := range partitions {
			x.send(producer, p, base, base+10)
		}
		x.T.Must(producer.Commit(), "commit")
	}
	for _, p := range partitions {
		for _, isCommitted := range []bool{true, false} {
			x.expect(p, 0, isCommitted, 22, Sequence(0, 10), Sequence(11, 21))
		}
	}
}

// Abort is transaction_abort.
func (x Transactions) Abort() {
	p := Partition{x.CreateTopic("t", 1), 0}
	producer := x.Producer("id", longTransaction)
	for _, base := range []int64{0, 11, 22} {
		x.T.Must(producer.Begin(), "begin")
		x.send(producer, p, base, base+10)
		if base == 11 {
			x.T.Must(producer.Abort(), "abort")
		} else {
			x.T.Must(producer.Commit(), "commit")
		}
	}
	x.expect(p, 0, true, 33, Sequence(0, 10), Sequence(22, 32))
	x.expect(p, 0, false, 33, Sequence(0, 10), Sequence(11, 21), Sequence(22, 32))
	// A reader that begins within the aborted records finds them aborted too.
	x.expect(p, 15, true, 33, Sequence(22, 32))
}

// Open is transaction_open.
func (x Transactions) Open() {
	p := Partition{x.CreateTopic("t", 1), 0}
	Equal(x.T, "offsets", x.Plain(p, 0, 10), Sequence(0, 10))
	producer := x.Producer("id", longTransaction)
	x.T.Must(producer.Begin(), "begin")
	x.send(producer, p, 10, 20)
	Equal(x.T, "offsets", x.Plain(p, 20, 30), Sequence(20, 30))
	x.expect(p, 0, false, 30, Sequence(0, 30))
	x.expect(p, 0, true, 10, Sequence(0, 10))
	x.T.Must(producer.Commit(), "commit")
	x.expect(p, 10, true, 31, Sequence(10, 30))
}

// Fence is transaction_fence.
func (x Transactions) Fence() {
	p := Partition{x.CreateTopic("t", 1), 0}
	first := x.Producer("id", longTransaction)
	x.T.Must(first.Begin(), "begin")
	x.send(first, p, 0, 10)
	second := x.Producer("id", longTransaction)
	x.T.Must(second.Begin(), "begin")
	// The marker that aborted the first one's transaction is at 10.
	x.send(second, p, 11, 21)
	x.T.MustBe("commit of the fenced producer", first.Commit(), x.Fenced...)
	x.T.Must(second.Commit(), "commit")
	x.expect(p, 0, true, 22, Sequence(11, 21))

	third := x.Producer("id", longTransaction)
	x.T.Must(second.Begin(), "begin")
	_, err := second.Send(p, 22, 23)
	x.T.MustBe("send of the fenced producer", err, x.Fenced...)
	x.T.Must(third.Begin(), "begin")
	x.send(third, p, 22, 23)
	x.T.Must(third.Commit(), "commit")
	x.expect(p, 21, true, 24, Sequence(22, 23))
}

// Timeout is transaction_timeout.
func (x Transactions) Timeout() {
	p := Partition{x.CreateTopic("t", 1), 0}
	late := x.Producer("id", shortTransaction)
	x.T.Must(late.Begin(), "begin")
	x.send(late, p, 0, 10)
	x.Plain(p, 10, 20)
	Equal(x.T, "end before the timeout", x.End(p, true), 0)
	x.T.Until(timeoutLimit, "the end of the transaction that is left open", func() bool { return x.End(p, true) == 21 })
	x.expect(p, 0, true, 21, Sequence(10, 20))
	x.T.MustBe("commit after the timeout", late.Commit(), x.Late...)
	next := x.Producer("id", longTransaction)
	x.T.Must(next.Begin(), "begin")
	x.send(next, p, 21, 22)
	x.T.Must(next.Commit(), "commit")
	x.expect(p, 20, true, 23, Sequence(21, 22))
}

// SurviveKill is transaction_survives_kill.
func (x Transactions) SurviveKill() {
	topic := x.CreateTopic("t", 2)
	partitions := []Partition{{topic, 0}, {topic, 1}}
	var producers []TransactionalProducer
	for i, id := range []string{"id", "aborting", "lost"} {
		producer, from := x.Producer(id, longTransaction), int64(10*i)
		producers = append(producers, producer)
		x.T.Must(producer.Begin(), "begin")
		for _, p := range partitions {
			x.send(producer, p, from, from+10)
		}
	}
	x.T.KillBroker()
	for _, p := range partitions {
		x.send(producers[0], p, 30, 40)
		Equal(x.T, "stable end after the kill", x.End(p, true), 0)
	}
	expectStable := func(end int64, parts ...[]int64) {
		for _, p := range partitions {
			x.expect(p, 0, true, end, parts...)
		}
	}
	// The transactions that are still open hold back what is committed behind their first records.
	x.T.Must(producers[0].Commit(), "commit")
	expectStable(10, Sequence(0, 10))
	x.T.Must(producers[1].Abort(), "abort")
	expectStable(20, Sequence(0, 10))
	// The third producer never comes back; its successor ends what it left.
	x.Producer("lost", longTransaction)
	expectStable(43, Sequence(0, 10), Sequence(30, 40))
}

// Offsets is transaction_offsets, with the consumer protocol if isModern and with a kill if isKilled.
func (x Transactions) Offsets(isModern, isKilled bool) {
	input, output, group := x.CreateTopic("input", 1), x.CreateTopic("output", 1), x.T.Name("g")
	x.Plain(Partition{input, 0}, 0, copyInput)
	join := func() Copier { return x.Copier("id", group, input, output, isModern) }
	step := func(copier Copier, from int) {
		Equal(x.T, "input", copier.Step(copyStep), x.values(from, from+copyStep))
	}
	awaitCommitted := func(want int64) {
		x.T.Until(timeoutLimit, fmt.Sprintf("committed offset %d", want), func() bool {
			return x.Committed(group, input) == want
		})
	}
	// Only a kill may make a library abort; then the step is done again.
	commit := func(copier Copier, from int) {
		for {
			isCommitted, err := copier.Commit()
			x.T.Must(err, "commit")
			if isKilled {
				copier.Recover()
			}
			if isCommitted {
				break
			}
			Equal(x.T, "an abort without a kill", isKilled, true)
			step(copier, from)
		}
		awaitCommitted(int64(from + copyStep))
	}
	copier := join()
	step(copier, 0)
	Equal(x.T, "committed before the first end", x.Committed(group, input), -1)
	if isKilled {
		x.T.KillBroker()
	}
	commit(copier, 0)

	step(copier, 20)
	x.T.Must(copier.Abort(), "abort")
	Equal(x.T, "committed after the abort", x.Committed(group, input), 20)
	step(copier, 20)
	commit(copier, 20)

	// The program ends in the middle of a transaction; its successor finds neither records nor offsets of it.
	step(copier, 40)
	copier.Close()
	successor := join()
	for from := 40; from < copyInput; from += copyStep {
		step(successor, from)
		commit(successor, from)
	}
	_, values := x.Read(Partition{output, 0}, 0, copyInput, true)
	Equal(x.T, "output", values, x.values(0, copyInput))
}

func (x Transactions) values(from, to int) (values []string) {
	for i := from; i < to; i++ {
		values = append(values, x.Value(i))
	}
	return values
}

func (x Transactions) send(producer TransactionalProducer, p Partition, from, to int64) {
	offsets, err := producer.Send(p, from, to)
	x.T.Must(err, "send")
	Equal(x.T, "acknowledged offsets", offsets, Sequence(from, to))
}

// expect reads the partition at the isolation level and finds exactly these offsets, up to the end.
func (x Transactions) expect(p Partition, from int64, isCommitted bool, end int64, parts ...[]int64) {
	x.T.Until(timeoutLimit, fmt.Sprintf("end offset %d", end), func() bool { return x.End(p, isCommitted) == end })
	want := slices.Concat(parts...)
	offsets, values := x.Read(p, from, len(want), isCommitted)
	Equal(x.T, "offsets read", offsets, want)
	var wanted []string
	for _, offset := range want {
		wanted = append(wanted, x.Value(int(offset)))
	}
	Equal(x.T, "values read", values, wanted)
}
