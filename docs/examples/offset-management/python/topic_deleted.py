"""The offsets of a topic go with the topic."""

import sys
import time
import uuid

from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

BOOTSTRAP = sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1:9092"
TOPIC = GROUP = f"topic-deleted-{uuid.uuid4().hex[:8]}"


def check(holds, claim):
    if not holds:
        sys.exit(f"This does not hold: {claim}")
    print(claim)


def committed():
    (answer,) = reader.committed([TopicPartition(TOPIC, 0)], timeout=30)
    return answer.offset


admin = AdminClient({"bootstrap.servers": BOOTSTRAP})
reader = Consumer({"bootstrap.servers": BOOTSTRAP, "group.id": GROUP, "enable.auto.commit": False})

admin.create_topics([NewTopic(TOPIC)])[TOPIC].result()
reader.commit(offsets=[TopicPartition(TOPIC, 0, 7)], asynchronous=False)
check(committed() == 7, "A group has committed 7.")

admin.delete_topics([TOPIC])[TOPIC].result()
admin.create_topics([NewTopic(TOPIC)])[TOPIC].result()
# Apache Kafka does this a moment later.
deadline = time.monotonic() + 30
while committed() >= 0 and time.monotonic() < deadline:
    pass
check(committed() < 0, "The topic was deleted and made again: the group has no offset in it.")
reader.close()
