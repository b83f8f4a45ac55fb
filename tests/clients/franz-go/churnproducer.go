package main

import (
	"context"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// churnProducer writes the numbers 0, 1, 2 and so on to each partition, with idempotence, so that a record's number is
// its offset.
type churnProducer struct {
	cancel context.CancelFunc
	done   chan struct{}
}

// startChurnProducer begins to write a record to each partition every so many milliseconds.
func startChurnProducer(bootstrap, topic string, partitions, everyMillis int, lines *churnLines) *churnProducer {
	ctx, cancel := context.WithCancel(context.Background())
	p := &churnProducer{cancel: cancel, done: make(chan struct{})}
	cl, err := kgo.NewClient(kgo.SeedBrokers(bootstrap), kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.MetadataMinAge(50*time.Millisecond))
	if err != nil {
		panic(err)
	}
	go func() {
		defer close(p.done)
		defer cl.Close()
		tick := time.NewTicker(time.Duration(everyMillis) * time.Millisecond)
		defer tick.Stop()
		for number := 0; ; number++ {
			select {
			case <-ctx.Done():
				cl.Flush(context.Background())
				lines.say(0, "stopped")
				return
			case <-tick.C:
			}
			for partition := range partitions {
				record := &kgo.Record{Topic: topic, Partition: int32(partition), Value: strconv.AppendInt(nil, int64(number), 10)}
				cl.Produce(context.Background(), record, func(r *kgo.Record, err error) {
					if err != nil {
						lines.say(0, "unsent %d %s %v", r.Partition, r.Value, err)
						return
					}
					lines.say(0, "sent %d %s %d", r.Partition, r.Value, r.Offset)
				})
			}
		}
	}()
	return p
}

// stop waits until everything is acknowledged.
func (p *churnProducer) stop() {
	p.cancel()
	<-p.done
}
