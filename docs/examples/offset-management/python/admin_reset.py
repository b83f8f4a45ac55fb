"""An administrator can move the offsets of a group that has no members."""

import sys
import uuid

from confluent_kafka import Consumer, ConsumerGroupTopicPartitions, KafkaError, KafkaException
from confluent_kafka import Producer, TopicPartition
from confluent_kafka.admin import AdminClient

BOOTSTRAP = sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1:9092"
TOPIC = GROUP = sys.argv[2] if len(sys.argv) > 2 else f"admin-reset-{uuid.uuid4().hex[:8]}"


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


def reset(offset):
    """Sets the offset as an administrator, and gives the error code of the answer."""
    request = ConsumerGroupTopicPartitions(GROUP, [TopicPartition(TOPIC, 0, offset)])
    try:
        answer = admin.alter_consumer_group_offsets([request])[GROUP].result()
    except KafkaException as error:
        return error.args[0].code()
    error = answer.topic_partitions[0].error
    return error.code() if error else KafkaError.NO_ERROR


admin = AdminClient({"bootstrap.servers": BOOTSTRAP})
produce("a", "b", "c")
reader = start_reader()
for number in range(3):
    record = next_record(reader)
reader.commit(message=record, asynchronous=False)

check(reset(0) == KafkaError.UNKNOWN_MEMBER_ID, "While the group has a member, a reset is refused.")
reader.close()
check(reset(0) == KafkaError.NO_ERROR, "When its last member has left, it is accepted.")

reader = start_reader()
check(next_record(reader).value() == b"a", "The group starts with a again.")
reader.close()
