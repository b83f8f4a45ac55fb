"""Compaction leaves gaps: offsets stay, records go.

For ottla serve -c log.cleaner.backoff.ms=100
"""

import sys
import time
import uuid

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

BOOTSTRAP = sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1:9092"
TOPIC = f"compaction-{uuid.uuid4().hex[:8]}"


def check(holds, claim):
    if not holds:
        sys.exit(f"This does not hold: {claim}")
    print(claim)


def offsets_from(offset):
    """The offsets of all records from there to the end."""
    reader = Consumer({"bootstrap.servers": BOOTSTRAP, "group.id": "unused", "enable.partition.eof": True})
    reader.assign([TopicPartition(TOPIC, 0, offset)])
    offsets = []
    while (record := reader.poll(30)).error() is None:
        offsets.append(record.offset())
    if record.error().code() != KafkaError._PARTITION_EOF:
        sys.exit(str(record.error()))
    reader.close()
    return offsets


admin = AdminClient({"bootstrap.servers": BOOTSTRAP})
settings = {"cleanup.policy": "compact", "segment.ms": "100", "min.cleanable.dirty.ratio": "0.01"}
admin.create_topics([NewTopic(TOPIC, 1, config=settings)])[TOPIC].result()
producer = Producer({"bootstrap.servers": BOOTSTRAP, "linger.ms": 0})
for number in range(10):
    producer.produce(TOPIC, key="price", value=str(number))
producer.flush()

# The newest segment is never compacted, so it takes later records to begin a new one.
deadline = time.monotonic() + 60
while 3 in (offsets := offsets_from(OFFSET_BEGINNING)) and time.monotonic() < deadline:
    producer.produce(TOPIC, key="price", value="later")
    producer.flush()

check(
    3 not in offsets and offsets[0] > 3,
    "Ten prices were written, at 0 to 9. Compaction has taken the old ones away.",
)
check(
    offsets_from(3)[0] > 3,
    "A reader that goes on from 3 gets the next record that is left, without an error.",
)
check(
    offsets[-1] + 1 - 3 > len(offsets),
    "The end offset less 3 is more than the number of records that are left to read.",
)
