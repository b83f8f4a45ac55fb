"""Of a group's commits, compaction keeps the last one of each partition.

For ottla serve -c log.cleaner.backoff.ms=100 -c offsets.topic.segment.bytes=1048576 -c ottla.offsets.history.ms=0
"""

import struct
import sys
import time
import uuid

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

BOOTSTRAP = sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1:9092"
TOPIC = GROUP = f"offsets-compaction-{uuid.uuid4().hex[:8]}"
NOTE = "x" * 4000  # May stand beside an offset; here it fills the segment, of which only full ones are compacted.


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
    reader.commit(offsets=[TopicPartition(TOPIC, 0, offset, NOTE)], asynchronous=False)


admin = AdminClient({"bootstrap.servers": BOOTSTRAP})
admin.create_topics([NewTopic(TOPIC)])[TOPIC].result()
reader = Consumer({"bootstrap.servers": BOOTSTRAP, "group.id": GROUP, "enable.auto.commit": False})

commits, deadline = 0, time.monotonic() + 60
while commits == 0 or (commit_records() == commits and time.monotonic() < deadline):
    for number in range(100):
        commits += 1
        commit(commits)
check(
    commit_records() < commits,
    "There are fewer records of commits than there were commits: old ones were compacted away.",
)
(committed,) = reader.committed([TopicPartition(TOPIC, 0)], timeout=30)
check(committed.offset == commits, "The last commit is there.")
reader.close()
