"""librdkafka, through confluent-kafka, behind the interface of the scenarios."""

from __future__ import annotations

from ottla_scenarios.model import ConsumerOptions, ProducerOptions

from .admin import Admin
from .common import NO_OFFSET, OUT_OF_RANGE
from .consumer import Consumer
from .producer import Producer


class LibrdkafkaClient:
    no_offset_error = NO_OFFSET
    out_of_range_error = OUT_OF_RANGE
    fenced_error = "FENCED_INSTANCE_ID"
    refused_commit_errors = {"ILLEGAL_GENERATION", "UNKNOWN_MEMBER_ID", "REBALANCE_IN_PROGRESS"}
    fenced_producer_errors = {"_FENCED", "INVALID_PRODUCER_EPOCH", "PRODUCER_FENCED"}
    late_producer_errors = {"_FENCED", "INVALID_PRODUCER_EPOCH", "PRODUCER_FENCED"}
    refused_offsets_errors = {"UNKNOWN_MEMBER_ID"}
    # confluent-kafka counts the end of the C string in.
    metadata_suffix = "\0"
    sends_null_headers = True

    def __init__(self, bootstrap: str):
        self._bootstrap = bootstrap

    def codecs(self) -> list[str]:
        return ["gzip", "snappy", "lz4", "zstd"]

    def producer(self, options: ProducerOptions) -> Producer:
        return Producer(self._bootstrap, options)

    def consumer(self, options: ConsumerOptions) -> Consumer:
        return Consumer(self._bootstrap, options)

    def admin(self) -> Admin:
        return Admin(self._bootstrap)
