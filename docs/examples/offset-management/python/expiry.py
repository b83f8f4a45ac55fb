"""Offsets expire a while after the group's last member has left.

For ottla serve -c offsets.retention.minutes=1 -c offsets.retention.check.interval.ms=1000
"""

import sys
import time
import uuid

from confluent_kafka import Consumer, Producer, TopicPartition

BOOTSTRAP = sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1:9092"
TOPIC = f"expiry-{uuid.uuid4().hex[:8]}"


def check(holds, claim):
    if not holds:
        sys.exit(f"This does not hold: {claim}")
    print(claim)


def produce(*values):
    producer = Producer({"bootstrap.servers": BOOTSTRAP})
    for value in values:
        producer.produce(TOPIC, value)
    producer.flush()


def start_reader(group):
    reader = Consumer({
        "bootstrap.servers": BOOTSTRAP,
        "group.id": f"{group}-{TOPIC}",
        "enable.auto.commit": False,
        "auto.offset.reset": "earliest",
    })
    reader.subscribe([TOPIC])
    return reader


def next_record(reader):
    record = reader.poll(30)
    if record is None or record.error():
        sys.exit(f"No record came: {record and record.error()}")
    return record


def committed(group):
    (answer,) = watchers[group].committed([TopicPartition(TOPIC, 0)], timeout=30)
    return answer.offset


produce("a", "b")
watchers = {
    group: Consumer({"bootstrap.servers": BOOTSTRAP, "group.id": f"{group}-{TOPIC}", "enable.auto.commit": False})
    for group in ["left", "stays"]
}
left, stays = start_reader("left"), start_reader("stays")
for reader in [left, stays]:
    reader.commit(message=next_record(reader), asynchronous=False)
left.close()
left_at = time.monotonic()
check(
    (committed("left"), committed("stays")) == (1, 1),
    "Two groups have committed 1. The member of one of them leaves.",
)

while committed("left") >= 0 and time.monotonic() < left_at + 90:
    stays.poll(1)  # The other member goes on, and neither reads nor commits anything new.
    stays.seek(TopicPartition(TOPIC, 0, 2))
seconds = time.monotonic() - left_at
check(committed("left") < 0 and seconds > 55, "After a minute its offset has expired.")
check(committed("stays") == 1, "The offset of the group that has a member is as old, and is still there.")
stays.close()

left = start_reader("left")
check(next_record(left).value() == b"a", "When a member comes back it starts as its reset policy says, here with a.")
left.close()
