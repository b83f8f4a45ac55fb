"""Two applications with one group share the records."""

import sys
import uuid

from confluent_kafka import Consumer, Producer
from confluent_kafka.admin import AdminClient, NewTopic

BOOTSTRAP = sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1:9092"
TOPIC = GROUP = f"same-group-{uuid.uuid4().hex[:8]}"


def check(holds, claim):
    if not holds:
        sys.exit(f"This does not hold: {claim}")
    print(claim)


def start_reader():
    reader = Consumer({
        "bootstrap.servers": BOOTSTRAP,
        "group.id": GROUP,
        "enable.auto.commit": False,
        "auto.offset.reset": "earliest",
    })
    reader.subscribe([TOPIC])
    return reader


def read_until_end(readers):
    """Polls the readers in turn until the four records have come."""
    got = [[], []]
    while sum(map(len, got)) < 4:
        for reader, values in zip(readers, got):
            record = reader.poll(0.1)
            if record is not None:
                values.append(record.value())
    return got


def wait_for_assignment(readers):
    while [len(reader.assignment()) for reader in readers] != [1, 1]:
        for reader in readers:
            if reader.poll(0.1) is not None:
                sys.exit("A record came before it was written.")


admin = AdminClient({"bootstrap.servers": BOOTSTRAP})
admin.create_topics([NewTopic(TOPIC, num_partitions=2)])[TOPIC].result()
billing, shipping = start_reader(), start_reader()
wait_for_assignment([billing, shipping])

producer = Producer({"bootstrap.servers": BOOTSTRAP})
for partition, value in [(0, "a"), (0, "b"), (1, "c"), (1, "d")]:
    producer.produce(TOPIC, value, partition=partition)
producer.flush()
got = read_until_end([billing, shipping])
check(
    sorted(got) == [[b"a", b"b"], [b"c", b"d"]],
    "One application gets a and b, the other c and d: neither gets all.",
)
billing.close()
shipping.close()
