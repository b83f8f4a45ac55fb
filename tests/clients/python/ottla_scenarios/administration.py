"""Topics, groups and the cluster as the admin client shows them."""

from __future__ import annotations

from .checks import eventually, expect, expect_failure, expect_true
from .membership import settle
from .model import BEGINNING, TP, Commit, KafkaFailure, MemberInfo
from .scenario import Scenario, send_all, values


def topic_admin(scenario: Scenario) -> None:
    admin = scenario.admin()
    configs = {"retention.ms": "7200000", "max.message.bytes": "123456"}
    name = scenario.topic("topic", partitions=3, retention_ms="7200000", max_message_bytes="123456")
    expect_failure("creating it again", {"TOPIC_ALREADY_EXISTS"}, lambda: admin.create_topic(name, 3, {}))
    illegal = scenario.name("not legal!")
    expect_failure("an illegal name", {"INVALID_TOPIC_EXCEPTION"}, lambda: admin.create_topic(illegal, 1, {}))

    first = admin.describe_topic(name)
    expect("partitions", set(first.leaders), {0, 1, 2})
    expect("number of leaders", len(set(first.leaders.values())), 1)
    expect_true(f"the leaders are brokers: {first.leaders}", min(first.leaders.values()) >= 0)
    shown = admin.topic_configs(name)
    expect("configs", {key: shown.get(key) for key in configs}, configs)

    admin.add_partitions(name, 5)
    scenario.await_topic(name, 5)
    expect("partitions after adding", set(admin.describe_topic(name).leaders), {0, 1, 2, 3, 4})
    expect_failure("shrinking", {"INVALID_PARTITIONS"}, lambda: admin.add_partitions(name, 2))

    send_all(scenario.producer(), name, values(0, 10))
    admin.delete_topic(name)
    eventually("the topic is gone", lambda: _is_unknown(scenario, name))
    admin.create_topic(name, 1, {})
    scenario.await_topic(name, 1)
    consumer = scenario.consumer()
    consumer.assign({TP(name, 0): BEGINNING})
    expect("offsets of the new topic", consumer.offsets(TP(name, 0)), (0, 0))
    second = admin.describe_topic(name)
    if first.topic_id is not None:
        expect_true(f"the new topic has a new id, not {first.topic_id}", second.topic_id != first.topic_id)


def _is_unknown(scenario: Scenario, name: str) -> bool:
    """Other errors than UNKNOWN_TOPIC_OR_PARTITION go on to fail the scenario."""
    try:
        scenario.admin().describe_topic(name)
    except KafkaFailure as failure:
        if failure.name != "UNKNOWN_TOPIC_OR_PARTITION":
            raise
        return True
    return False


def group_admin(scenario: Scenario) -> None:
    admin = scenario.admin()
    topic = scenario.topic(partitions=4)
    group = scenario.name("group")
    members = {name: scenario.consumer(group=group, client_id=name) for name in ["first", "second"]}
    for member in members.values():
        member.subscribe([topic])
    settle(list(members.values()), {TP(topic, partition) for partition in range(4)})
    for member in members.values():
        member.commit({tp: Commit(10 + tp.partition) for tp in member.assignment()})

    listed = admin.list_groups()
    expect_true(f"{group} is listed", group in listed)
    expect_true(f"the list shows Stable, not {listed[group]}", listed[group] in ("Stable", None))
    described = admin.describe_group(group)
    expect("state", described.state, "Stable")
    expect("assignor", described.assignor, "range")
    expect(
        "members",
        sorted(described.members, key=lambda member: member.client_id),
        [MemberInfo(name, frozenset(member.assignment())) for name, member in members.items()],
    )
    expect("offsets", admin.group_offsets(group), {TP(topic, partition): 10 + partition for partition in range(4)})

    for member in members.values():
        member.close()
    eventually("the group is empty", lambda: admin.describe_group(group).state == "Empty")
    expect_true("the list shows Empty", admin.list_groups()[group] in ("Empty", None))
    expect("members of the empty group", admin.describe_group(group).members, [])


def cluster_admin(scenario: Scenario) -> None:
    host, port = scenario.bootstrap.split(":")
    before = scenario.admin().describe_cluster()
    expect("nodes", before.nodes, [(host, int(port))])
    expect_true("there is a cluster id", bool(before.cluster_id))
    scenario.ask_broker("restart")
    # A new client: the old one could answer from what it remembers.
    after = scenario.client.admin()
    scenario.on_exit(after.close)
    expect("the cluster after the restart", after.describe_cluster(), before)
