"""Programs that read, write and commit what they have read, all in one transaction."""

from __future__ import annotations

from .checks import eventually, expect, expect_failure
from .interface import Consumer, Producer
from .model import TP, Commit, Record, Unsupported
from .scenario import Scenario, filled_topic, read, send_all, values
from .transactions import COMMITTED, reader, transactional

INPUT, STEP = 100, 20


def transaction_offsets(scenario: Scenario) -> None:
    Copy(scenario).run()


def transaction_offsets_consumer_protocol(scenario: Scenario) -> None:
    Copy(scenario, protocol="consumer").run()


def transaction_offsets_survive_kill(scenario: Scenario) -> None:
    Copy(scenario, kill=True).run()


def transaction_offsets_refused(scenario: Scenario) -> None:
    refused = scenario.client.refused_offsets_errors
    if refused is None:
        raise Unsupported("its producer names only the group, so the broker has no member to check")
    copy = Copy(scenario)
    member, producer = copy.consumer(), transactional(scenario)
    copy.step(member, producer, 0)
    producer.commit_transaction()
    copy.await_committed(20)

    stale = member.group_metadata()
    member.close()
    producer.begin_transaction()
    expect_failure("offsets of a member that has left", refused, lambda: producer.send_offsets(copy.commit(99), stale))
    producer.abort_transaction()
    expect("committed after the refusal", copy.committed(), Commit(20))

    # The producer goes on, with another member.
    copy.step(copy.consumer(), producer, 20)
    producer.commit_transaction()
    copy.await_committed(40)


class Copy:
    """A copy of a topic in steps, each of which is a transaction."""

    def __init__(self, scenario: Scenario, protocol: str = "classic", kill: bool = False):
        self._scenario = scenario
        self._protocol = protocol
        self._kill = kill
        self._group = scenario.name("group")
        # First, so that a client that lacks the protocol or transactions tells so at once.
        scenario.consumer(group=self._group, protocol=protocol).close()
        self._input = filled_topic(scenario, INPUT, "input")
        self._output = TP(scenario.topic("output"), 0)
        self._read_ahead: dict[Consumer, list[Record]] = {}
        self._observer = scenario.consumer(group=self._group)

    def run(self) -> None:
        consumer, producer = self.consumer(), transactional(self._scenario)
        self.step(consumer, producer, 0)
        expect("committed before the first end", self.committed(), None)
        if self._kill:
            self._scenario.ask_broker("kill")
            expect("committed after the kill", self.committed(), None)
        producer.commit_transaction()
        self.await_committed(20)
        producer = self._after_kill(producer)

        self.step(consumer, producer, 20)
        producer.abort_transaction()
        expect("committed after the abort", self.committed(), Commit(20))
        consumer.close()
        consumer = self.consumer()
        self.step(consumer, producer, 20)
        producer.commit_transaction()
        self.await_committed(40)

        # The program ends in the middle of a transaction; its successor finds neither records nor offsets of it.
        self.step(consumer, producer, 40)
        consumer.close()
        successor = transactional(self._scenario)
        fenced = self._scenario.client.fenced_producer_errors
        expect_failure("commit of the fenced program", fenced, producer.commit_transaction)
        consumer = self.consumer()
        for start in range(40, INPUT, STEP):
            self.step(consumer, successor, start)
            successor.commit_transaction()
            self.await_committed(start + STEP)
        copied = read(reader(self._scenario, COMMITTED, self._output), INPUT)
        expect("output", [record.value for record in copied], values(0, INPUT))

    def _after_kill(self, producer: Producer) -> Producer:
        """The producer for the next transaction.

        That of librdkafka 2.16 can end a transaction after a kill, but hangs when the next one gets offsets: when the
        starting broker's metadata name no broker, it has lost the group's coordinator for good (its issue 5511).
        """
        return transactional(self._scenario) if self._kill else producer

    def step(self, consumer: Consumer, producer: Producer, start: int) -> None:
        """Begins a transaction, copies twenty records within it and gives it the offset behind them."""
        # A poll may bring more than a step.
        read_ahead = self._read_ahead.setdefault(consumer, [])
        read_ahead += read(consumer, STEP - len(read_ahead))
        taken = read_ahead[:STEP]
        del read_ahead[:STEP]
        expect("input", [record.value for record in taken], values(start, start + STEP))
        producer.begin_transaction()
        send_all(producer, self._output.topic, [record.value for record in taken])
        producer.send_offsets(self.commit(start + STEP), consumer.group_metadata())

    def commit(self, offset: int) -> dict[TP, Commit]:
        return {self._input: Commit(offset)}

    def consumer(self) -> Consumer:
        consumer = self._scenario.consumer(group=self._group, protocol=self._protocol, isolation=COMMITTED)
        consumer.subscribe([self._input.topic])
        return consumer

    def committed(self) -> Commit | None:
        return self._observer.committed(self._input)

    def await_committed(self, offset: int) -> None:
        """A commit of a transaction is answered when it is decided; the marker for the offsets comes a moment later."""
        eventually(f"committed offset {offset}", lambda: self.committed() == Commit(offset))
