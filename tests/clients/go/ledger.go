package harness

import (
	"cmp"
	"maps"
	"slices"
	"sync"
)

// Partition names one partition.
type Partition struct {
	Topic  string
	Number int32
}

// Ledger keeps what a group member was given, what it lost and what it read.
type Ledger struct {
	mu      sync.Mutex
	owned   map[Partition]bool
	gained  int
	lost    int
	read    map[Partition][]int64
	count   int
	failure error
}

// NewLedger makes the ledger of a member that has nothing yet.
func NewLedger() *Ledger {
	return &Ledger{owned: make(map[Partition]bool), read: make(map[Partition][]int64)}
}

// Gain notes partitions that were given to the member.
func (l *Ledger) Gain(partitions ...Partition) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, p := range partitions {
		l.owned[p] = true
		l.gained++
	}
}

// Lose notes partitions that were taken from the member.
func (l *Ledger) Lose(partitions ...Partition) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, p := range partitions {
		delete(l.owned, p)
		l.lost++
	}
}

// Read notes a record.
func (l *Ledger) Read(p Partition, offset int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.read[p] = append(l.read[p], offset)
	l.count++
}

// Fail keeps the member's first error.
func (l *Ledger) Fail(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.failure = cmp.Or(l.failure, err)
}

// Owns returns the partitions that the member has now, in order.
func (l *Ledger) Owns() []Partition {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.SortedFunc(maps.Keys(l.owned), comparePartitions)
}

// Gained counts the partitions that were ever given to the member.
func (l *Ledger) Gained() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.gained
}

// Lost counts the partitions that were ever taken from the member.
func (l *Ledger) Lost() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.lost
}

// Offsets returns what the member read of a partition, in the order of reading.
func (l *Ledger) Offsets(p Partition) []int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.read[p])
}

// Count is the number of records read.
func (l *Ledger) Count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.count
}

// Failure is the member's first error.
func (l *Ledger) Failure() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.failure
}

func comparePartitions(a, b Partition) int {
	return cmp.Or(cmp.Compare(a.Topic, b.Topic), cmp.Compare(a.Number, b.Number))
}
