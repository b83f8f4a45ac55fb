"""A group that has never committed starts at the end each time."""

import sys
import uuid

from confluent_kafka import Consumer, KafkaError, Producer, TopicPartition

BOOTSTRAP = sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1:9092"
TOPIC = GROUP = f"latest-misses-{uuid.uuid4().hex[:8]}"


def check(holds, claim):
    if not holds:
        sys.exit(f"This does not hold: {claim}")
    print(claim)


def produce(*values):
    producer = Producer({"bootstrap.servers": BOOTSTRAP})
    for value in values:
        producer.produce(TOPIC, value)
    producer.flush()


def start_reader():
    reader = Consumer({
        "bootstrap.servers": BOOTSTRAP,
        "group.id": GROUP,
        "enable.auto.commit": False,
        "enable.partition.eof": True,
        "auto.offset.reset": "latest",
    })
    reader.subscribe([TOPIC])
    return reader


def end_seen_by(reader):
    """Where the reader finds the end of the partition, with no record before it."""
    end = reader.poll(30)
    return end.offset() if end.error() and end.error().code() == KafkaError._PARTITION_EOF else None


produce("a")
reader = start_reader()
check(end_seen_by(reader) == 1, "A reader starts at the end, finds nothing new and stops.")
reader.close()

produce("b")
reader = start_reader()
check(end_seen_by(reader) == 2, "b was written meanwhile. The reader starts at the end again: b is lost.")
# Put right: commit where reading begins, before the first record comes.
reader.commit(offsets=[TopicPartition(TOPIC, 0, 2)], asynchronous=False)
reader.close()

produce("c")
reader = start_reader()
check(reader.poll(30).value() == b"c", "With a commit of the place where it began, the next one starts with c.")
reader.close()
