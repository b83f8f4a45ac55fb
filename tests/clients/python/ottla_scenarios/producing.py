"""Acknowledged offsets, restarts of the broker under a producer, and volume."""

from __future__ import annotations

import random
import threading
import zlib
from collections import defaultdict
from concurrent.futures import FIRST_COMPLETED, Future, wait

from .checks import expect, expect_true
from .model import BEGINNING, TP
from .scenario import ACK_SECONDS, Scenario, acknowledged, expect_run, read, send_all, values


def dense_offsets(scenario: Scenario) -> None:
    topic = scenario.topic()
    producer = scenario.producer(one_in_flight=True)
    offsets: list[int] = []
    for size in (1, 2, 7, 40, 150, 300):
        offsets += send_all(producer, topic, values(len(offsets), len(offsets) + size))
    expect("offsets before the restart", offsets, list(range(500)))

    scenario.ask_broker("restart")
    expect("offsets after the restart", send_all(producer, topic, values(500, 600)), list(range(500, 600)))
    scenario.ask_broker("kill")
    expect("offsets after the kill", send_all(producer, topic, values(600, 700)), list(range(600, 700)))

    consumer = scenario.consumer()
    consumer.assign({TP(topic, 0): BEGINNING})
    expect_run("the log", read(consumer, 700), 0, 700)


def auto_create(scenario: Scenario) -> None:
    topic = scenario.name("topic")
    producer = scenario.producer()
    # Without a partition: the client must first learn how many the new topic has.
    sent = producer.send(topic, b"first")
    producer.flush()
    expect("offset", sent.result(timeout=ACK_SECONDS), (0, 0))
    expect("partitions", set(scenario.admin().describe_topic(topic).leaders), {0})
    consumer = scenario.consumer()
    consumer.assign({TP(topic, 0): BEGINNING})
    expect("records", [(record.offset, record.value) for record in read(consumer, 1)], [(0, b"first")])


def idempotent_producer(scenario: Scenario) -> None:
    """The middle third of the records is on its way while the broker is killed."""
    topic = scenario.topic()
    # Small batches make many requests, of which some are surely cut off.
    producer = scenario.producer(idempotent=True, batch_bytes=1_000, linger_ms=0)
    everything = values(0, 2000)
    sent: list[Future] = []

    def feed(stop: int) -> None:
        """Sends up to number `stop`, never more than 100 unacknowledged, so that it takes a while."""
        pending: set[Future] = set()
        for value in everything[len(sent) : stop]:
            sent.append(producer.send(topic, value, partition=0))
            pending.add(sent[-1])
            if len(pending) >= 100:
                pending = wait(pending, return_when=FIRST_COMPLETED).not_done

    feed(500)
    feeder = threading.Thread(target=feed, args=(1500,), daemon=True)
    feeder.start()
    scenario.ask_broker("kill")
    feeder.join()
    feed(2000)
    producer.flush()
    expect("acknowledged offsets", acknowledged(sent), list(range(2000)))

    consumer = scenario.consumer()
    consumer.assign({TP(topic, 0): BEGINNING})
    expect_run("the log", read(consumer, 2000), 0, 2000)
    expect("offsets of the log", consumer.offsets(TP(topic, 0)), (0, 2000))


def large_batches(scenario: Scenario) -> None:
    partitions, count = 4, 2000
    topic = scenario.topic(partitions=partitions)
    codec = "lz4" if "lz4" in scenario.client.codecs() else "none"
    producer = scenario.producer(codec=codec, batch_bytes=800_000, linger_ms=100)
    # Half of a value is noise and half compresses well: batches stay large and the codec has work.
    noise = random.Random(2)
    sums_sent: defaultdict[int, int] = defaultdict(int)
    sent = []
    for i in range(count):
        value = noise.randbytes(5_000) + b"%05d" % i * 1_000
        sums_sent[i % partitions] = zlib.crc32(value, sums_sent[i % partitions])
        sent.append(producer.send(topic, value, partition=i % partitions))
    producer.flush()
    for i, future in enumerate(sent):
        expect(f"record {i} was put at", future.result(timeout=ACK_SECONDS), (i % partitions, i // partitions))

    consumer = scenario.consumer()
    consumer.assign({TP(topic, partition): BEGINNING for partition in range(partitions)})
    sums_read: defaultdict[int, int] = defaultdict(int)
    records = read(consumer, count, within=40)
    for record in records:
        sums_read[record.partition] = zlib.crc32(record.value, sums_read[record.partition])
    expect("number of records", len(records), count)
    expect("checksums of the partitions", sums_read, sums_sent)
    expect_true("every record holds 10 KB", all(len(record.value) == 10_000 for record in records))
