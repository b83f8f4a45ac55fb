"""Commits, and going on from them."""

from __future__ import annotations

from .checks import eventually, expect, expect_failure
from .model import COMMITTED, TP, Commit
from .scenario import Scenario, expect_run, filled_topic, read, send_all, values


def resume_after_stop(scenario: Scenario, protocol: str = "classic") -> None:
    tp = filled_topic(scenario, 100)
    group = scenario.name("group")

    def read_on(start: int, stop: int) -> None:
        consumer = scenario.consumer(group=group, protocol=protocol)
        consumer.subscribe([tp.topic])
        # Whatever was fetched beyond `stop` is not committed, so the next consumer must get it again.
        expect_run(f"from {start}", read(consumer, stop - start)[: stop - start], start, stop)
        consumer.commit({tp: Commit(stop)})
        consumer.close()

    read_on(0, 30)
    read_on(30, 60)
    scenario.ask_broker("restart")
    read_on(60, 80)
    scenario.ask_broker("kill")
    read_on(80, 100)


def auto_commit(scenario: Scenario) -> None:
    tp = filled_topic(scenario, 50)
    group = scenario.name("group")
    consumer = scenario.consumer(group=group, auto_commit_ms=200)
    consumer.subscribe([tp.topic])
    expect_run("first member", read(consumer, 50), 0, 50)
    consumer.close()
    expect("committed at close", scenario.consumer(group=group).committed(tp), Commit(50))

    send_all(scenario.producer(), tp.topic, values(50, 60))
    consumer = scenario.consumer(group=group, auto_commit_ms=200)
    consumer.subscribe([tp.topic])
    expect_run("second member", read(consumer, 10), 50, 60)
    # This time the interval commits, not the closing.
    observer = scenario.consumer(group=group)
    eventually("the interval commits 60", lambda: consumer.poll(0.05) == [] and observer.committed(tp) == Commit(60))


def manual_commit_sync(scenario: Scenario) -> None:
    topic = scenario.topic(partitions=3)
    group = scenario.name("group")
    first, second, none = (TP(topic, partition) for partition in range(3))
    consumer = scenario.consumer(group=group)
    consumer.assign({first: COMMITTED, second: COMMITTED, none: COMMITTED})
    observer = scenario.consumer(group=group)

    consumer.commit({first: Commit(5, "five"), second: Commit(10, "zehn-十")})
    expect("first partition", observer.committed(first), Commit(5, "five"))
    expect("second partition", observer.committed(second), Commit(10, "zehn-十"))
    expect("partition without a commit", observer.committed(none), None)

    consumer.commit({first: Commit(3, "backward")})
    expect("after going backward", observer.committed(first), Commit(3, "backward"))
    expect("the other is untouched", observer.committed(second), Commit(10, "zehn-十"))


def manual_commit_async(scenario: Scenario) -> None:
    tp = filled_topic(scenario, 10)
    group = scenario.name("group")
    consumer = scenario.consumer(group=group)
    consumer.subscribe([tp.topic])
    read(consumer, 10)
    done = consumer.commit_async({tp: Commit(7, "asynchronous")})
    eventually("the callback of the commit", lambda: consumer.poll(0.05) == [] and done.done())
    expect("the callback's error", done.exception(), None)
    expect("committed", scenario.consumer(group=group).committed(tp), Commit(7, "asynchronous"))


def stale_commit_refused(scenario: Scenario) -> None:
    """A consumer that never joined commits for a group with a live member."""
    tp = filled_topic(scenario, 10)
    group = scenario.name("group")
    member = scenario.consumer(group=group)
    member.subscribe([tp.topic])
    read(member, 10)
    member.commit({tp: Commit(3)})

    outsider = scenario.consumer(group=group)
    outsider.assign({tp: COMMITTED})
    refused = scenario.client.refused_commit_errors
    expect_failure("commit of an outsider", refused, lambda: outsider.commit({tp: Commit(7)}))
    expect("committed after it", outsider.committed(tp), Commit(3))

    # The member itself may go on, so the refusal was not the end of the group.
    member.commit({tp: Commit(4)})
    expect("committed by the member", outsider.committed(tp), Commit(4))
