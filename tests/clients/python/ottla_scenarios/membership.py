"""Groups of several members: assignors, static members and members that die."""

from __future__ import annotations

import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from .checks import eventually, expect, expect_true
from .doomed_member import DoomedMember
from .interface import Consumer
from .model import TP, Commit, KafkaFailure, Record
from .scenario import POLL_SECONDS, Scenario, read, send_all, values


def assign_range(scenario: Scenario) -> None:
    _expect_neighbours(_share_and_take_over(scenario, "range"))


def _expect_neighbours(shares: list[set[TP]]) -> None:
    # Of every topic each member has a contiguous half.
    for share in shares:
        for topic in {tp.topic for tp in share}:
            expect_true(f"contiguous: {share}", {tp.partition for tp in share if tp.topic == topic} in ({0, 1}, {2, 3}))


def assign_roundrobin(scenario: Scenario) -> None:
    shares = _share_and_take_over(scenario, "roundrobin")
    # Sorted partitions are dealt out in turns, so one member has all the even ones.
    for share in shares:
        expect_true(f"every other one: {share}", {tp.partition for tp in share} in ({0, 2}, {1, 3}))


def assign_cooperative_sticky(scenario: Scenario) -> None:
    _share_and_take_over(scenario, "cooperative-sticky")


def settle(members: list[Consumer], partitions: set[TP]) -> list[Record]:
    """Polls until every member has partitions and all of them together have each exactly once."""
    records: list[Record] = []

    def settled() -> bool:
        for polled in poll_together(members):
            records.extend(polled)
        shares = [member.assignment() for member in members]
        return all(shares) and Counter(tp for share in shares for tp in share) == Counter(partitions)

    eventually("the members share the partitions", settled, within=30)
    return records


def read_together(members: list[Consumer], count: int) -> list[list[Record]]:
    """Reads until the members have `count` records in all; each one's are apart."""
    records: list[list[Record]] = [[] for _ in members]

    def enough() -> bool:
        for own, polled in zip(records, poll_together(members)):
            own.extend(polled)
        return sum(map(len, records)) >= count

    eventually(f"{count} records", enough)
    return records


def poll_together(members: list[Consumer]) -> list[list[Record]]:
    """Polls all at once, as members of a group wait for each other when they join."""
    with ThreadPoolExecutor(len(members)) as threads:
        return list(threads.map(lambda member: member.poll(POLL_SECONDS), members))


def share_by_broker(scenario: Scenario, assignor: str) -> list[set[TP]]:
    """The same with the consumer protocol."""
    shares = _share_and_take_over(scenario, assignor, protocol="consumer")
    if assignor == "range":
        _expect_neighbours(shares)
    return shares


def _share_and_take_over(scenario: Scenario, assignor: str, protocol: str = "classic") -> list[set[TP]]:
    """Returns what each of the two members had while both were there."""
    group = scenario.name("group")
    # Before the topics, so that an assignor the client lacks is told at once.
    leaving, staying = members = [
        scenario.consumer(group=group, assignor=assignor, protocol=protocol) for _ in range(2)
    ]
    topics = [scenario.topic(suffix, partitions=4) for suffix in ("one", "two")]
    partitions = {TP(topic, partition) for topic in topics for partition in range(4)}
    producer = scenario.producer()

    leaving.subscribe(topics)
    settle([leaving], partitions)
    staying.subscribe(topics)
    expect("records before any was sent", settle(members, partitions), [])
    shares = [member.assignment() for member in members]
    for tp in partitions:
        send_all(producer, tp.topic, values(0, 10), tp.partition)
    for member, share, records in zip(members, shares, read_together(members, 10 * len(partitions))):
        expect("partitions after reading", member.assignment(), share)
        expect_each_once(records, share, 0, 10)
        member.commit({tp: Commit(10) for tp in share})

    kept = shares[1]
    staying.revocations.clear()
    leaving.close()
    expect("records of the takeover", settle([staying], partitions), [])
    if assignor == "cooperative-sticky" or protocol == "consumer":
        lost = [tp for revoked in staying.revocations for tp in revoked & kept]
        expect("partitions that the staying member lost meanwhile", lost, [])
    for tp in partitions:
        send_all(producer, tp.topic, values(10, 20), tp.partition)
    expect_each_once(read(staying, 10 * len(partitions)), partitions, 10, 20)
    return shares


def expect_each_once(records: list[Record], partitions: set[TP], start: int, stop: int) -> None:
    offsets: dict[TP, list[int]] = {tp: [] for tp in partitions}
    for record in records:
        offsets.setdefault(record.tp, []).append(record.offset)
    expect("offsets read", offsets, {tp: list(range(start, stop)) for tp in partitions})


def member_dies(scenario: Scenario, protocol: str = "classic") -> None:
    """The member that dies is a process of its own, so that it cannot say goodbye."""
    topic = scenario.topic(partitions=4)
    partitions = {TP(topic, partition) for partition in range(4)}
    group = scenario.name("group")
    producer = scenario.producer()
    survivor = scenario.consumer(group=group, session_timeout_ms=6_000, protocol=protocol)
    survivor.subscribe([topic])
    settle([survivor], partitions)

    doomed = DoomedMember(scenario.bootstrap, group, topic, protocol)
    scenario.on_exit(doomed.kill)

    def doomed_says(line: str) -> None:
        eventually(f"the doomed member says {line}", lambda: survivor.poll(POLL_SECONDS) == [] and doomed.said(line))

    doomed_says("ASSIGNED")
    share = survivor.assignment()
    expect("partitions of the survivor", len(share), 2)
    for tp in partitions:
        send_all(producer, topic, values(0, 10), tp.partition)
    expect_each_once(read(survivor, 20), share, 0, 10)
    survivor.commit({tp: Commit(10) for tp in share})
    # It commits offset 5 although it has read 10.
    doomed_says("COMMITTED")

    doomed.kill()
    records: list[Record] = []

    def took_over() -> bool:
        records.extend(survivor.poll(POLL_SECONDS))
        return survivor.assignment() == partitions

    eventually("the survivor has everything", took_over, within=30)
    orphans = partitions - share
    if len(records) < 10:
        records += read(survivor, 10 - len(records))
    expect_each_once(records, orphans, 5, 10)


def static_member(scenario: Scenario) -> None:
    topic = scenario.topic(partitions=4)
    partitions = {TP(topic, partition) for partition in range(4)}
    group = scenario.name("group")

    def start(instance_id: str) -> Consumer:
        consumer = scenario.consumer(group=group, instance_id=instance_id)
        consumer.subscribe([topic])
        return consumer

    returning, other = start("returning"), start("other")
    settle([returning, other], partitions)
    share = returning.assignment()
    other.revocations.clear()

    returning.close()
    returned = start("returning")
    settle([returned, other], partitions)
    expect("partitions of the returned member", returned.assignment(), share)
    expect("what the other member had to give up", other.revocations, [])

    if scenario.client.fenced_error is None:
        print("static_member: this client does not show that it is fenced", file=sys.stderr)
        return
    usurper = start("returning")

    def fenced() -> bool:
        poll_together([usurper, other])
        try:
            returned.poll(POLL_SECONDS)
            # Not every library tells it when polled, but a commit must not get through.
            returned.commit({tp: Commit(0) for tp in share})
        except KafkaFailure as failure:
            expect("the error of the fenced member", failure.name, scenario.client.fenced_error)
            return True
        return False

    eventually("the first holder of the instance id is fenced", fenced, within=30)
    settle([usurper, other], partitions)
    expect("partitions of the second holder", usurper.assignment(), share)
