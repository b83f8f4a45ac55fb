"""A member that was too slow has lost its partitions, and its commit is refused."""

import sys
import uuid

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition

BOOTSTRAP = sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1:9092"
TOPIC = GROUP = f"fenced-{uuid.uuid4().hex[:8]}"


def check(holds, claim):
    if not holds:
        sys.exit(f"This does not hold: {claim}")
    print(claim)


def produce(*values):
    producer = Producer({"bootstrap.servers": BOOTSTRAP})
    for value in values:
        producer.produce(TOPIC, value)
    producer.flush()


def next_record(reader):
    record = reader.poll(30)
    if record is None or record.error():
        sys.exit(f"No record came: {record and record.error()}")
    return record


def start_reader():
    reader = Consumer({
        "bootstrap.servers": BOOTSTRAP,
        "group.id": GROUP,
        "enable.auto.commit": False,
        "auto.offset.reset": "earliest",
        "session.timeout.ms": 6000,
        "max.poll.interval.ms": 6000,
    })
    reader.subscribe([TOPIC])
    return reader


produce("a", "b")

slow = start_reader()
record = next_record(slow)
# The slow member processes a now, for longer than max.poll.interval.ms. Meanwhile another one joins:
other = start_reader()
check(
    next_record(other).value() == record.value() == b"a",
    "The slow member lost its partition: the other one got a, too.",
)

try:
    slow.commit(message=record, asynchronous=False)
    refused = None
except KafkaException as error:
    refused = error.args[0].code()
reasons = (KafkaError.UNKNOWN_MEMBER_ID, KafkaError.ILLEGAL_GENERATION, KafkaError._STATE)
check(refused in reasons, "The commit of the slow member is refused: both have processed a.")

(committed,) = other.committed([TopicPartition(TOPIC, 0)], timeout=30)
check(committed.offset < 0, "Nothing was committed by it.")
other.close()
slow.close()
