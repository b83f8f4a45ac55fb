"""When a commit returns, the offset is stored. Nothing else was checked."""

import sys
import uuid

from confluent_kafka import Consumer, Producer, TopicPartition

BOOTSTRAP = sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1:9092"
TOPIC = GROUP = f"commit-return-{uuid.uuid4().hex[:8]}"


def check(holds, claim):
    if not holds:
        sys.exit(f"This does not hold: {claim}")
    print(claim)


def produce(*values):
    producer = Producer({"bootstrap.servers": BOOTSTRAP})
    for value in values:
        producer.produce(TOPIC, value)
    producer.flush()


def commit(offset):
    """Commits, and gives what another client is then told."""
    reader.commit(offsets=[TopicPartition(TOPIC, 0, offset)], asynchronous=False)
    (committed,) = watcher.committed([TopicPartition(TOPIC, 0)], timeout=30)
    return committed.offset


produce("a", "b", "c")
reader = Consumer({"bootstrap.servers": BOOTSTRAP, "group.id": GROUP, "enable.auto.commit": False})
watcher = Consumer({"bootstrap.servers": BOOTSTRAP, "group.id": GROUP, "enable.auto.commit": False})

check(commit(2) == 2, "The commit of 2 has returned, and everybody is told 2. Nothing had been read.")
check(commit(0) == 0, "A commit of 0, which goes back, is accepted.")
check(commit(1000) == 1000, "A commit of 1000 is accepted, though the partition ends at 3.")
