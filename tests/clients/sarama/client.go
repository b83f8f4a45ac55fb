package main

import (
	"fmt"
	"time"

	"github.com/IBM/sarama"

	"ottla/harness"
)

// readLimit is how long a scenario waits for records that must come.
const readLimit = 20 * time.Second

// newConfig is sarama's default but for the protocol versions, which are the newest, and for its
// retries, which are long and few: here they are short and outlast a broker that is still loading.
func newConfig() *sarama.Config {
	config := sarama.NewConfig()
	config.Version = sarama.MaxVersion
	config.Metadata.Retry.Max = 200
	config.Metadata.Retry.Backoff = 100 * time.Millisecond
	config.Producer.RequiredAcks = sarama.WaitForAll
	config.Producer.Retry.Max = 200
	config.Producer.Return.Successes = true
	config.Producer.Partitioner = sarama.NewManualPartitioner
	config.Consumer.Return.Errors = true
	config.Consumer.Retry.Backoff = 100 * time.Millisecond
	config.Consumer.Offsets.Initial = sarama.OffsetOldest
	config.Consumer.Offsets.AutoCommit.Enable = false
	// Closing a consumer waits for the fetch that is on its way.
	config.Consumer.MaxWaitTime = 100 * time.Millisecond
	config.Consumer.Group.Heartbeat.Interval = 300 * time.Millisecond
	config.Consumer.Group.Rebalance.Retry.Max = 200
	config.Consumer.Group.Rebalance.Retry.Backoff = 100 * time.Millisecond
	return config
}

func connect(t *harness.T, config *sarama.Config) sarama.Client {
	client, err := sarama.NewClient([]string{t.Bootstrap}, config)
	t.Must(err, "new client")
	t.Defer(func() {
		if !client.Closed() {
			client.Close()
		}
	})
	return client
}

func connectAdmin(t *harness.T) sarama.ClusterAdmin {
	admin, err := sarama.NewClusterAdmin([]string{t.Bootstrap}, newConfig())
	t.Must(err, "new admin")
	t.Defer(func() { admin.Close() })
	return admin
}

func createTopic(t *harness.T, suffix string, partitions int32, configs map[string]*string) string {
	topic, admin := t.Name(suffix), connectAdmin(t)
	detail := &sarama.TopicDetail{NumPartitions: partitions, ReplicationFactor: 1, ConfigEntries: configs}
	t.Must(admin.CreateTopic(topic, detail, false), "create topic "+topic)
	// A broker may answer before its metadata shows the topic.
	t.Until(readLimit, "the new topic", func() bool { return describeTopic(t, admin, topic).Err == sarama.ErrNoError })
	return topic
}

func newProducer(t *harness.T, config *sarama.Config) sarama.SyncProducer {
	producer, err := sarama.NewSyncProducer([]string{t.Bootstrap}, config)
	t.Must(err, "new producer")
	t.Defer(func() { producer.Close() })
	return producer
}

// send produces the messages and returns their offsets.
func send(t *harness.T, producer sarama.SyncProducer, messages ...*sarama.ProducerMessage) (offsets []int64) {
	t.Must(producer.SendMessages(messages), "produce")
	for _, message := range messages {
		offsets = append(offsets, message.Offset)
	}
	return offsets
}

// numbered makes messages for one partition with the values value-FROM … value-(TO-1).
func numbered(topic string, partition int32, from, to int) (messages []*sarama.ProducerMessage) {
	for i := from; i < to; i++ {
		messages = append(messages, &sarama.ProducerMessage{
			Topic: topic, Partition: partition, Value: sarama.StringEncoder(value(i)),
		})
	}
	return messages
}

func value(i int) string { return fmt.Sprintf("value-%d", i) }

// fill makes a topic of one partition with count numbered records.
func fill(t *harness.T, suffix string, count int) string {
	topic := createTopic(t, suffix, 1, nil)
	send(t, newProducer(t, newConfig()), numbered(topic, 0, 0, count)...)
	return topic
}

// assign makes a consumer of one partition that belongs to no group.
func assign(t *harness.T, topic string, partition int32, offset int64) sarama.PartitionConsumer {
	consumer, err := sarama.NewConsumerFromClient(connect(t, newConfig()))
	t.Must(err, "new consumer")
	reader, err := consumer.ConsumePartition(topic, partition, offset)
	t.Must(err, "consume partition")
	t.Defer(reader.AsyncClose)
	return reader
}

// receive reads exactly count records.
func receive(t *harness.T, reader sarama.PartitionConsumer, count int) (messages []*sarama.ConsumerMessage) {
	deadline := time.After(readLimit)
	for len(messages) < count {
		select {
		case message := <-reader.Messages():
			messages = append(messages, message)
		case err := <-reader.Errors():
			t.Must(err, "consume")
		case <-deadline:
			t.Fatalf("read %d of %d records", len(messages), count)
		}
	}
	return messages
}

// expectNumbered fails unless the records are number from … to-1 of a topic filled from offset 0 on.
func expectNumbered(t *harness.T, messages []*sarama.ConsumerMessage, from, to int) {
	harness.Equal(t, "count of records", len(messages), to-from)
	for i, message := range messages {
		harness.Equal(t, "offset", message.Offset, int64(from+i))
		harness.Equal(t, "value", string(message.Value), value(from+i))
	}
}

// lookUp asks for the offset of a time, of sarama.OffsetOldest or of sarama.OffsetNewest.
func lookUp(t *harness.T, topic string, partition int32, time int64) int64 {
	offset, err := connect(t, newConfig()).GetOffset(topic, partition, time)
	t.Must(err, "get offset")
	return offset
}

func expectEnd(t *harness.T, topic string, want int64) {
	harness.Equal(t, "end offset", lookUp(t, topic, 0, sarama.OffsetNewest), want)
}
