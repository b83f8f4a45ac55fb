"""The event loop that all clients of the program live on, in a thread of its own.

The scenarios are synchronous; the loop goes on with heartbeats and fetches while they do something else.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from contextlib import contextmanager

from aiokafka.errors import BrokerResponseError, KafkaError, for_code

from ottla_scenarios.model import ERROR_NAMES, KafkaFailure

CALL_SECONDS = 40

_loop = asyncio.new_event_loop()
threading.Thread(target=_loop.run_forever, daemon=True).start()


def start(work: Coroutine) -> Future:
    return asyncio.run_coroutine_threadsafe(translated(work), _loop)


def run(work: Coroutine):
    future = start(work)
    try:
        return future.result(timeout=CALL_SECONDS)
    finally:
        # Does nothing to finished work; what ran out of time must not go on beside the next scenario.
        future.cancel()


async def started(client):
    """A client that cannot start is not left behind half open."""
    try:
        await client.start()
        return client
    except BaseException:
        # Only the admin client calls it close.
        await (client.stop() if hasattr(client, "stop") else client.close())
        raise


async def translated(work: Coroutine):
    with failures():
        return await work


@contextmanager
def failures():
    """Turns the library's exceptions into the scenarios' one."""
    try:
        yield
    except KafkaError as error:
        code = error.errno if isinstance(error, BrokerResponseError) else None
        raise KafkaFailure(ERROR_NAMES.get(code, type(error).__name__), error) from error


def raise_for(error_code: int, detail: object = "") -> None:
    """The admin client leaves the error codes of most answers to its caller."""
    if error_code:
        raise KafkaFailure(ERROR_NAMES.get(error_code, for_code(error_code).__name__), detail)
