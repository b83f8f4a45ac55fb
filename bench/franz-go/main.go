// Produces or consumes as fast as franz-go does with its defaults, and prints how fast that was.
//
//	bench produce|consume ADDRESS TOPIC RECORDS RECORD_BYTES
package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func run() error {
	if len(os.Args) != 6 {
		return fmt.Errorf("usage: %s produce|consume ADDRESS TOPIC RECORDS RECORD_BYTES", os.Args[0])
	}
	what, address, topic := os.Args[1], os.Args[2], os.Args[3]
	records, err := strconv.Atoi(os.Args[4])
	if err != nil {
		return err
	}
	size, err := strconv.Atoi(os.Args[5])
	if err != nil {
		return err
	}
	var took time.Duration
	switch what {
	case "produce":
		took, err = produce(address, topic, records, size)
	case "consume":
		records, took, err = consume(address, topic, records)
	default:
		err = fmt.Errorf("there is no %q", what)
	}
	if err != nil {
		return err
	}
	rate := float64(records) / max(took, time.Microsecond).Seconds()
	fmt.Printf("%d records in %.3f s, %.1f records/sec\n", records, took.Seconds(), rate)
	return nil
}

func produce(address, topic string, records, size int) (time.Duration, error) {
	client, err := kgo.NewClient(kgo.SeedBrokers(address), kgo.DefaultProduceTopic(topic))
	if err != nil {
		return 0, err
	}
	defer client.Close()
	value := make([]byte, size)
	if _, err := rand.Read(value); err != nil {
		return 0, err
	}
	var (
		waiting sync.WaitGroup
		failed  atomic.Pointer[error]
		began   = time.Now()
	)
	waiting.Add(records)
	for range records {
		client.Produce(context.Background(), &kgo.Record{Value: value}, func(_ *kgo.Record, err error) {
			if err != nil {
				failed.Store(&err)
			}
			waiting.Done()
		})
	}
	waiting.Wait()
	took := time.Since(began)
	if err := failed.Load(); err != nil {
		return 0, *err
	}
	return took, nil
}

// Time and records count from behind the first fetch on, since the group forms before it.
func consume(address, topic string, records int) (int, time.Duration, error) {
	client, err := kgo.NewClient(
		kgo.SeedBrokers(address),
		kgo.ConsumeTopics(topic),
		kgo.ConsumerGroup("franz-go-"+topic),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
	)
	if err != nil {
		return 0, 0, err
	}
	defer client.Close()
	var (
		began time.Time
		first int
	)
	for got := 0; got < records; {
		fetches := client.PollFetches(context.Background())
		if errs := fetches.Errors(); len(errs) > 0 {
			return 0, 0, errs[0].Err
		}
		got += fetches.NumRecords()
		if began.IsZero() {
			began, first = time.Now(), got
		}
	}
	return records - min(first, records), time.Since(began), nil
}
