package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/harness"
)

// readLimit is how long a scenario waits for records that must come.
const readLimit = 20 * time.Second

// connect makes a client that the end of the scenario closes, if the scenario did not.
func connect(t *harness.T, opts ...kgo.Opt) *kgo.Client {
	common := []kgo.Opt{
		kgo.SeedBrokers(t.Bootstrap),
		kgo.RecordPartitioner(kgo.ManualPartitioner()),
		// The default of 2.5 s is the pause between two looks at a topic that was just made.
		kgo.MetadataMinAge(50 * time.Millisecond),
	}
	cl, err := kgo.NewClient(append(common, opts...)...)
	t.Must(err, "new client")
	t.Defer(cl.CloseAllowingRebalance)
	return cl
}

func connectAdmin(t *harness.T) *kadm.Client { return kadm.NewClient(connect(t)) }

func createTopic(t *harness.T, suffix string, partitions int32, configs map[string]*string) string {
	topic, admin := t.Name(suffix), connectAdmin(t)
	_, err := admin.CreateTopic(t.Context(), partitions, 1, configs, topic)
	t.Must(err, "create topic "+topic)
	// A broker may answer before its metadata shows the topic.
	t.Until(readLimit, "the new topic", func() bool { return describeTopic(t, admin, topic).Err == nil })
	return topic
}

// send produces the records and returns their offsets.
func send(t *harness.T, cl *kgo.Client, records ...*kgo.Record) []int64 {
	offsets := make([]int64, 0, len(records))
	for _, result := range cl.ProduceSync(t.Context(), records...) {
		t.Must(result.Err, "produce")
		offsets = append(offsets, result.Record.Offset)
	}
	return offsets
}

// numbered makes records of one partition with the values value-FROM … value-(TO-1).
func numbered(topic string, partition int32, from, to int) []*kgo.Record {
	var records []*kgo.Record
	for i := from; i < to; i++ {
		records = append(records, &kgo.Record{Topic: topic, Partition: partition, Value: value(i)})
	}
	return records
}

func value(i int) []byte { return fmt.Appendf(nil, "value-%d", i) }

// fill makes a topic of one partition with count numbered records.
func fill(t *harness.T, suffix string, count int) string {
	topic := createTopic(t, suffix, 1, nil)
	send(t, connect(t), numbered(topic, 0, 0, count)...)
	return topic
}

// receive reads exactly count records.
func receive(t *harness.T, cl *kgo.Client, count int) []*kgo.Record {
	records, err := receiveUntil(t, cl, count)
	t.Must(err, fmt.Sprintf("read %d records, have %d", count, len(records)))
	return records
}

func receiveUntil(t *harness.T, cl *kgo.Client, count int) (records []*kgo.Record, err error) {
	ctx, cancel := context.WithTimeout(t.Context(), readLimit)
	defer cancel()
	for len(records) < count {
		fetches := cl.PollRecords(ctx, count-len(records))
		if err := fetchError(fetches); err != nil {
			return records, err
		}
		records = append(records, fetches.Records()...)
	}
	return records, nil
}

// fetchError leaves out ErrDataLoss, by which franz-go only tells that it has reset an offset.
func fetchError(fetches kgo.Fetches) error {
	for _, failed := range fetches.Errors() {
		if lost := (*kgo.ErrDataLoss)(nil); !errors.As(failed.Err, &lost) {
			return failed.Err
		}
	}
	return nil
}

// receiveError reads until the client reports an error, which it returns.
func receiveError(t *harness.T, cl *kgo.Client) error {
	ctx, cancel := context.WithTimeout(t.Context(), readLimit)
	defer cancel()
	for {
		fetches := cl.PollFetches(ctx)
		if n := fetches.NumRecords(); n > 0 {
			t.Fatalf("got %d records, expected an error", n)
		}
		if err := fetchError(fetches); err != nil {
			return err
		}
	}
}

// expectNumbered fails unless the records are number from … to-1 of a topic filled from offset 0 on.
func expectNumbered(t *harness.T, records []*kgo.Record, from, to int) {
	harness.Equal(t, "count of records", len(records), to-from)
	for i, r := range records {
		harness.Equal(t, "offset", r.Offset, int64(from+i))
		harness.Equal(t, "value", string(r.Value), string(value(from+i)))
	}
}

func expectEnd(t *harness.T, topic string, partition int32, want int64) {
	ends, err := connectAdmin(t).ListEndOffsets(t.Context(), topic)
	t.Must(err, "list end offsets")
	harness.Equal(t, "end offset", ends[topic][partition].Offset, want)
}
