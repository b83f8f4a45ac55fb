"""Consumers that choose their positions themselves."""

from __future__ import annotations

import time

from .checks import expect
from .model import BEGINNING, END, TP
from .scenario import Scenario, expect_run, expect_silence, filled_topic, read, send_all, values


def seek_positions(scenario: Scenario) -> None:
    tp = filled_topic(scenario, 100)
    consumer = scenario.consumer()
    consumer.assign({tp: BEGINNING})
    expect("begin and end", consumer.offsets(tp), (0, 100))
    consumer.seek(tp, 42)
    expect_run("from 42", read(consumer, 58), 42, 100)
    consumer.seek(tp, BEGINNING)
    expect_run("from the beginning", read(consumer, 100), 0, 100)
    consumer.seek(tp, 10)
    consumer.seek(tp, END)
    consumer.wait_at_end(tp)
    expect_silence(consumer)
    send_all(scenario.producer(), tp.topic, values(100, 101))
    expect_run("the new record", read(consumer, 1), 100, 101)
    expect("begin and end", consumer.offsets(tp), (0, 101))


def seek_to_time(scenario: Scenario) -> None:
    start = int(time.time() * 1000) - 3600 * 1000
    middle = start + 50 * 1000
    for codec in ["none", "gzip"]:
        topic = scenario.topic(codec)
        producer = scenario.producer(codec=codec, linger_ms=50)
        for i, value in enumerate(values(0, 100)):
            producer.send(topic, value, partition=0, timestamp=start + i * 1000)
            # Batches of about seven: record 50 is inside one, and there are others before and after it.
            if i % 7 == 6:
                producer.flush()
        producer.flush()

        tp = TP(topic, 0)
        consumer = scenario.consumer()
        consumer.assign({tp: BEGINNING})
        expect(f"{codec}: at the record's time", consumer.offset_for_time(tp, middle), 50)
        expect(f"{codec}: just before it", consumer.offset_for_time(tp, middle - 1), 50)
        expect(f"{codec}: just after it", consumer.offset_for_time(tp, middle + 1), 51)
        expect(f"{codec}: before the first", consumer.offset_for_time(tp, start - 1), 0)
        expect(f"{codec}: after the last", consumer.offset_for_time(tp, start + 99 * 1000 + 1), None)
        consumer.seek(tp, consumer.offset_for_time(tp, middle))
        expect_run(f"{codec}: after seeking", read(consumer, 50), 50, 100)


def external_offsets(scenario: Scenario) -> None:
    tp = filled_topic(scenario, 100)
    next_offsets: dict[TP, int] = {tp: 0}

    def work(count: int):
        consumer = scenario.consumer()
        consumer.assign({tp: BEGINNING})
        consumer.seek(tp, next_offsets[tp])
        records = read(consumer, count)[:count]
        next_offsets[tp] = records[-1].offset + 1
        consumer.close()
        return records

    expect_run("first consumer", work(37), 0, 37)
    expect_run("second consumer", work(63), 37, 100)
