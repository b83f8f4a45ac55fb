"""Groups of the consumer protocol, KIP-848, whose members only send heartbeats."""

from __future__ import annotations

from .checks import eventually, expect, expect_true
from .committing import resume_after_stop
from .interface import Consumer
from .membership import expect_each_once, member_dies, read_together, settle, share_by_broker
from .model import TP, Commit, KafkaFailure
from .scenario import POLL_SECONDS, Scenario, send_all, values

UNRELEASED = "UNRELEASED_INSTANCE_ID"


def consumer_protocol_uniform(scenario: Scenario) -> None:
    shares = share_by_broker(scenario, "uniform")
    expect("sizes of the shares", [len(share) for share in shares], [4, 4])


def consumer_protocol_range(scenario: Scenario) -> None:
    share_by_broker(scenario, "range")


def consumer_protocol_resume(scenario: Scenario) -> None:
    resume_after_stop(scenario, protocol="consumer")


def consumer_protocol_static_member(scenario: Scenario) -> None:
    group = scenario.name("group")

    def start(instance_id: str) -> Consumer:
        consumer = scenario.consumer(group=group, instance_id=instance_id, protocol="consumer")
        consumer.subscribe([topic])
        return consumer

    topic = scenario.topic(partitions=4)
    partitions = {TP(topic, partition) for partition in range(4)}
    returning, other = start("returning"), start("other")
    settle([returning, other], partitions)
    share = returning.assignment()
    other.revocations.clear()

    usurper = start("returning")

    def refused() -> bool:
        try:
            usurper.poll(POLL_SECONDS)
        except KafkaFailure as failure:
            # librdkafka tells of it in words, by an error of its own.
            expect_true(f"refused: {failure}", "instance id" in str(failure).lower() or failure.name == UNRELEASED)
            return True
        return False

    eventually("a second holder of the instance id is refused", refused)
    usurper.close()

    returning.close()
    returned = start("returning")
    settle([returned, other], partitions)
    expect("partitions of the returned member", returned.assignment(), share)
    expect("what the other member had to give up", other.revocations, [])


def consumer_protocol_pattern(scenario: Scenario) -> None:
    member = scenario.consumer(group=scenario.name("group"), protocol="consumer")
    topics = [scenario.topic(suffix, partitions=2) for suffix in ("match-a", "match-b")]
    scenario.topic("other", partitions=2)
    member.subscribe([f"^{scenario.name('match')}-.*"])
    settle([member], {TP(topic, partition) for topic in topics for partition in (0, 1)})
    # Brokers look for new topics of a pattern every 10 seconds.
    topics.append(scenario.topic("match-c", partitions=2))
    settle([member], {TP(topic, partition) for topic in topics for partition in (0, 1)})
    expect("revocations", member.revocations, [])


def consumer_protocol_member_dies(scenario: Scenario) -> None:
    member_dies(scenario, protocol="consumer")


def consumer_protocol_migration(scenario: Scenario) -> None:
    """The group changes its protocol while it lives, and back."""
    group = scenario.name("group")

    # First, so that a client that lacks the protocol tells so at once.
    modern = scenario.consumer(group=group, protocol="consumer")
    topic = scenario.topic(partitions=4)
    partitions = {TP(topic, partition) for partition in range(4)}
    producer = scenario.producer()

    def read_and_commit(members: list[Consumer], start: int, stop: int) -> None:
        for tp in partitions:
            send_all(producer, topic, values(start, stop), tp.partition)
        shares = [member.assignment() for member in members]
        for member, share, records in zip(members, shares, read_together(members, 4 * (stop - start))):
            expect_each_once(records, share, start, stop)
            member.commit({tp: Commit(stop) for tp in share})

    old = scenario.consumer(group=group)
    old.subscribe([topic])
    settle([old], partitions)
    read_and_commit([old], 0, 10)
    modern.subscribe([topic])
    settle([old, modern], partitions)
    read_and_commit([old, modern], 10, 20)
    old.close()
    settle([modern], partitions)
    read_and_commit([modern], 20, 30)
    again = scenario.consumer(group=group)
    again.subscribe([topic])
    settle([modern, again], partitions)
    modern.close()
    settle([again], partitions)
    read_and_commit([again], 30, 40)
    expect_true("the commits are there", all(again.committed(tp) == Commit(40) for tp in partitions))
