"""Where a group starts that has committed nothing."""

import sys
import uuid

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer

BOOTSTRAP = sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1:9092"
TOPIC = f"reset-policies-{uuid.uuid4().hex[:8]}"


def check(holds, claim):
    if not holds:
        sys.exit(f"This does not hold: {claim}")
    print(claim)


def produce(*values):
    producer = Producer({"bootstrap.servers": BOOTSTRAP})
    for value in values:
        producer.produce(TOPIC, value)
    producer.flush()


def start_reader(**settings):
    reader = Consumer({
        "bootstrap.servers": BOOTSTRAP,
        "group.id": f"{TOPIC}-{uuid.uuid4().hex[:8]}",  # A new group, which has committed nothing.
        "enable.auto.commit": False,
        "enable.partition.eof": True,
        **settings,
    })
    reader.subscribe([TOPIC])
    return reader


def first_of(reader):
    """The first record, or the end of the partition, or another error."""
    first = reader.poll(30)
    reader.close()
    return first


def is_at_end(first):
    return first.error() is not None and first.error().code() == KafkaError._PARTITION_EOF and first.offset() == 2


produce("a", "b")

first = first_of(start_reader(**{"auto.offset.reset": "earliest"}))
check(first.value() == b"a", "earliest: the group starts with the first record, a.")

first = first_of(start_reader(**{"auto.offset.reset": "latest"}))
check(is_at_end(first), "latest: the group starts at the end, behind a and b.")

first = first_of(start_reader())
check(is_at_end(first), "No setting: as latest.")

first = first_of(start_reader(**{"auto.offset.reset": "error"}))
check(
    first.error().code() == KafkaError._AUTO_OFFSET_RESET,
    "none in Java, error in librdkafka: the reader gets an error and decides itself.",
)

try:
    start_reader(**{"auto.offset.reset": ""})
    refused = False
except KafkaException as error:
    refused = error.args[0].code() == KafkaError._INVALID_ARG
check(refused, "An empty setting: the client refuses to start.")
