"""Settings and translations that producer, consumer and admin share."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import contextmanager
from typing import TypeVar

from confluent_kafka import KafkaError, KafkaException

from ottla_scenarios.checks import eventually
from ottla_scenarios.model import ERROR_NAMES, KafkaFailure

CALL_SECONDS = 20

NO_OFFSET = "_AUTO_OFFSET_RESET: no offset stored"
OUT_OF_RANGE = "_AUTO_OFFSET_RESET: offset out of range"

STARTING = {
    KafkaError.COORDINATOR_LOAD_IN_PROGRESS, KafkaError.COORDINATOR_NOT_AVAILABLE, KafkaError.LEADER_NOT_AVAILABLE,
    KafkaError.NOT_COORDINATOR, KafkaError.NOT_LEADER_FOR_PARTITION,
}

Answer = TypeVar("Answer")

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


def patiently(ask: Callable[[], Answer]) -> Answer:
    """Asks again while the broker is still starting, which librdkafka leaves to the caller of these calls."""

    def answer() -> list[Answer]:
        try:
            return [ask()]
        except KafkaException as exception:
            if exception.args[0].code() in STARTING:
                return []
            raise failure(exception.args[0]) from exception

    return eventually("an answer of a broker that has started", answer)[0]


@contextmanager
def failures():
    """Turns the library's exceptions into the scenarios' one."""
    try:
        yield
    except KafkaException as exception:
        raise failure(exception.args[0]) from exception
