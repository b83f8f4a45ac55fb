package main

import (
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/harness"
)

// assign makes a consumer of partition 0 that belongs to no group.
func assign(t *harness.T, topic string, start kgo.Offset) *kgo.Client {
	return connect(t, kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: {0: start}}))
}

func seekPositions(t *harness.T) {
	topic := fill(t, "t", 100)
	admin := connectAdmin(t)
	starts, err := admin.ListStartOffsets(t.Context(), topic)
	t.Must(err, "list start offsets")
	harness.Equal(t, "begin offset", starts[topic][0].Offset, 0)
	expectEnd(t, topic, 0, 100)

	consumer := assign(t, topic, kgo.NewOffset().At(10))
	seek := func(offset int64) { consumer.SetOffsets(oneOffset(topic, 0, offset)) }
	expectNumbered(t, receive(t, consumer, 1), 10, 11)
	seek(42)
	expectNumbered(t, receive(t, consumer, 5), 42, 47)
	seek(starts[topic][0].Offset)
	expectNumbered(t, receive(t, consumer, 5), 0, 5)
	seek(100)
	send(t, connect(t), numbered(topic, 0, 100, 101)...)
	expectNumbered(t, receive(t, consumer, 1), 100, 101)
	expectEnd(t, topic, 0, 101)
}

func seekToTime(t *harness.T) {
	const start, step, count, wanted = 1_700_000_000_000, 1000, 100, 50
	for name, codec := range map[string]kgo.CompressionCodec{
		"plain": kgo.NoCompression(), "gzip": kgo.GzipCompression(),
	} {
		topic := createTopic(t, name, 1, nil)
		producer := connect(t, kgo.ProducerBatchCompression(codec), kgo.ManualFlushing())
		records := numbered(topic, 0, 0, count)
		for i, r := range records {
			r.Timestamp = time.UnixMilli(start + int64(i)*step)
			producer.Produce(t.Context(), r, nil)
			// Four batches, so that the wanted record is neither first in its batch nor alone.
			if i%30 == 29 || i == count-1 {
				t.Must(producer.Flush(t.Context()), "flush")
			}
		}
		expectEnd(t, topic, 0, count)

		admin := connectAdmin(t)
		lookUp := func(milli int64) (offset, timestamp int64) {
			found, err := admin.ListOffsetsAfterMilli(t.Context(), milli, topic)
			t.Must(err, "list offsets after")
			return found[topic][0].Offset, found[topic][0].Timestamp
		}
		for _, milli := range []int64{start + wanted*step, start + wanted*step - 1} {
			offset, timestamp := lookUp(milli)
			harness.Equal(t, name+" offset for a time", offset, wanted)
			harness.Equal(t, name+" timestamp found", timestamp, start+wanted*step)
		}
		// For "none" kadm answers the end offset without a timestamp.
		offset, timestamp := lookUp(start + count*step)
		harness.Equal(t, name+" offset after the last", offset, count)
		harness.Equal(t, name+" timestamp after the last", timestamp, -1)

		consumer := assign(t, topic, kgo.NewOffset().AfterMilli(start+wanted*step-1))
		expectNumbered(t, receive(t, consumer, count-wanted), wanted, count)
	}
}

func externalOffsets(t *harness.T) {
	topic := fill(t, "t", 100)
	position := int64(0)
	readSome := func(count int) {
		consumer := assign(t, topic, kgo.NewOffset().At(position))
		defer consumer.Close()
		expectNumbered(t, receive(t, consumer, count), int(position), int(position)+count)
		position += int64(count)
	}
	readSome(37)
	readSome(63)
}
