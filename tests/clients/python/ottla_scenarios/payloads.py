"""What is in a record comes back as it was sent."""

from __future__ import annotations

import random
import sys
import time

from .checks import expect, expect_true
from .model import CREATE_TIME, LOG_APPEND_TIME, TP
from .scenario import Scenario, acknowledged, expect_silence, read

CODECS = ["none", "gzip", "snappy", "lz4", "zstd"]

# Key, value, headers.
PLAIN_PAYLOADS = [
    (b"key", b"value", []),
    (None, b"no key", []),
    (b"tombstone", None, []),
    (b"", b"empty key", []),
    (b"empty value", b"", []),
    (b"large", random.Random(1).randbytes(100_000) + b"squeezable" * 10_000, []),
    ("schlüssel-鍵".encode(), "wert-値".encode(), []),
    (b"headers", b"value", [("a", b"1"), ("b", b""), ("a", b"2")]),
]
NULL_HEADER = (b"null header", b"value", [("a", None), ("b", b"1"), ("a", None)])


def payload_variety(scenario: Scenario) -> None:
    payloads = [*PLAIN_PAYLOADS]
    if scenario.client.sends_null_headers:
        payloads.append(NULL_HEADER)
    else:
        print("payload_variety: this client cannot send a header without a value", file=sys.stderr)
    available = ["none", *scenario.client.codecs()]
    first_timestamp = int(time.time() * 1000) - 60_000
    for codec in CODECS:
        if codec not in available:
            print(f"payload_variety: this client lacks {codec}", file=sys.stderr)
            continue
        topic = scenario.topic(codec)
        # A long linger puts the records into few batches, so that the codec has something to work on.
        producer = scenario.producer(codec=codec, linger_ms=50, batch_bytes=500_000)
        sent = [
            producer.send(topic, value, key, partition=0, headers=headers, timestamp=first_timestamp + i)
            for i, (key, value, headers) in enumerate(payloads)
        ]
        producer.flush()
        expect(f"{codec}: offsets", acknowledged(sent), list(range(len(payloads))))

        consumer = scenario.consumer()
        consumer.assign({TP(topic, 0): 0})
        records = read(consumer, len(payloads))
        expect(f"{codec}: number of records", len(records), len(payloads))
        for i, (record, payload) in enumerate(zip(records, payloads)):
            expect(f"{codec}: record {i}", (record.key, record.value, record.headers), payload)
            expect(f"{codec}: timestamp {i}", record.timestamp, first_timestamp + i)
            expect(f"{codec}: offset {i}", record.offset, i)
        expect(f"{codec}: offsets of the log", consumer.offsets(TP(topic, 0)), (0, len(payloads)))
        expect_silence(consumer, 0.1)
        consumer.close()
        producer.close()


def timestamps(scenario: Scenario) -> None:
    long_ago = 1_000_000_000_123
    producer = scenario.producer()

    def written_with(topic: str):
        producer.send(topic, b"value", partition=0, timestamp=long_ago)
        producer.flush()
        consumer = scenario.consumer()
        consumer.assign({TP(topic, 0): 0})
        return read(consumer, 1)[0]

    # A timestamp from 2001 would be past the default retention.
    record = written_with(scenario.topic("created", retention_ms="-1"))
    expect("timestamp of the creation", record.timestamp, long_ago)
    expect("its type", record.timestamp_type, CREATE_TIME)

    appended = scenario.topic("appended", message_timestamp_type=LOG_APPEND_TIME)
    before = time.time() * 1000
    record = written_with(appended)
    after = time.time() * 1000
    expect_true(
        f"append time {record.timestamp} lies within {before:.0f}..{after:.0f} by a second",
        before - 1000 <= record.timestamp <= after + 1000,
    )
    expect("its type", record.timestamp_type, LOG_APPEND_TIME)
