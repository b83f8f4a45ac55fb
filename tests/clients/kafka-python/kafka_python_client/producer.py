from __future__ import annotations

from concurrent.futures import Future

from kafka import KafkaProducer, OffsetAndMetadata, TopicPartition

from ottla_scenarios.model import TP, Commit, ProducerOptions, Sent, Unsupported

from .common import CALL_SECONDS, failure, failures, settings


class Producer:
    def __init__(self, bootstrap: str, options: ProducerOptions):
        with failures():
            self._producer = KafkaProducer(
                **settings(bootstrap),
                compression_type=None if options.codec == "none" else options.codec,
                linger_ms=options.linger_ms,
                batch_size=options.batch_bytes,
                enable_idempotence=options.idempotent or options.transactional_id is not None,
                transactional_id=options.transactional_id,
                transaction_timeout_ms=options.transaction_timeout_ms,
                max_in_flight_requests_per_connection=1 if options.one_in_flight else 5,
                acks="all",
            )
            if options.transactional_id is not None:
                self._producer.init_transactions()

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

    def begin_transaction(self) -> None:
        with failures():
            self._producer.begin_transaction()

    def commit_transaction(self) -> None:
        with failures():
            self._producer.commit_transaction()

    def abort_transaction(self) -> None:
        with failures():
            self._producer.abort_transaction()

    def send_offsets(self, commits: dict[TP, Commit], group_metadata: object) -> None:
        offsets = {TopicPartition(*tp): OffsetAndMetadata(commit.offset, commit.metadata) for tp, commit in commits.items()}
        with failures():
            self._producer.send_offsets_to_transaction(offsets, group_metadata)

    def close(self) -> None:
        self._producer.close(timeout=CALL_SECONDS)
