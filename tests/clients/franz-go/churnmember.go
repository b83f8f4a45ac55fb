package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

const (
	churnTurn = 200 * time.Millisecond
	// churnWork bounds the work on what a poll has given. A pause of the process often falls into it.
	churnWork = 200 * time.Millisecond
)

// churnMember polls, processes, and commits what it has processed.
type churnMember struct {
	number     int
	topic      string
	group      string
	lines      *churnLines
	cl         *kgo.Client
	ofTopic    kadm.TopicID
	stateAsked atomic.Bool
	// ctx ends when the member is to leave.
	ctx   context.Context
	leave context.CancelFunc

	mutex sync.Mutex
	// id and epoch are those in which the member was told last what it owns. The client's own may be newer: it joins
	// again in the background when it was fenced, and tells later what it has lost.
	id    string
	epoch int32
	owned map[int32]bool
	// uncommitted is what is processed and owned, but not known to be committed.
	uncommitted map[int32]kgo.EpochOffset
}

func startChurnMember(bootstrap, topic, group, protocol string, number int, lines *churnLines) *churnMember {
	m := &churnMember{number: number, topic: topic, group: group, lines: lines, owned: make(map[int32]bool)}
	m.uncommitted = make(map[int32]kgo.EpochOffset)
	m.ctx, m.leave = context.WithCancel(context.Background())
	opts := []kgo.Opt{
		kgo.SeedBrokers(bootstrap), kgo.MetadataMinAge(50 * time.Millisecond),
		kgo.ConsumerGroup(group), kgo.ConsumeTopics(topic), kgo.DisableAutoCommit(),
		kgo.RebalanceTimeout(15 * time.Second),
		// What a poll has given stays the member's own until it is committed.
		kgo.BlockRebalanceOnPoll(),
		kgo.OnPartitionsAssigned(m.assigned),
		kgo.OnPartitionsRevoked(m.gone("revoked")), kgo.OnPartitionsLost(m.gone("lost")),
	}
	classic := []kgo.Opt{kgo.SessionTimeout(6 * time.Second), kgo.HeartbeatInterval(500 * time.Millisecond)}
	switch protocol {
	case "consumer":
		opts = append(opts, uniform...)
	case "eager":
		opts = append(append(opts, classic...), kgo.Balancers(kgo.RangeBalancer()))
	case "cooperative":
		opts = append(append(opts, classic...), kgo.Balancers(kgo.CooperativeStickyBalancer()))
	}
	var err error
	if m.cl, err = kgo.NewClient(opts...); err != nil {
		panic(err)
	}
	go m.run()
	return m
}

func (m *churnMember) say(format string, args ...any) { m.lines.say(m.number, format, args...) }

// work takes as long as an application's would, or until the member is to leave.
func (m *churnMember) work() {
	select {
	case <-time.After(rand.N(churnWork)):
	case <-m.ctx.Done():
	}
}

func (m *churnMember) run() {
	for m.ctx.Err() == nil {
		turn, cancel := context.WithTimeout(m.ctx, churnTurn)
		fetches := m.cl.PollRecords(turn, 200)
		cancel()
		m.process(fetches)
		if done := m.done(); len(done) > 0 {
			m.work()
			m.commit(done)
		}
		m.cl.AllowRebalance()
		if m.stateAsked.CompareAndSwap(true, false) {
			m.say("state %s", m.membership())
		}
	}
	m.cl.CloseAllowingRebalance()
	m.say("left")
}

func (m *churnMember) process(fetches kgo.Fetches) {
	m.mutex.Lock()
	epoch := m.epoch
	m.mutex.Unlock()
	fetches.EachPartition(func(fetched kgo.FetchTopicPartition) {
		if records := fetched.Records; len(records) > 0 {
			m.processed(epoch, records)
			m.mutex.Lock()
			m.uncommitted[fetched.Partition] = kgo.EpochOffset{Epoch: -1, Offset: records[len(records)-1].Offset + 1}
			m.mutex.Unlock()
		}
	})
}

func (m *churnMember) done() map[int32]kgo.EpochOffset {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	return maps.Clone(m.uncommitted)
}

// processed tells the runs of offsets and numbers without a gap.
func (m *churnMember) processed(epoch int32, records []*kgo.Record) {
	for len(records) > 0 {
		first, count := records[0], 1
		for count < len(records) && records[count].Offset == first.Offset+int64(count) &&
			churnNumber(records[count]) == churnNumber(first)+int64(count) {
			count++
		}
		m.say("processed %d %d %d %d %d", epoch, first.Partition, first.Offset, churnNumber(first), count)
		records = records[count:]
	}
}

func churnNumber(record *kgo.Record) int64 {
	number, err := strconv.ParseInt(string(record.Value), 10, 64)
	if err != nil {
		return -1
	}
	return number
}

// commit names the member and the epoch by which it owns the partitions, which CommitOffsetsSync would not: it waits
// while the client joins again, and then commits as the new member for what was the old one's.
func (m *churnMember) commit(done map[int32]kgo.EpochOffset) {
	request := kmsg.NewPtrOffsetCommitRequest()
	m.mutex.Lock()
	request.Group, request.MemberID, request.Generation = m.group, m.id, m.epoch
	m.mutex.Unlock()
	topic := kmsg.NewOffsetCommitRequestTopic()
	topic.Topic, topic.TopicID = m.topic, m.topicID()
	var offsets []string
	metadata := fmt.Sprintf("member %d", m.number)
	for number, offset := range done {
		partition := kmsg.NewOffsetCommitRequestTopicPartition()
		partition.Partition, partition.Offset, partition.Metadata = number, offset.Offset, &metadata
		topic.Partitions = append(topic.Partitions, partition)
		offsets = append(offsets, fmt.Sprintf("%d:%d", number, offset.Offset))
	}
	request.Topics = append(request.Topics, topic)
	m.say("committing %d %s", request.Generation, strings.Join(offsets, ","))
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	response, err := request.RequestWith(ctx, m.cl)
	err = cmp.Or(err, commitError(response))
	switch {
	case err == nil:
		m.mutex.Lock()
		clear(m.uncommitted)
		m.mutex.Unlock()
		m.say("committed %d", request.Generation)
	case isRefusal(err):
		m.say("refused %v", err)
	default:
		m.say("unknown %v", err)
	}
}

// topicID asks once for the id, by which newer versions of OffsetCommit name a topic.
func (m *churnMember) topicID() kadm.TopicID {
	if m.ofTopic == (kadm.TopicID{}) {
		if topics, err := kadm.NewClient(m.cl).ListTopics(m.ctx, m.topic); err == nil {
			m.ofTopic = topics[m.topic].ID
		}
	}
	return m.ofTopic
}

// isRefusal tells whether the coordinator said that the member, or its generation or epoch, is not the one that may commit.
func isRefusal(err error) bool {
	for _, refusal := range []error{
		kerr.IllegalGeneration, kerr.UnknownMemberID, kerr.RebalanceInProgress, kerr.StaleMemberEpoch, kerr.FencedMemberEpoch,
	} {
		if errors.Is(err, refusal) {
			return true
		}
	}
	return false
}

func (m *churnMember) membership() string {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	id, epoch := m.cl.GroupMetadata()
	if id == "" {
		id = "-"
	}
	return fmt.Sprintf("%s %d %s", id, epoch, numbers(slices.Collect(maps.Keys(m.owned))))
}

func (m *churnMember) assigned(_ context.Context, _ *kgo.Client, given map[string][]int32) {
	m.mutex.Lock()
	m.id, m.epoch = m.cl.GroupMetadata()
	for _, partition := range given[m.topic] {
		m.owned[partition] = true
	}
	m.mutex.Unlock()
	m.say("assigned %s", m.membership())
}

func (m *churnMember) gone(word string) func(context.Context, *kgo.Client, map[string][]int32) {
	return func(_ context.Context, _ *kgo.Client, taken map[string][]int32) {
		m.mutex.Lock()
		for _, partition := range taken[m.topic] {
			delete(m.owned, partition)
			delete(m.uncommitted, partition)
		}
		m.mutex.Unlock()
		m.say("%s %s", word, numbers(taken[m.topic]))
	}
}

func numbers(partitions []int32) string {
	if len(partitions) == 0 {
		return "-"
	}
	words := make([]string, len(partitions))
	for i, partition := range partitions {
		words[i] = strconv.Itoa(int(partition))
	}
	return strings.Join(words, ",")
}
