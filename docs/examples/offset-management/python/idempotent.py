"""A repeated record changes nothing when the result is kept under the record's own name."""

import sys
import uuid

from confluent_kafka import Consumer, Producer

BOOTSTRAP = sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1:9092"
TOPIC = GROUP = f"idempotent-{uuid.uuid4().hex[:8]}"


def check(holds, claim):
    if not holds:
        sys.exit(f"This does not hold: {claim}")
    print(claim)


def produce(*values):
    producer = Producer({"bootstrap.servers": BOOTSTRAP})
    for value in values:
        producer.produce(TOPIC, value)
    producer.flush()


def start_reader():
    reader = Consumer({
        "bootstrap.servers": BOOTSTRAP,
        "group.id": GROUP,
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


produce("payment-1 10", "payment-2 20", "payment-3 30")


def read(reader, count, crash_before_last_commit):
    """Adds to a sum, which counts repeats, and to a map by the payment's name, which does not."""
    global total
    for number in range(count):
        record = next_record(reader)
        payment, amount = record.value().decode().split()
        total += int(amount)
        by_name[payment] = int(amount)
        if not (crash_before_last_commit and number == count - 1):
            reader.commit(message=record, asynchronous=False)
    reader.close()


total, by_name = 0, {}
read(start_reader(), 2, crash_before_last_commit=True)
read(start_reader(), 2, crash_before_last_commit=False)

check(total == 80, "payment-2 came twice. The sum of what came is 80, which is wrong.")
check(sum(by_name.values()) == 60, "The sum of the payments by their names is 60, which is right.")
