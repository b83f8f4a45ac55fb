from __future__ import annotations

from concurrent.futures import Future

from aiokafka import AIOKafkaProducer, TopicPartition

from ottla_scenarios.model import TP, Commit, ProducerOptions, Sent

from . import loop


class Producer:
    """The library never has more than one request for a partition in flight."""

    def __init__(self, bootstrap: str, options: ProducerOptions):
        self._producer = loop.run(_start(bootstrap, options))

    def send(self, topic, value, key=None, partition=None, headers=(), timestamp=None) -> Future[Sent]:
        # Waits until the record is in its batch, which keeps the records in order.
        delivery = loop.run(self._producer.send(topic, value, key, partition, timestamp, list(headers)))
        return loop.start(_sent(delivery))

    def flush(self) -> None:
        loop.run(self._producer.flush())

    def begin_transaction(self) -> None:
        loop.run(self._producer.begin_transaction())

    def commit_transaction(self) -> None:
        loop.run(self._producer.commit_transaction())

    def abort_transaction(self) -> None:
        loop.run(self._producer.abort_transaction())

    def send_offsets(self, commits: dict[TP, Commit], group_metadata: object) -> None:
        offsets = {TopicPartition(*tp): (commit.offset, commit.metadata) for tp, commit in commits.items()}
        loop.run(self._producer.send_offsets_to_transaction(offsets, group_metadata))

    def close(self) -> None:
        loop.run(self._producer.stop())


async def _start(bootstrap: str, options: ProducerOptions) -> AIOKafkaProducer:
    # Within a coroutine, as the library asks for the running loop.
    producer = AIOKafkaProducer(
        bootstrap_servers=bootstrap,
        compression_type=None if options.codec == "none" else options.codec,
        linger_ms=options.linger_ms,
        max_batch_size=options.batch_bytes,
        enable_idempotence=options.idempotent or options.transactional_id is not None,
        transactional_id=options.transactional_id,
        transaction_timeout_ms=options.transaction_timeout_ms,
        acks="all",
    )
    return await loop.started(producer)


async def _sent(delivery) -> Sent:
    metadata = await delivery
    return Sent(metadata.partition, metadata.offset)
