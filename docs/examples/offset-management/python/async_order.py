"""Asynchronous commits are stored in their order, so one that is sent again can go back."""

import sys
import time
import uuid

from confluent_kafka import Consumer, Producer, TopicPartition

BOOTSTRAP = sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1:9092"
TOPIC = GROUP = f"async-order-{uuid.uuid4().hex[:8]}"


def check(holds, claim):
    if not holds:
        sys.exit(f"This does not hold: {claim}")
    print(claim)


def produce(*values):
    producer = Producer({"bootstrap.servers": BOOTSTRAP})
    for value in values:
        producer.produce(TOPIC, value)
    producer.flush()


def committed():
    (answer,) = reader.committed([TopicPartition(TOPIC, 0)], timeout=30)
    return answer.offset


def answers_to(*offsets):
    """Commits without waiting in between, then waits for all answers."""
    answers.clear()
    for offset in offsets:
        reader.commit(offsets=[TopicPartition(TOPIC, 0, offset)], asynchronous=True)
    deadline = time.monotonic() + 30
    while len(answers) < len(offsets) and time.monotonic() < deadline:
        reader.poll(0.1)
    return answers


answers = []
reader = Consumer({
    "bootstrap.servers": BOOTSTRAP,
    "group.id": GROUP,
    "enable.auto.commit": False,
    "on_commit": lambda error, partitions: answers.append(error or partitions[0].offset),
})
produce("a", "b", "c")
# An answer from the coordinator, so that the client knows it when it commits.
committed()

check(answers_to(1, 2, 3) == [1, 2, 3], "Commits of 1, 2 and 3 were answered in this order.")
check(committed() == 3, "The last one counts: 3 is committed.")
# A program that takes the answer to 1 for lost, and sends it again:
answers_to(1)
check(committed() == 1, "The commit of 1, sent again, has replaced 3: two records would be repeated.")
reader.close()
