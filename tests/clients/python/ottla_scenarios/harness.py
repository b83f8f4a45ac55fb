"""The contract of a client program: arguments, result lines, broker requests and the watchdog."""

from __future__ import annotations

import contextlib
import logging
import signal
import sys
import traceback
from collections.abc import Callable

from . import doomed_member
from .catalog import SCENARIOS
from .interface import Client
from .model import Unsupported
from .scenario import Scenario

SCENARIO_SECONDS = 60
# When closing clients hangs as well, the alarm goes off again and breaks into the next of them.
CLOSE_SECONDS = 5


class OutOfTime(BaseException):
    """Not an Exception, so that no library's `except Exception` swallows it."""


def main(client_class: type[Client]) -> None:
    logging.basicConfig(stream=sys.stderr, level=logging.CRITICAL)
    arguments = sys.argv[1:]
    if arguments[:1] == [doomed_member.FLAG]:
        doomed_member.run(client_class, arguments[1:])
        return
    bootstrap, run_id, *names = arguments
    by_name = {scenario.__name__: scenario for scenario in SCENARIOS}
    client = client_class(bootstrap)
    signal.signal(signal.SIGALRM, _raise_out_of_time)
    for name in names or by_name:
        _tell(_result(name, by_name.get(name), client, bootstrap, run_id))
    _tell("END")


def _result(
    name: str, body: Callable[[Scenario], None] | None, client: Client, bootstrap: str, run_id: str
) -> str:
    if body is None:
        return f"FAIL {name} there is no such scenario"
    try:
        signal.setitimer(signal.ITIMER_REAL, SCENARIO_SECONDS, CLOSE_SECONDS)
        with contextlib.ExitStack() as clients:
            body(Scenario(name, client, bootstrap, run_id, clients, _ask_broker))
        return f"PASS {name}"
    except Unsupported as reason:
        return f"UNSUPPORTED {name} {_one_line(reason)}"
    except (Exception, OutOfTime) as error:
        traceback.print_exc()
        return f"FAIL {name} {_one_line(error)}"
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def _ask_broker(action: str) -> None:
    """Asks the harness for `restart` or `kill` and returns when the broker answers again."""
    _tell(f"BROKER {action}")
    answer = sys.stdin.readline().strip()
    if answer != "READY":
        raise RuntimeError(f"the harness answered {answer!r} instead of READY")


def _raise_out_of_time(_signal: int, _frame: object) -> None:
    raise OutOfTime(f"not done within {SCENARIO_SECONDS} s")


def _one_line(error: BaseException) -> str:
    kind = "" if isinstance(error, (AssertionError, Unsupported)) else f"{type(error).__name__}: "
    return " ".join(f"{kind}{error}".split())


def _tell(line: str) -> None:
    print(line, flush=True)
