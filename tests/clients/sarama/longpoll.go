package main

import (
	"time"

	"github.com/IBM/sarama"
	"github.com/rcrowley/go-metrics"

	"ottla/harness"
)

func longPoll(t *harness.T) {
	topic := createTopic(t, "t", 1, nil)
	producer := newProducer(t, newConfig())
	// The first record pays for the producer's connection.
	send(t, producer, numbered(topic, 0, 0, 1)...)

	quick := newConfig()
	quick.Consumer.MaxWaitTime = 5 * time.Second
	took := deliveryTime(t, producer, topic, 1, quick)
	if took > 500*time.Millisecond {
		t.Fatalf("a waiting consumer got the record after %v", took)
	}
	slow := newConfig()
	slow.Consumer.MaxWaitTime = time.Second
	slow.Consumer.Fetch.Min = 100_000
	took = deliveryTime(t, producer, topic, 2, slow)
	if took < 700*time.Millisecond || took > 4*time.Second {
		t.Fatalf("with fetch.min.bytes the record came after %v", took)
	}
}

// deliveryTime produces a record once the consumer's fetch waits at the end of the partition.
func deliveryTime(
	t *harness.T, producer sarama.SyncProducer, topic string, end int, config *sarama.Config,
) time.Duration {
	consumer, err := sarama.NewConsumerFromClient(connect(t, config))
	t.Must(err, "new consumer")
	reader, err := consumer.ConsumePartition(topic, 0, int64(end))
	t.Must(err, "consume partition")
	t.Defer(reader.AsyncClose)
	// sarama marks this meter when it writes a fetch request.
	t.Until(readLimit, "a fetch", func() bool {
		meter, ok := config.MetricRegistry.Get("consumer-fetch-rate-for-topic-" + topic).(metrics.Meter)
		return ok && meter.Count() > 0
	})
	produced := time.Now()
	send(t, producer, numbered(topic, 0, end, end+1)...)
	expectNumbered(t, receive(t, reader, 1), end, end+1)
	return time.Since(produced)
}
