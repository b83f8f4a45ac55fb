package main

import (
	"crypto/sha256"
	"sync"
	"sync/atomic"
	"time"

	"github.com/IBM/sarama"

	"ottla/harness"
)

func denseOffsets(t *harness.T) {
	topic := createTopic(t, "t", 1, nil)
	sendFrom := func(from int, sizes ...int) {
		producer := newProducer(t, newConfig())
		for _, size := range sizes {
			offsets := send(t, producer, numbered(topic, 0, from, from+size)...)
			harness.Equal(t, "acknowledged offsets", offsets, harness.Sequence(int64(from), int64(from+size)))
			from += size
		}
	}
	sendFrom(0, 1, 2, 7, 40, 50, 100, 300)
	t.RestartBroker()
	sendFrom(500, 1, 99)
	t.KillBroker()
	sendFrom(600, 99, 1)
	expectNumbered(t, receive(t, assign(t, topic, 0, sarama.OffsetOldest), 700), 0, 700)
	expectEnd(t, topic, 700)
}

func idempotentProducer(t *harness.T) {
	const count, killAfter = 2000, 500
	topic := createTopic(t, "t", 1, nil)
	config := newConfig()
	config.Producer.Idempotent = true
	config.Net.MaxOpenRequests = 1 // sarama demands it of an idempotent producer
	producer, err := sarama.NewAsyncProducer([]string{t.Bootstrap}, config)
	t.Must(err, "new producer")

	var acknowledged atomic.Int64
	failures := make(chan error, 1)
	var running sync.WaitGroup
	running.Go(func() {
		for range producer.Successes() {
			acknowledged.Add(1)
		}
	})
	running.Go(func() {
		for err := range producer.Errors() {
			select {
			case failures <- err:
			default:
			}
		}
	})
	running.Go(func() {
		defer producer.AsyncClose()
		// The pace spreads the records over more time than the broker takes to die.
		pace := time.NewTicker(time.Millisecond)
		defer pace.Stop()
		for _, message := range numbered(topic, 0, 0, count) {
			<-pace.C
			producer.Input() <- message
		}
	})
	t.Until(readLimit, "first acknowledgements", func() bool { return acknowledged.Load() >= killAfter })
	t.KillBroker()
	running.Wait()
	select {
	case err := <-failures:
		t.Must(err, "a send")
	default:
	}
	harness.Equal(t, "acknowledged records", acknowledged.Load(), count)
	expectNumbered(t, receive(t, assign(t, topic, 0, sarama.OffsetOldest), count), 0, count)
	expectEnd(t, topic, count)
}

func largeBatches(t *harness.T) {
	const count, size, partitions = 2000, 10_000, 4
	topic := createTopic(t, "t", partitions, nil)
	messages := make([]*sarama.ProducerMessage, count)
	var sent [count][sha256.Size]byte
	for i := range messages {
		data := harness.Bytes(size, uint64(i))
		sent[i] = sha256.Sum256(data)
		messages[i] = &sarama.ProducerMessage{
			Topic: topic, Partition: int32(i % partitions), Value: sarama.ByteEncoder(data),
		}
	}
	config := newConfig()
	config.Producer.Compression = sarama.CompressionLZ4
	config.Producer.Flush.Bytes = 900_000
	config.Producer.Flush.Frequency = 100 * time.Millisecond
	send(t, newProducer(t, config), messages...)

	for partition := range int32(partitions) {
		for i, message := range receive(t, assign(t, topic, partition, sarama.OffsetOldest), count/partitions) {
			harness.Equal(t, "offset", message.Offset, int64(i))
			harness.Equal(t, "checksum", sha256.Sum256(message.Value), sent[i*partitions+int(partition)])
		}
	}
}

func autoCreate(t *harness.T) {
	topic := t.Name("t")
	offsets := send(t, newProducer(t, newConfig()), numbered(topic, 0, 0, 1)...)
	harness.Equal(t, "offsets", offsets, []int64{0})
	partitions, err := connect(t, newConfig()).Partitions(topic)
	t.Must(err, "partitions")
	harness.Equal(t, "partitions", partitions, []int32{0})
	expectNumbered(t, receive(t, assign(t, topic, 0, sarama.OffsetOldest), 1), 0, 1)
}
