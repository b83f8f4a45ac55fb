"""An offset is the number of a record in its partition."""

import sys
import uuid

from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

BOOTSTRAP = sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1:9092"
TOPIC = f"offset-{uuid.uuid4().hex[:8]}"


def check(holds, claim):
    if not holds:
        sys.exit(f"This does not hold: {claim}")
    print(claim)


def next_record(reader):
    record = reader.poll(30)
    if record is None or record.error():
        sys.exit(f"No record came: {record and record.error()}")
    return record


admin = AdminClient({"bootstrap.servers": BOOTSTRAP})
admin.create_topics([NewTopic(TOPIC, num_partitions=2)])[TOPIC].result()

producer = Producer({"bootstrap.servers": BOOTSTRAP})
for partition, value in [(0, "a"), (0, "b"), (0, "c"), (1, "d")]:
    producer.produce(TOPIC, value, partition=partition)
producer.flush()


def offsets(partition, count):
    reader = Consumer({"bootstrap.servers": BOOTSTRAP, "group.id": "unused", "enable.auto.commit": False})
    reader.assign([TopicPartition(TOPIC, partition, 0)])
    return [next_record(reader).offset() for _ in range(count)]


check(offsets(0, 3) == [0, 1, 2], "The records of partition 0 have the offsets 0, 1 and 2.")
check(offsets(1, 1) == [0], "Partition 1 counts for itself: its first record has offset 0.")
check(offsets(0, 3) == [0, 1, 2], "Reading takes nothing away: the next reader gets the same records.")

reader = Consumer({"bootstrap.servers": BOOTSTRAP, "group.id": "unused"})
first, end = reader.get_watermark_offsets(TopicPartition(TOPIC, 0), timeout=30)
check((first, end) == (0, 3), "The end offset is 3, which the next record will get.")
