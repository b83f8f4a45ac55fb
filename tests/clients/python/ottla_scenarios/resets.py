"""Where a consumer starts when the group's commits do not say so."""

from __future__ import annotations

import time

from .checks import expect_failure
from .model import Commit
from .scenario import Scenario, commit_from_outside, expect_run, expect_silence, filled_topic, read, send_all, values


def reset_earliest(scenario: Scenario) -> None:
    tp = filled_topic(scenario, 10)
    consumer = scenario.consumer(group=scenario.name("group"), reset="earliest")
    consumer.subscribe([tp.topic])
    expect_run("all", read(consumer, 10), 0, 10)


def reset_latest(scenario: Scenario) -> None:
    tp = filled_topic(scenario, 10)
    consumer = scenario.consumer(group=scenario.name("group"), reset="latest")
    consumer.subscribe([tp.topic])
    consumer.wait_at_end(tp)
    expect_silence(consumer)
    send_all(scenario.producer(), tp.topic, values(10, 15))
    expect_run("only the new ones", read(consumer, 5), 10, 15)


def reset_none(scenario: Scenario) -> None:
    tp = filled_topic(scenario, 10)
    consumer = scenario.consumer(group=scenario.name("group"), reset="none")
    consumer.subscribe([tp.topic])
    expect_failure("poll without a commit", {scenario.client.no_offset_error}, lambda: read(consumer, 1))


def reset_by_duration(scenario: Scenario) -> None:
    consumer = scenario.consumer(group=scenario.name("group"), reset="by_duration:PT1H")
    topic = scenario.topic()
    producer = scenario.producer()
    now = int(time.time() * 1000)
    two_hours_ago = now - 2 * 3600 * 1000
    for i, value in enumerate(values(0, 10)):
        producer.send(topic, value, partition=0, timestamp=two_hours_ago if i < 6 else now)
    producer.flush()
    consumer.subscribe([topic])
    expect_run("the new ones", read(consumer, 4), 6, 10)


def reset_out_of_range(scenario: Scenario) -> None:
    tp = filled_topic(scenario, 10)
    producer = scenario.producer()

    def consumer_beyond_the_end(reset: str):
        group = scenario.name(reset)
        commit_from_outside(scenario, group, tp, Commit(1000))
        consumer = scenario.consumer(group=group, reset=reset)
        consumer.subscribe([tp.topic])
        return consumer

    expect_run("earliest", read(consumer_beyond_the_end("earliest"), 10), 0, 10)

    consumer = consumer_beyond_the_end("latest")
    consumer.wait_at_end(tp)
    expect_silence(consumer)
    send_all(producer, tp.topic, values(10, 13))
    expect_run("latest", read(consumer, 3), 10, 13)

    consumer = consumer_beyond_the_end("none")
    expect_failure("none", {scenario.client.out_of_range_error}, lambda: read(consumer, 1))
