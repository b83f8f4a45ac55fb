"""aiokafka behind the interface of the scenarios."""

from __future__ import annotations

from aiokafka import codec

from ottla_scenarios.model import ConsumerOptions, ProducerOptions

from .admin import Admin
from .consumer import Consumer
from .producer import Producer


class AiokafkaClient:
    no_offset_error = "NoOffsetForPartitionError"
    out_of_range_error = "OFFSET_OUT_OF_RANGE"
    refused_commit_errors = {"CommitFailedError"}
    # It sends the instance id only when it joins, so a fenced member is told UNKNOWN_MEMBER_ID and joins anew.
    fenced_error = None
    fenced_producer_errors = {"ProducerFenced"}
    late_producer_errors = {"ProducerFenced"}
    refused_offsets_errors = None
    metadata_suffix = ""
    sends_null_headers = True

    def __init__(self, bootstrap: str):
        self._bootstrap = bootstrap

    def codecs(self) -> list[str]:
        present = {
            "gzip": codec.has_gzip(), "snappy": codec.has_snappy(), "lz4": codec.has_lz4(), "zstd": codec.has_zstd(),
        }
        return [name for name, is_present in present.items() if is_present]

    def producer(self, options: ProducerOptions) -> Producer:
        return Producer(self._bootstrap, options)

    def consumer(self, options: ConsumerOptions) -> Consumer:
        return Consumer(self._bootstrap, options)

    def admin(self) -> Admin:
        return Admin(self._bootstrap)
