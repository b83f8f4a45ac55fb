"""Settings and translations that producer, consumer and admin share."""

from __future__ import annotations

from contextlib import contextmanager

from confluent_kafka import KafkaError, KafkaException

from ottla_scenarios.model import ERROR_NAMES, KafkaFailure

CALL_SECONDS = 20

NO_OFFSET = "_AUTO_OFFSET_RESET: no offset stored"
OUT_OF_RANGE = "_AUTO_OFFSET_RESET: offset out of range"

# Codes that cover several errors, which librdkafka tells apart only in the text.
CAUSES = {
    KafkaError._AUTO_OFFSET_RESET: {"No offset stored": NO_OFFSET, "Offset out of range": OUT_OF_RANGE},
    KafkaError._FATAL: {"Static consumer fenced": "FENCED_INSTANCE_ID"},
}


def settings(bootstrap: str) -> dict:
    return {
        "bootstrap.servers": bootstrap,
        # The default of ten seconds would make every broker restart of a scenario that long.
        "reconnect.backoff.max.ms": 500,
        # Failures reach the scenarios as errors of calls; librdkafka's own log would only repeat them.
        "log_level": 0,
    }


def failure(error: KafkaError) -> KafkaFailure:
    name = ERROR_NAMES.get(error.code(), error.name())
    for text, cause in CAUSES.get(error.code(), {}).items():
        if text in error.str():
            name = cause
    return KafkaFailure(name, error.str())


@contextmanager
def failures():
    """Turns the library's exceptions into the scenarios' one."""
    try:
        yield
    except KafkaException as exception:
        raise failure(exception.args[0]) from exception
