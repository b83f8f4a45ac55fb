"""What one running scenario has at hand: its names, its clients, the broker, and the steps most scenarios share."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from contextlib import ExitStack

from .checks import eventually, expect
from .interface import Admin, Client, Consumer, Producer
from .model import COMMITTED, TP, Commit, ConsumerOptions, KafkaFailure, ProducerOptions, Record, Sent

# Long enough for a library that joins its group within a poll to get through it; kafka-python begins anew with
# every poll. Records end a poll at once, so nothing waits for nothing.
POLL_SECONDS = 0.5

# A library may run the callback of a delivery just after its flush has returned.
ACK_SECONDS = 5


class Scenario:
    def __init__(
        self,
        name: str,
        client: Client,
        bootstrap: str,
        run_id: str,
        clients: ExitStack,
        ask_broker: Callable[[str], None],
    ):
        self.client = client
        self.bootstrap = bootstrap
        self.ask_broker = ask_broker
        self._prefix = f"{run_id}-{name}"
        self._clients = clients
        self._admin: Admin | None = None

    def name(self, suffix: str) -> str:
        """A topic or group name of this run and scenario alone."""
        return f"{self._prefix}-{suffix}"

    def producer(self, **options) -> Producer:
        return self._closed_at_the_end(self.client.producer(ProducerOptions(**options)))

    def consumer(self, **options) -> Consumer:
        return self._closed_at_the_end(self.client.consumer(ConsumerOptions(**options)))

    def admin(self) -> Admin:
        if self._admin is None:
            self._admin = self._closed_at_the_end(self.client.admin())
        return self._admin

    def on_exit(self, action: Callable[[], object]) -> None:
        self._clients.callback(action)

    def topic(self, suffix: str = "topic", partitions: int = 1, **configs: str) -> str:
        """Creates a topic and waits until the broker serves it; underscores in config names stand for dots."""
        name = self.name(suffix)
        self.admin().create_topic(name, partitions, {key.replace("_", "."): text for key, text in configs.items()})
        self.await_topic(name, partitions)
        return name

    def await_topic(self, name: str, partitions: int) -> None:
        eventually(f"topic {name} has {partitions} partitions", lambda: self._partition_count(name) == partitions)

    def _partition_count(self, name: str) -> int:
        try:
            return len(self.admin().describe_topic(name).leaders)
        except KafkaFailure as failure:
            if failure.name != "UNKNOWN_TOPIC_OR_PARTITION":
                raise
            return 0

    def _closed_at_the_end(self, client):
        self._clients.callback(client.close)
        return client


def values(start: int, stop: int) -> list[bytes]:
    return [b"value-%d" % i for i in range(start, stop)]


def send_all(producer: Producer, topic: str, records: Iterable[bytes], partition: int = 0) -> list[int]:
    """Sends the values and returns the acknowledged offsets."""
    sent = [producer.send(topic, value, partition=partition) for value in records]
    producer.flush()
    return acknowledged(sent)


def acknowledged(sent: Iterable[Future[Sent]]) -> list[int]:
    """The offsets that the broker gave the records."""
    return [future.result(timeout=ACK_SECONDS).offset for future in sent]


def read(consumer: Consumer, count: int, within: float = 20.0) -> list[Record]:
    """Reads until there are at least `count` records; more than that come back as well."""
    records: list[Record] = []

    def enough() -> bool:
        records.extend(consumer.poll(POLL_SECONDS))
        return len(records) >= count

    try:
        eventually(f"{count} records", enough, within)
    except AssertionError as error:
        raise AssertionError(f"{error} (there were {len(records)})") from None
    return records


def expect_silence(consumer: Consumer, seconds: float = 0.3) -> None:
    """Polls for a moment and expects no record. It can only ever miss a late record, never fail falsely."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        expect("records while waiting at the end", consumer.poll(0.05), [])


def expect_run(what: str, records: list[Record], start: int, stop: int) -> None:
    """Expects the records of `values(start, stop)`, written from offset 0 on, at their offsets and in order."""
    expect(f"{what}: offsets", [record.offset for record in records], list(range(start, stop)))
    expect(f"{what}: values", [record.value for record in records], values(start, stop))


def filled_topic(scenario: Scenario, count: int, suffix: str = "topic") -> TP:
    """A topic of one partition that holds `values(0, count)`; returns the partition."""
    topic = scenario.topic(suffix)
    expect("acknowledged offsets", send_all(scenario.producer(), topic, values(0, count)), list(range(count)))
    return TP(topic, 0)


def commit_from_outside(scenario: Scenario, group: str, tp: TP, commit: Commit) -> None:
    """Commits as a consumer that is no member of the group, which is allowed while the group is empty."""
    consumer = scenario.consumer(group=group)
    consumer.assign({tp: COMMITTED})
    consumer.commit({tp: commit})
    consumer.close()
