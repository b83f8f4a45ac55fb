"""A stock client for the test of lag: fills a topic, reads a part of it in a group, or counts what is left."""

import sys

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

PATIENCE_SECONDS = 60


def fill(address, topic, count):
    """Makes a compacted topic, if it is not there, and writes records under ten keys to it."""
    config = {"cleanup.policy": "compact", "internal.segment.bytes": "20000", "min.cleanable.dirty.ratio": "0.01"}
    admin = AdminClient({"bootstrap.servers": address})
    made = admin.create_topics([NewTopic(topic, 1, 1, config=config)])[topic]
    try:
        made.result(PATIENCE_SECONDS)
    except KafkaException as error:
        if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
            raise
    producer = Producer({"bootstrap.servers": address, "linger.ms": 1, "compression.type": "lz4", "batch.num.messages": 20})
    for number in range(count):
        # Of a few keys the newest value is far from the end.
        key = f"early-{number}" if number < 10 else f"key-{number % 10}"
        producer.produce(topic, key=key, value=f"value-{number}-{'x' * 50}")
    assert producer.flush(PATIENCE_SECONDS) == 0


def consumer(address, group, **settings):
    return Consumer({"bootstrap.servers": address, "group.id": group, "enable.auto.commit": False, **settings})


def poll(reader):
    message = reader.poll(PATIENCE_SECONDS)
    assert message is not None, f"nothing came within {PATIENCE_SECONDS} seconds"
    return message


def read(address, topic, count, group):
    """Reads so many records as a member of the group, from the beginning, and commits the place behind the last."""
    reader = consumer(address, group, **{"auto.offset.reset": "earliest"})
    reader.subscribe([topic])
    for _ in range(count):
        message = poll(reader)
        assert message.error() is None, message.error()
    committed = reader.commit(message=message, asynchronous=False)
    reader.close()
    print(committed[0].offset)


def left(address, topic, offset):
    """Counts the records from an offset on."""
    reader = consumer(address, "counting", **{"enable.partition.eof": True})
    reader.assign([TopicPartition(topic, 0, offset)])
    count = 0
    while (message := poll(reader)).error() is None:
        count += 1
    assert message.error().code() == KafkaError._PARTITION_EOF, message.error()
    reader.close()
    print(count)


def main():
    what, address, topic, number = sys.argv[1:5]
    if what == "fill":
        fill(address, topic, int(number))
    elif what == "read":
        read(address, topic, int(number), sys.argv[5])
    elif what == "left":
        left(address, topic, int(number))
    else:
        raise SystemExit(f"what is {what}?")


main()
