package main

import (
	"crypto/sha256"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/harness"
)

func denseOffsets(t *harness.T) {
	topic := createTopic(t, "t", 1, nil)
	// A new client for every part, because a batch holds what one call to send is given.
	sendFrom := func(from int, sizes ...int) {
		producer := connect(t)
		for _, size := range sizes {
			offsets := send(t, producer, numbered(topic, 0, from, from+size)...)
			harness.Equal(t, "acknowledged offsets", offsets, harness.Sequence(int64(from), int64(from+size)))
			from += size
		}
		producer.Close()
	}
	sendFrom(0, 1, 2, 7, 40, 50, 100, 300)
	t.RestartBroker()
	sendFrom(500, 1, 99)
	t.KillBroker()
	sendFrom(600, 99, 1)
	expectNumbered(t, receive(t, connect(t, kgo.ConsumeTopics(topic)), 700), 0, 700)
	expectEnd(t, topic, 0, 700)
}

func idempotentProducer(t *harness.T) {
	const count, killAfter = 2000, 500
	topic := createTopic(t, "t", 1, nil)
	// Small batches, so that some are on the way when the broker dies.
	producer := connect(t, kgo.ProducerBatchMaxBytes(1024), kgo.ProducerLinger(0))

	var acknowledged atomic.Int64
	var failure atomic.Pointer[error]
	onAck := func(_ *kgo.Record, err error) {
		if err != nil {
			failure.CompareAndSwap(nil, &err)
		}
		acknowledged.Add(1)
	}
	var sending sync.WaitGroup
	sending.Go(func() {
		// The pace spreads the records over more time than the broker takes to die.
		pace := time.NewTicker(time.Millisecond)
		defer pace.Stop()
		for _, r := range numbered(topic, 0, 0, count) {
			<-pace.C
			producer.Produce(t.Context(), r, onAck)
		}
	})
	t.Until(readLimit, "first acknowledgements", func() bool { return acknowledged.Load() >= killAfter })
	t.KillBroker()
	sending.Wait()
	t.Must(producer.Flush(t.Context()), "flush")
	if err := failure.Load(); err != nil {
		t.Must(*err, "a send")
	}
	harness.Equal(t, "acknowledged records", acknowledged.Load(), count)
	expectNumbered(t, receive(t, connect(t, kgo.ConsumeTopics(topic)), count), 0, count)
	expectEnd(t, topic, 0, count)
}

func largeBatches(t *harness.T) {
	const count, size, partitions = 2000, 10_000, 4
	topic := createTopic(t, "t", partitions, nil)
	records := make([]*kgo.Record, count)
	var sent [count][sha256.Size]byte
	for i := range records {
		data := harness.Bytes(size, uint64(i))
		sent[i] = sha256.Sum256(data)
		records[i] = &kgo.Record{Topic: topic, Partition: int32(i % partitions), Value: data}
	}
	producer := connect(t, kgo.ProducerBatchCompression(kgo.Lz4Compression()), kgo.ProducerLinger(100*time.Millisecond))
	send(t, producer, records...)

	seen := make(map[int]bool)
	for _, r := range receive(t, connect(t, kgo.ConsumeTopics(topic)), count) {
		number := int(r.Offset)*partitions + int(r.Partition)
		harness.Equal(t, "checksum", sha256.Sum256(r.Value), sent[number])
		seen[number] = true
	}
	harness.Equal(t, "different records", len(seen), count)
}

func autoCreate(t *harness.T) {
	topic := t.Name("t")
	offsets := send(t, connect(t, kgo.AllowAutoTopicCreation()), numbered(topic, 0, 0, 1)...)
	harness.Equal(t, "offsets", offsets, []int64{0})
	topics, err := connectAdmin(t).ListTopics(t.Context(), topic)
	t.Must(err, "list topics")
	harness.Equal(t, "partitions", topics[topic].Partitions.Numbers(), []int32{0})
	expectNumbered(t, receive(t, connect(t, kgo.ConsumeTopics(topic)), 1), 0, 1)
}
