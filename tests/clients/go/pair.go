package harness

import (
	"slices"
	"time"
)

const (
	pairPartitions = 8
	rebalanceLimit = 30 * time.Second
	readLimit      = 20 * time.Second
)

// Pair checks the life of a group of two members that share two topics of four partitions.
type Pair struct {
	T *T
	// All are the eight partitions in order.
	All []Partition
	// Fill appends records to all eight, so that each gets the offsets from … to-1.
	Fill func(from, to int)
}

// NewPair takes the topics in the order of their names.
func NewPair(t *T, topics []string, fill func(partitions []Partition, from, to int)) *Pair {
	var all []Partition
	for _, topic := range topics {
		for number := range int32(pairPartitions / len(topics)) {
			all = append(all, Partition{topic, number})
		}
	}
	return &Pair{T: t, All: all, Fill: func(from, to int) { fill(all, from, to) }}
}

// AwaitAll waits until the member owns everything.
func (p *Pair) AwaitAll(member *Ledger) {
	p.T.Until(rebalanceLimit, "all partitions at one member", func() bool { return slices.Equal(member.Owns(), p.All) })
}

// AwaitSplit waits until each member owns half, disjoint and together all.
func (p *Pair) AwaitSplit(a, b *Ledger) {
	p.T.Until(rebalanceLimit, "a settled group of two", func() bool {
		both := slices.Concat(a.Owns(), b.Owns())
		slices.SortFunc(both, comparePartitions)
		return len(a.Owns()) == pairPartitions/2 && slices.Equal(both, p.All)
	})
}

// ReadAll lets the settled members read ten records of every partition, each record once and by the
// partition's owner. It returns what each owns.
func (p *Pair) ReadAll(a, b *Ledger) (ownedByA, ownedByB []Partition) {
	const count = pairPartitions * 10
	ownedByA, ownedByB = a.Owns(), b.Owns()
	p.Fill(0, 10)
	p.T.Until(readLimit, "all records", func() bool { return a.Count()+b.Count() >= count })
	p.expectRead(a, ownedByA, 0, 10)
	p.expectRead(b, ownedByB, 0, 10)
	Equal(p.T, "records read", a.Count()+b.Count(), count)
	return ownedByA, ownedByB
}

// ExpectTakeover waits until the survivor owns everything and checks that it goes on from the
// commits: from 10 in what it kept, from 5 in what the other had.
func (p *Pair) ExpectTakeover(survivor *Ledger, kept, given []Partition) {
	p.AwaitAll(survivor)
	p.Fill(10, 15)
	want := len(kept)*15 + len(given)*10
	p.T.Until(readLimit, "the records since the commits", func() bool { return survivor.Count() >= want })
	p.expectRead(survivor, kept, 0, 15)
	p.expectRead(survivor, given, 5, 15)
}

func (p *Pair) expectRead(member *Ledger, partitions []Partition, from, to int64) {
	for _, partition := range partitions {
		Equal(p.T, "offsets read", member.Offsets(partition), Sequence(from, to))
	}
}

// Sequence is the numbers from … to-1.
func Sequence(from, to int64) (numbers []int64) {
	for i := from; i < to; i++ {
		numbers = append(numbers, i)
	}
	return numbers
}
