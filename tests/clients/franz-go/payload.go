package main

import (
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/harness"
)

// How the record attributes tell the timestamp type.
const (
	createTime    = 0
	logAppendTime = 1
)

func payloadVariety(t *harness.T) {
	codecs := []struct {
		name  string
		codec kgo.CompressionCodec
	}{
		{"none", kgo.NoCompression()},
		{"gzip", kgo.GzipCompression()},
		{"snappy", kgo.SnappyCompression()},
		{"lz4", kgo.Lz4Compression()},
		{"zstd", kgo.ZstdCompression()},
	}
	for number, c := range codecs {
		topic := createTopic(t, c.name, 1, nil)
		sent := harness.PayloadVariety()
		var records []*kgo.Record
		for _, r := range sent {
			records = append(records, toKgo(topic, r))
		}
		send(t, connect(t, kgo.ProducerBatchCompression(c.codec)), records...)
		expectEnd(t, topic, 0, int64(len(sent)))

		reader := connect(t, kgo.ConsumeTopics(topic))
		for i, got := range receive(t, reader, len(sent)) {
			harness.Equal(t, c.name+" offset", got.Offset, int64(i))
			harness.Equal(t, c.name+" codec", int(got.Attrs.CompressionType()), number)
			if record := fromKgo(got); !record.Equal(sent[i]) {
				t.Fatalf("%s: got %v, want %v", c.name, record, sent[i])
			}
		}
	}
}

func timestamps(t *harness.T) {
	const explicit = 1_600_000_000_123
	producer := connect(t)
	readBack := func(topic string) *kgo.Record {
		send(t, producer, &kgo.Record{Topic: topic, Value: []byte("v"), Timestamp: time.UnixMilli(explicit)})
		return receive(t, connect(t, kgo.ConsumeTopics(topic)), 1)[0]
	}

	got := readBack(createTopic(t, "create", 1, nil))
	harness.Equal(t, "CreateTime timestamp", got.Timestamp.UnixMilli(), explicit)
	harness.Equal(t, "CreateTime type", got.Attrs.TimestampType(), createTime)

	topic := createTopic(t, "append", 1, map[string]*string{
		"message.timestamp.type": kadm.StringPtr("LogAppendTime"),
	})
	before := time.Now().Add(-time.Second)
	got = readBack(topic)
	after := time.Now().Add(time.Second)
	if got.Timestamp.Before(before) || got.Timestamp.After(after) {
		t.Fatalf("LogAppendTime timestamp %v is not in %v … %v", got.Timestamp, before, after)
	}
	harness.Equal(t, "LogAppendTime type", got.Attrs.TimestampType(), logAppendTime)
}

func toKgo(topic string, r harness.Record) *kgo.Record {
	record := &kgo.Record{Topic: topic, Key: r.Key, Value: r.Value, Timestamp: time.UnixMilli(r.Timestamp)}
	for _, h := range r.Headers {
		record.Headers = append(record.Headers, kgo.RecordHeader{Key: h.Key, Value: h.Value})
	}
	return record
}

func fromKgo(r *kgo.Record) harness.Record {
	record := harness.Record{Key: r.Key, Value: r.Value, Timestamp: r.Timestamp.UnixMilli()}
	for _, h := range r.Headers {
		record.Headers = append(record.Headers, harness.Header{Key: h.Key, Value: h.Value})
	}
	return record
}
