"""A librdkafka producer with its default settings, which lives until its standard input ends."""

import sys

from confluent_kafka import Producer

producer = Producer({"bootstrap.servers": sys.argv[1], "client.id": "librdkafka-producer"})
for _ in range(int(sys.argv[2])):
    producer.produce("pushed", b"record")
producer.flush(60)
sys.stdin.read()
