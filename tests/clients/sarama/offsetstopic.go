package main

import (
	"time"

	"github.com/IBM/sarama"

	"ottla/harness"
)

func readOffsetsTopic(t *harness.T) {
	topic, group := createTopic(t, "t", 1, nil), t.Name("g")
	before := time.Now().UnixMilli()
	commitFor(t, group, topic, 1234, "about the commit")
	after := time.Now().UnixMilli()

	message := findCommit(t, harness.CommitKey{Group: group, Topic: topic, Partition: 0})
	harness.Equal(t, "key version", message.Key[:2], []byte{0, 1})
	value, err := harness.ParseCommitValue(message.Value)
	t.Must(err, "commit value")
	if value.Timestamp < before || value.Timestamp > after {
		t.Fatalf("commit timestamp %d is not in %d … %d", value.Timestamp, before, after)
	}
	harness.Equal(t, "committed offset", value.Offset, 1234)
	harness.Equal(t, "committed metadata", value.Metadata, "about the commit")
}

// findCommit reads all partitions of the offsets topic from their beginning.
func findCommit(t *harness.T, want harness.CommitKey) *sarama.ConsumerMessage {
	consumer, err := sarama.NewConsumerFromClient(connect(t, newConfig()))
	t.Must(err, "new consumer")
	messages := make(chan *sarama.ConsumerMessage)
	for number := range int32(50) {
		reader, err := consumer.ConsumePartition(harness.OffsetsTopic, number, sarama.OffsetOldest)
		t.Must(err, "consume partition")
		t.Defer(reader.AsyncClose)
		go func() {
			for message := range reader.Messages() {
				select {
				case messages <- message:
				case <-t.Context().Done():
				}
			}
		}()
	}
	deadline := time.After(readLimit)
	for {
		select {
		case message := <-messages:
			key, isCommit, err := harness.ParseCommitKey(message.Key)
			t.Must(err, "commit key")
			if isCommit && key == want {
				return message
			}
		case <-deadline:
			t.Fatalf("the commit was not found")
		}
	}
}

func offsetsTopicIsProtected(t *harness.T) {
	// A commit makes sure that the topic is there.
	commitFor(t, t.Name("g"), createTopic(t, "t", 1, nil), 1, "")
	before := lookUp(t, harness.OffsetsTopic, 0, sarama.OffsetNewest)
	_, _, err := newProducer(t, newConfig()).SendMessage(&sarama.ProducerMessage{
		Topic: harness.OffsetsTopic, Key: sarama.StringEncoder("forged"), Value: sarama.StringEncoder("forged"),
	})
	t.MustBe("produce", err, sarama.ErrInvalidTopic)
	// The broker's own records about other groups may come at any time.
	after := lookUp(t, harness.OffsetsTopic, 0, sarama.OffsetNewest)
	for _, message := range receive(t, assign(t, harness.OffsetsTopic, 0, before), int(after-before)) {
		if string(message.Key) == "forged" {
			t.Fatalf("the forged record is at offset %d", message.Offset)
		}
	}
}
