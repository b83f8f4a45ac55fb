"""A group goes on where it committed, whatever it has read."""

import sys
import uuid

from confluent_kafka import Consumer, Producer

BOOTSTRAP = sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1:9092"
TOPIC = f"resume-{uuid.uuid4().hex[:8]}"


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


produce("a", "b", "c", "d")

reader = start_reader("billing")
read = [next_record(reader) for _ in range(4)]
reader.commit(message=read[1], asynchronous=False)
reader.close()
check([r.value() for r in read] == [b"a", b"b", b"c", b"d"], "A reader has read a, b, c, d and committed behind b.")

reader = start_reader("billing")
check(
    next_record(reader).value() == b"c",
    "Its successor starts with c: what was committed counts, not what was read.",
)
reader.close()

reader = start_reader("shipping")
check(next_record(reader).value() == b"a", "Another group starts with a: each group has its own offsets.")
reader.close()
