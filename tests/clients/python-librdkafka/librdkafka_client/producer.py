from __future__ import annotations

import threading
from concurrent.futures import Future

import confluent_kafka

from ottla_scenarios.checks import eventually
from ottla_scenarios.model import ProducerOptions, Sent

from .common import CALL_SECONDS, failure, failures, settings


class Producer:
    def __init__(self, bootstrap: str, options: ProducerOptions):
        self._producer = confluent_kafka.Producer(
            settings(bootstrap)
            | {
                "linger.ms": options.linger_ms,
                "batch.size": options.batch_bytes,
                "compression.type": options.codec,
                "enable.idempotence": options.idempotent,
                "max.in.flight.requests.per.connection": 1 if options.one_in_flight else 5,
                "acks": "all",
            }
        )
        # Delivery reports come only while someone polls.
        self._closed = threading.Event()
        self._poller = threading.Thread(target=self._poll, daemon=True)
        self._poller.start()

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

    def close(self) -> None:
        if self._closed.is_set():
            return
        self._closed.set()
        self._poller.join()
        # Closing would wait for records of a scenario that gave up on them.
        self._producer.purge()
        self._producer.close()

    def _poll(self) -> None:
        while not self._closed.is_set():
            self._producer.poll(0.05)
