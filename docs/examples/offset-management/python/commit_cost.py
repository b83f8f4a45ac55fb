"""A commit is a request and a record, so commit once for many records."""

import struct
import sys
import time
import uuid

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, Producer, TopicPartition

BOOTSTRAP = sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1:9092"
TOPIC = GROUP = f"commit-cost-{uuid.uuid4().hex[:8]}"
RECORDS = 1000


def check(holds, claim):
    if not holds:
        sys.exit(f"This does not hold: {claim}")
    print(claim)


def commit_records():
    """How many records of __consumer_offsets are commits of GROUP."""
    reader = Consumer({"bootstrap.servers": BOOTSTRAP, "group.id": "unused", "enable.partition.eof": True})
    partitions = reader.list_topics("__consumer_offsets", timeout=30).topics["__consumer_offsets"].partitions
    reader.assign([TopicPartition("__consumer_offsets", partition, OFFSET_BEGINNING) for partition in partitions])
    count, ends = 0, 0
    while ends < len(partitions):
        record = reader.poll(30)
        if record.error():
            ends += record.error().code() == KafkaError._PARTITION_EOF
        else:
            # The version of the key, 1 for an offset, then the group with its length before it.
            count += record.key().startswith(struct.pack(">hh", 1, len(GROUP)) + GROUP.encode())
    reader.close()
    return count


def commit(offset):
    reader.commit(offsets=[TopicPartition(TOPIC, 0, offset)], asynchronous=False)


producer = Producer({"bootstrap.servers": BOOTSTRAP})
producer.produce(TOPIC, "a")
producer.flush()
reader = Consumer({"bootstrap.servers": BOOTSTRAP, "group.id": GROUP, "enable.auto.commit": False})
commit(0)

started = time.monotonic()
for number in range(RECORDS):
    commit(number + 1)
between = time.monotonic()
check(
    commit_records() == 1 + RECORDS,
    "A commit after each of 1000 records: 1000 round trips, and 1000 records written.",
)

restarted = time.monotonic()
commit(2 * RECORDS)
ended = time.monotonic()
check(commit_records() == 2 + RECORDS, "A commit after 1000 records: one round trip, and one record written.")
print(f"{between - started:.3f} s for the first 1000, {ended - restarted:.4f} s for the second", file=sys.stderr)
reader.close()
