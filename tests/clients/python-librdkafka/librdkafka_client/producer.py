from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from functools import partial

import confluent_kafka
from confluent_kafka import KafkaException, TopicPartition

from ottla_scenarios.checks import eventually
from ottla_scenarios.model import TP, Commit, ProducerOptions, Sent

from .common import CALL_SECONDS, failure, failures, settings


class Producer:
    def __init__(self, bootstrap: str, options: ProducerOptions):
        configured = {
            "linger.ms": options.linger_ms,
            "batch.size": options.batch_bytes,
            "compression.type": options.codec,
            "enable.idempotence": options.idempotent,
            "max.in.flight.requests.per.connection": 1 if options.one_in_flight else 5,
            "acks": "all",
        }
        if options.transactional_id is not None:
            configured |= {
                "transactional.id": options.transactional_id,
                "transaction.timeout.ms": options.transaction_timeout_ms,
                "enable.idempotence": True,
            }
        self._producer = confluent_kafka.Producer(settings(bootstrap) | configured)
        # Delivery reports come only while someone polls.
        self._closed = threading.Event()
        self._poller = threading.Thread(target=self._poll, daemon=True)
        self._poller.start()
        if options.transactional_id is not None:
            self._transact(self._producer.init_transactions)

    def send(self, topic, value, key=None, partition=None, headers=(), timestamp=None) -> Future[Sent]:
        sent: Future[Sent] = Future()

        def delivered(error, message):
            if error is not None:
                sent.set_exception(failure(error))
            else:
                sent.set_result(Sent(message.partition(), message.offset()))

        optional = {}
        if partition is not None:
            optional["partition"] = partition
        if timestamp is not None:
            optional["timestamp"] = timestamp
        with failures():
            self._producer.produce(topic, value, key, headers=list(headers), on_delivery=delivered, **optional)
        return sent

    def flush(self) -> None:
        # In short calls, between which the watchdog can break in.
        eventually("all records are delivered", lambda: self._producer.flush(0.5) == 0, within=2 * CALL_SECONDS)

    def begin_transaction(self) -> None:
        with failures():
            self._producer.begin_transaction()

    def commit_transaction(self) -> None:
        self._transact(self._producer.commit_transaction)

    def abort_transaction(self) -> None:
        self._transact(self._producer.abort_transaction)

    def send_offsets(self, commits: dict[TP, Commit], group_metadata: object) -> None:
        offsets = [TopicPartition(*tp, commit.offset, commit.metadata) for tp, commit in commits.items()]
        self._transact(partial(self._producer.send_offsets_to_transaction, offsets, group_metadata))

    def _transact(self, step: Callable[[float], None]) -> None:
        """Calls again after an error that the library calls retriable, as its documentation wants it."""

        def done() -> bool:
            try:
                step(CALL_SECONDS)
                return True
            except KafkaException as exception:
                if exception.args[0].retriable():
                    return False
                raise failure(exception.args[0]) from exception

        eventually("a step of a transaction", done, within=2 * CALL_SECONDS)

    def close(self) -> None:
        if self._closed.is_set():
            return
        self._closed.set()
        self._poller.join()
        # Closing would wait for records of a scenario that gave up on them.
        self._producer.purge()
        # It would abort a transaction that is still open, which a fenced producer can not.
        with suppress(KafkaException):
            self._producer.close()

    def _poll(self) -> None:
        while not self._closed.is_set():
            # A fatal error comes here too; the next call of the scenario is told it as well.
            with suppress(KafkaException):
                self._producer.poll(0.05)
