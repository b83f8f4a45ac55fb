"""A transaction commits a result together with the offset behind what it was made of."""

import sys
import uuid

from confluent_kafka import OFFSET_BEGINNING, Consumer, ConsumerGroupTopicPartitions, Producer, TopicPartition
from confluent_kafka.admin import AdminClient

BOOTSTRAP = sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1:9092"
TOPIC = GROUP = f"exactly-once-{uuid.uuid4().hex[:8]}"
RESULTS = f"{TOPIC}-results"


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


def start_producer():
    producer = Producer({"bootstrap.servers": BOOTSTRAP, "transactional.id": TOPIC})
    # Ends what a predecessor of that id has left open.
    producer.init_transactions()
    return producer


def next_record(reader):
    record = reader.poll(30)
    if record is None or record.error():
        sys.exit(f"No record came: {record and record.error()}")
    return record


def process(count, crash_before_last_commit):
    """Processes records, each in a transaction of its own."""
    reader, producer, processed = start_reader(), start_producer(), []
    for number in range(count):
        record = next_record(reader)
        processed.append(record.value().decode())
        producer.begin_transaction()
        producer.produce(RESULTS, record.value())
        following = TopicPartition(TOPIC, 0, record.offset() + 1)
        producer.send_offsets_to_transaction([following], reader.consumer_group_metadata())
        producer.flush()
        if not (crash_before_last_commit and number == count - 1):
            producer.commit_transaction()
    reader.close()
    return processed


def results(isolation, count):
    """The first results, as a reader of that isolation level gets them."""
    reader = Consumer({"bootstrap.servers": BOOTSTRAP, "group.id": "none", "isolation.level": isolation})
    reader.assign([TopicPartition(RESULTS, 0, OFFSET_BEGINNING)])
    found = [next_record(reader).value().decode() for _ in range(count)]
    reader.close()
    return found


def committed():
    """The committed offset as an administrator is told it, who does not wait for an open transaction."""
    admin = AdminClient({"bootstrap.servers": BOOTSTRAP})
    request = ConsumerGroupTopicPartitions(GROUP, [TopicPartition(TOPIC, 0)])
    answer = admin.list_consumer_group_offsets([request])[GROUP].result()
    return answer.topic_partitions[0].offset


produce("payment-1", "payment-2", "payment-3")

process(2, crash_before_last_commit=True)
check(results("read_uncommitted", 2) == ["payment-1", "payment-2"] and committed() == 1,
      "A crash before the second commit: the result of payment-2 is written, and 1 is committed.")

processed = process(2, crash_before_last_commit=False)
check(processed == ["payment-2", "payment-3"], "The successor begins with payment-2.")
check(results("read_committed", 3) == ["payment-1", "payment-2", "payment-3"],
      "A reader of committed records gets each result once.")
check(results("read_uncommitted", 4) == ["payment-1", "payment-2", "payment-2", "payment-3"],
      "A reader of all records gets that of payment-2 twice.")
check(committed() == 3, "Committed is 3, by the transactions alone.")
