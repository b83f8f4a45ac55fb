"""A group member in a process of its own, which a scenario can kill."""

from __future__ import annotations

import subprocess
import sys
import threading

from .interface import Client
from .model import TP, Commit, ConsumerOptions
from .checks import eventually
from .scenario import POLL_SECONDS, read

FLAG = "--doomed-member"
SECONDS_TO_LIVE = 60


class DoomedMember:
    """The scenario's side: starts the same program again as a member and listens to it."""

    def __init__(self, bootstrap: str, group: str, topic: str, protocol: str = "classic"):
        self._process = subprocess.Popen(
            [sys.executable, sys.argv[0], FLAG, bootstrap, group, topic, protocol],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._lines: set[str] = set()
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    def said(self, line: str) -> bool:
        return line in self._lines

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()
        self._listener.join()

    def _listen(self) -> None:
        for line in self._process.stdout:
            self._lines.add(line.strip())


def run(client_class: type[Client], arguments: list[str]) -> None:
    """The member's side: takes two partitions, reads ten records of each, commits half of them, and lingers."""
    bootstrap, group, topic, protocol = arguments
    options = ConsumerOptions(group=group, session_timeout_ms=6_000, protocol=protocol)
    consumer = client_class(bootstrap).consumer(options)
    consumer.subscribe([topic])
    eventually("two partitions", lambda: consumer.poll(POLL_SECONDS) == [] and len(consumer.assignment()) == 2)
    print("ASSIGNED", flush=True)
    read(consumer, 20)
    consumer.commit({TP(topic, tp.partition): Commit(5) for tp in consumer.assignment()})
    print("COMMITTED", flush=True)
    eventually("being killed", lambda: consumer.poll(POLL_SECONDS) and False, within=SECONDS_TO_LIVE)
