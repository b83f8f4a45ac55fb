"""A failed record is passed over, unless the reader seeks back to it."""

import sys
import uuid

from confluent_kafka import Consumer, Producer, TopicPartition

BOOTSTRAP = sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1:9092"
TOPIC = GROUP = f"failed-record-{uuid.uuid4().hex[:8]}"


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


class Flaky:
    """Processes records; the first attempt at b fails."""

    def __init__(self):
        self.done = []
        self.failures_left = 1

    def process(self, record):
        if record.value() == b"b" and self.failures_left:
            self.failures_left -= 1
            raise RuntimeError("could not process b")
        self.done.append(record.value())


def read_to_c(reader, flaky, on_failure):
    while b"c" not in flaky.done:
        record = next_record(reader)
        try:
            flaky.process(record)
            reader.commit(message=record, asynchronous=False)
        except RuntimeError:
            on_failure(record)


produce("a", "b", "c")

reader, flaky = start_reader(), Flaky()
read_to_c(reader, flaky, on_failure=lambda record: print("b fails. The reader logs that and goes on."))
check(flaky.done == [b"a", b"c"], "The commit behind c covers b too: b is lost.")

reader.seek(TopicPartition(TOPIC, 0, 0))
flaky = Flaky()
read_to_c(reader, flaky, on_failure=lambda record: reader.seek(TopicPartition(TOPIC, 0, record.offset())))
check(
    flaky.done == [b"a", b"b", b"c"],
    "A reader that seeks back to the failed record gets it again: nothing is lost.",
)
reader.close()
