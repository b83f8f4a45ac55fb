"""With latest, the first records of a new partition are missed."""

import sys
import uuid

from confluent_kafka import Consumer, KafkaError, Producer
from confluent_kafka.admin import AdminClient, NewPartitions

BOOTSTRAP = sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1:9092"
TOPIC = f"added-partition-{uuid.uuid4().hex[:8]}"


def check(holds, claim):
    if not holds:
        sys.exit(f"This does not hold: {claim}")
    print(claim)


def first_in_new_partition(policy):
    """Lets a group read partition 0, adds partition 1 with one record, and gives what the group finds there first."""
    topic = f"{TOPIC}-{policy}"
    producer.produce(topic, "a", partition=0)
    producer.flush()
    reader = Consumer({
        "bootstrap.servers": BOOTSTRAP,
        "group.id": topic,
        "enable.auto.commit": False,
        "enable.partition.eof": True,
        "auto.offset.reset": policy,
        "topic.metadata.refresh.interval.ms": 500,
    })
    # The partitions are given to the program, in a poll, and not before.
    reader.subscribe([topic], on_assign=lambda reader, partitions: reader.assign(partitions))
    while reader.poll(30).offset() != 1:
        pass  # Until the end of partition 0.

    admin.create_partitions([NewPartitions(topic, 2)])[topic].result()
    writer = Producer({"bootstrap.servers": BOOTSTRAP})
    writer.produce(topic, "b", partition=1)
    writer.flush()
    while (found := reader.poll(30)).partition() != 1:
        pass
    reader.close()
    return found


producer = Producer({"bootstrap.servers": BOOTSTRAP})
admin = AdminClient({"bootstrap.servers": BOOTSTRAP})

found = first_in_new_partition("latest")
at_end = found.error() is not None and found.error().code() == KafkaError._PARTITION_EOF and found.offset() == 1
check(at_end, "latest: the group begins the new partition at its end. The record that came first is lost.")
check(
    first_in_new_partition("earliest").value() == b"b",
    "earliest: the group reads the new partition from its first record.",
)
