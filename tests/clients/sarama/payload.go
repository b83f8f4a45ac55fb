package main

import (
	"time"

	"github.com/IBM/sarama"

	"ottla/harness"
)

func payloadVariety(t *harness.T) {
	codecs := []sarama.CompressionCodec{
		sarama.CompressionNone, sarama.CompressionGZIP, sarama.CompressionSnappy,
		sarama.CompressionLZ4, sarama.CompressionZSTD,
	}
	for _, codec := range codecs {
		topic := createTopic(t, codec.String(), 1, nil)
		sent := harness.PayloadVariety()
		var messages []*sarama.ProducerMessage
		for _, r := range sent {
			messages = append(messages, toSarama(topic, r))
		}
		config := newConfig()
		config.Producer.Compression = codec
		send(t, newProducer(t, config), messages...)
		expectEnd(t, topic, int64(len(sent)))

		for i, got := range receive(t, assign(t, topic, 0, sarama.OffsetOldest), len(sent)) {
			harness.Equal(t, codec.String()+" offset", got.Offset, int64(i))
			if record := fromSarama(got); !record.Equal(sent[i]) {
				t.Fatalf("%v: got %v, want %v", codec, record, sent[i])
			}
		}
	}
}

// timestamps cannot check the timestamp type, which sarama does not show.
func timestamps(t *harness.T) {
	explicit := time.UnixMilli(1_600_000_000_123)
	producer := newProducer(t, newConfig())
	readBack := func(topic string) time.Time {
		message := numbered(topic, 0, 0, 1)[0]
		message.Timestamp = explicit
		send(t, producer, message)
		return receive(t, assign(t, topic, 0, sarama.OffsetOldest), 1)[0].Timestamp
	}
	got := readBack(createTopic(t, "create", 1, nil))
	harness.Equal(t, "CreateTime timestamp", got.UnixMilli(), explicit.UnixMilli())

	logAppendTime := "LogAppendTime"
	topic := createTopic(t, "append", 1, map[string]*string{"message.timestamp.type": &logAppendTime})
	before := time.Now().Add(-time.Second)
	got = readBack(topic)
	after := time.Now().Add(time.Second)
	if got.Before(before) || got.After(after) {
		t.Fatalf("LogAppendTime timestamp %v is not in %v … %v", got, before, after)
	}
}

func toSarama(topic string, r harness.Record) *sarama.ProducerMessage {
	message := &sarama.ProducerMessage{Topic: topic, Timestamp: time.UnixMilli(r.Timestamp)}
	// A nil ByteEncoder in the interface would be an empty key and not a null one.
	if r.Key != nil {
		message.Key = sarama.ByteEncoder(r.Key)
	}
	if r.Value != nil {
		message.Value = sarama.ByteEncoder(r.Value)
	}
	for _, h := range r.Headers {
		message.Headers = append(message.Headers, sarama.RecordHeader{Key: []byte(h.Key), Value: h.Value})
	}
	return message
}

func fromSarama(message *sarama.ConsumerMessage) harness.Record {
	record := harness.Record{Key: message.Key, Value: message.Value, Timestamp: message.Timestamp.UnixMilli()}
	for _, h := range message.Headers {
		record.Headers = append(record.Headers, harness.Header{Key: string(h.Key), Value: h.Value})
	}
	return record
}
