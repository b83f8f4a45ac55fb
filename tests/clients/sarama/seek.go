package main

import (
	"time"

	"github.com/IBM/sarama"

	"ottla/harness"
)

// seekPositions opens the partition anew for every position, which is sarama's way to seek.
func seekPositions(t *harness.T) {
	topic := fill(t, "t", 100)
	harness.Equal(t, "begin offset", lookUp(t, topic, 0, sarama.OffsetOldest), 0)
	expectEnd(t, topic, 100)

	expectNumbered(t, receive(t, assign(t, topic, 0, 42), 5), 42, 47)
	expectNumbered(t, receive(t, assign(t, topic, 0, sarama.OffsetOldest), 5), 0, 5)
	// The end is looked up before this returns, so the next record is the first to be seen.
	end := assign(t, topic, 0, sarama.OffsetNewest)
	send(t, newProducer(t, newConfig()), numbered(topic, 0, 100, 101)...)
	expectNumbered(t, receive(t, end, 1), 100, 101)
	expectEnd(t, topic, 101)
}

func seekToTime(t *harness.T) {
	const start, step, count, wanted = 1_700_000_000_000, 1000, 100, 50
	for _, codec := range []sarama.CompressionCodec{sarama.CompressionNone, sarama.CompressionGZIP} {
		topic := createTopic(t, codec.String(), 1, nil)
		messages := numbered(topic, 0, 0, count)
		for i, message := range messages {
			message.Timestamp = time.UnixMilli(start + int64(i)*step)
		}
		config := newConfig()
		config.Producer.Compression = codec
		// Four batches, so that the wanted record is neither first in its batch nor alone.
		config.Producer.Flush.Messages = 30
		config.Producer.Flush.MaxMessages = 30
		config.Producer.Flush.Frequency = 100 * time.Millisecond
		send(t, newProducer(t, config), messages...)

		harness.Equal(t, "offset for a time", lookUp(t, topic, 0, start+wanted*step), wanted)
		harness.Equal(t, "offset for 1 ms earlier", lookUp(t, topic, 0, start+wanted*step-1), wanted)
		harness.Equal(t, "offset after the last", lookUp(t, topic, 0, start+count*step), -1)
		reader := assign(t, topic, 0, lookUp(t, topic, 0, start+wanted*step-1))
		expectNumbered(t, receive(t, reader, count-wanted), wanted, count)
	}
}

func externalOffsets(t *harness.T) {
	topic := fill(t, "t", 100)
	position := int64(0)
	readSome := func(count int) {
		reader := assign(t, topic, 0, position)
		expectNumbered(t, receive(t, reader, count), int(position), int(position)+count)
		position += int64(count)
		t.Must(reader.Close(), "close")
	}
	readSome(37)
	readSome(63)
}
