"""The reset policy also applies when the committed record is gone."""

import sys
import uuid

from confluent_kafka import Consumer, KafkaError, Producer, TopicPartition
from confluent_kafka.admin import AdminClient

BOOTSTRAP = sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1:9092"
TOPIC = f"reset-out-of-range-{uuid.uuid4().hex[:8]}"


def check(holds, claim):
    if not holds:
        sys.exit(f"This does not hold: {claim}")
    print(claim)


def produce(*values):
    producer = Producer({"bootstrap.servers": BOOTSTRAP})
    for value in values:
        producer.produce(TOPIC, value)
    producer.flush()


def start_reader(policy):
    reader = Consumer({
        "bootstrap.servers": BOOTSTRAP,
        "group.id": f"{policy}-{TOPIC}",
        "enable.auto.commit": False,
        "enable.partition.eof": True,
        "auto.offset.reset": policy,
    })
    reader.subscribe([TOPIC])
    return reader


def first_of(policy):
    reader = start_reader(policy)
    first = reader.poll(30)
    reader.close()
    return first


produce("a", "b", "c", "d", "e")
for policy in ["earliest", "latest", "error"]:
    reader = start_reader(policy)
    reader.commit(offsets=[TopicPartition(TOPIC, 0, 1)], asynchronous=False)
    reader.close()
# What retention does after days, here at once: the records a, b and c are deleted.
admin = AdminClient({"bootstrap.servers": BOOTSTRAP})
admin.delete_records([TopicPartition(TOPIC, 0, 3)])[TopicPartition(TOPIC, 0)].result()
print("The groups have committed 1. Then the records before offset 3 are deleted.")

check(first_of("earliest").value() == b"d", "earliest: the group goes on with d, the first record that is left.")

first = first_of("latest")
at_end = first.error() is not None and first.error().code() == KafkaError._PARTITION_EOF and first.offset() == 5
check(at_end, "latest: the group goes on at the end. It skips d and e, which were there to be read.")

first = first_of("error")
check(
    first.error().code() == KafkaError._AUTO_OFFSET_RESET,
    "none in Java, error in librdkafka: the reader gets an error and decides itself.",
)
