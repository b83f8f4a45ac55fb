"""How long the broker holds a fetch."""

from __future__ import annotations

import time

from .checks import expect, expect_true
from .model import BEGINNING, TP
from .scenario import Scenario, expect_run, filled_topic, read, send_all, values


def long_poll(scenario: Scenario) -> None:
    woken_by_a_record(scenario)
    waits_for_more_bytes(scenario)


def woken_by_a_record(scenario: Scenario) -> None:
    topic = scenario.topic("woken")
    producer = scenario.producer()
    # The first record makes the producer know the topic, so that the timed one goes out at once.
    send_all(producer, topic, values(0, 1))
    consumer = scenario.consumer(fetch_wait_ms=5_000)
    consumer.assign({TP(topic, 0): BEGINNING})
    read(consumer, 1)
    # Time for the next fetch to reach the broker; some libraries send it only within a poll.
    expect("records before the new one", consumer.poll(0.2), [])

    started = time.monotonic()
    send_all(producer, topic, values(1, 2))
    expect_run("the new record", read(consumer, 1), 1, 2)
    took = time.monotonic() - started
    expect_true(f"the record came within 0.5 s, not {took:.3f} s", took <= 0.5)


def waits_for_more_bytes(scenario: Scenario) -> None:
    # The record is there before the first fetch, so the clock and the broker's wait start together.
    tp = filled_topic(scenario, 1, "small")
    consumer = scenario.consumer(fetch_wait_ms=1_000, fetch_min_bytes=100_000)
    started = time.monotonic()
    consumer.assign({tp: BEGINNING})
    expect_run("the small record", read(consumer, 1), 0, 1)
    took = time.monotonic() - started
    expect_true(f"the record came after 0.7 to 4 s, not {took:.3f} s", 0.7 <= took <= 4.0)
