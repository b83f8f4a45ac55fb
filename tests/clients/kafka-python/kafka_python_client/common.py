"""Settings and translations that producer, consumer and admin share."""

from __future__ import annotations

from contextlib import contextmanager

from kafka.errors import BrokerResponseError, KafkaError

from ottla_scenarios.model import ERROR_NAMES, KafkaFailure

CALL_SECONDS = 20
CALL_MS = CALL_SECONDS * 1000


def settings(bootstrap: str) -> dict:
    return {
        "bootstrap_servers": bootstrap,
        # The default of thirty seconds would make every broker restart of a scenario that long.
        "reconnect_backoff_max_ms": 500,
    }


def failure(error: KafkaError) -> KafkaFailure:
    code = error.errno if isinstance(error, BrokerResponseError) else None
    return KafkaFailure(ERROR_NAMES.get(code, type(error).__name__), error)


@contextmanager
def failures():
    """Turns the library's exceptions into the scenarios' one."""
    try:
        yield
    except KafkaError as error:
        raise failure(error) from error
