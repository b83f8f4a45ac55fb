from __future__ import annotations

from concurrent.futures import Future

from kafka import KafkaProducer

from ottla_scenarios.model import ProducerOptions, Sent, Unsupported

from .common import CALL_SECONDS, failure, failures, settings


class Producer:
    def __init__(self, bootstrap: str, options: ProducerOptions):
        with failures():
            self._producer = KafkaProducer(
                **settings(bootstrap),
                compression_type=None if options.codec == "none" else options.codec,
                linger_ms=options.linger_ms,
                batch_size=options.batch_bytes,
                enable_idempotence=options.idempotent,
                max_in_flight_requests_per_connection=1 if options.one_in_flight else 5,
                acks="all",
            )

    def send(self, topic, value, key=None, partition=None, headers=(), timestamp=None) -> Future[Sent]:
        sent: Future[Sent] = Future()
        if topic.startswith("__"):
            raise Unsupported("kafka-python's producer finds no partition of an internal topic, so it sends nothing")
        with failures():
            answer = self._producer.send(topic, value, key, list(headers), partition, timestamp)
        answer.add_callback(lambda metadata: sent.set_result(Sent(metadata.partition, metadata.offset)))
        answer.add_errback(lambda error: sent.set_exception(failure(error)))
        return sent

    def flush(self) -> None:
        with failures():
            self._producer.flush(timeout=2 * CALL_SECONDS)

    def close(self) -> None:
        self._producer.close(timeout=CALL_SECONDS)
