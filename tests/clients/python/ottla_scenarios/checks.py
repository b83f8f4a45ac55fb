"""Expectations and waiting."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, TypeVar

from .model import KafkaFailure

T = TypeVar("T")


def expect(what: str, actual: Any, expected: Any) -> None:
    if actual != expected:
        raise AssertionError(f"{what}: expected {_short(expected)}, got {_short(actual)}")


def expect_true(what: str, holds: bool) -> None:
    if not holds:
        raise AssertionError(what)


def expect_failure(what: str, names: set[str], action: Callable[[], Any]) -> None:
    """Expects `action` to fail with one of the named errors."""
    try:
        result = action()
    except KafkaFailure as failure:
        if failure.name not in names:
            raise AssertionError(f"{what}: expected {'/'.join(sorted(names))}, got {failure}") from failure
        return
    raise AssertionError(f"{what}: expected {'/'.join(sorted(names))}, got no error but {_short(result)}")


def eventually(what: str, condition: Callable[[], T], within: float = 20.0) -> T:
    """Calls `condition`, which asks the broker or polls a consumer, until it answers something true."""
    deadline = time.monotonic() + within
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {within:g} s: {what}")


def _short(value: Any, limit: int = 300) -> str:
    text = repr(value)
    return text if len(text) <= limit else f"{text[:limit]}... ({len(text)} characters)"
