"""kafka-python behind the interface of the scenarios."""

from __future__ import annotations

from kafka import codec

from ottla_scenarios.model import ConsumerOptions, ProducerOptions

from .admin import Admin
from .consumer import Consumer
from .producer import Producer


class KafkaPythonClient:
    no_offset_error = "NoOffsetForPartitionError"
    out_of_range_error = "OFFSET_OUT_OF_RANGE"
    fenced_error = "FENCED_INSTANCE_ID"
    refused_commit_errors = {"CommitFailedError"}
    fenced_producer_errors = {"INVALID_PRODUCER_EPOCH", "PRODUCER_FENCED"}
    late_producer_errors = {"INVALID_PRODUCER_EPOCH", "PRODUCER_FENCED"}
    refused_offsets_errors = {"CommitFailedError"}
    metadata_suffix = ""
    # Its producer insists on bytes.
    sends_null_headers = False

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
