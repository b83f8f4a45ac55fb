package main

import (
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/harness"
)

// fetchWatch tells when a fetch request has gone out.
type fetchWatch chan struct{}

func (w fetchWatch) OnBrokerWrite(_ kgo.BrokerMetadata, key int16, _ int, _, _ time.Duration, err error) {
	if key == int16(kmsg.Fetch) && err == nil {
		select {
		case w <- struct{}{}:
		default:
		}
	}
}

func longPoll(t *harness.T) {
	topic := createTopic(t, "t", 1, nil)
	producer := connect(t, kgo.ProducerLinger(0))
	// The first record pays for the producer's connection and producer id.
	send(t, producer, numbered(topic, 0, 0, 1)...)

	quick := deliveryTime(t, producer, topic, 1, kgo.FetchMaxWait(5*time.Second))
	if quick > 500*time.Millisecond {
		t.Fatalf("a waiting consumer got the record after %v", quick)
	}
	slow := deliveryTime(t, producer, topic, 2, kgo.FetchMaxWait(time.Second), kgo.FetchMinBytes(100_000))
	if slow < 700*time.Millisecond || slow > 4*time.Second {
		t.Fatalf("with fetch.min.bytes the record came after %v", slow)
	}
	t.Logf("delivered after %v and %v", quick, slow)
}

// deliveryTime produces a record once the consumer's fetch waits at the end of the partition.
func deliveryTime(t *harness.T, producer *kgo.Client, topic string, end int, opts ...kgo.Opt) time.Duration {
	waiting := make(fetchWatch, 1)
	opts = append(opts, kgo.WithHooks(waiting),
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: {0: kgo.NewOffset().At(int64(end))}}))
	consumer := connect(t, opts...)
	select {
	case <-waiting:
	case <-t.Context().Done():
		t.Fatalf("the consumer sent no fetch")
	}
	produced := time.Now()
	send(t, producer, numbered(topic, 0, end, end+1)...)
	expectNumbered(t, receive(t, consumer, 1), end, end+1)
	took := time.Since(produced)
	consumer.Close()
	return took
}
