from __future__ import annotations

from confluent_kafka import ConsumerGroupTopicPartitions, TopicCollection
from confluent_kafka.admin import AdminClient, ConfigResource, NewPartitions, NewTopic, ResourceType

from ottla_scenarios.model import TP, ClusterInfo, GroupInfo, MemberInfo, TopicInfo, TransactionInfo, Unsupported

from .common import CALL_SECONDS, failures, settings


class Admin:
    def __init__(self, bootstrap: str):
        self._admin = AdminClient(settings(bootstrap))

    def create_topic(self, name: str, partitions: int, configs: dict[str, str]) -> None:
        topic = NewTopic(name, num_partitions=partitions, replication_factor=1, config=configs)
        _only(self._admin.create_topics([topic]))

    def delete_topic(self, name: str) -> None:
        _only(self._admin.delete_topics([name]))

    def add_partitions(self, name: str, total: int) -> None:
        _only(self._admin.create_partitions([NewPartitions(name, total)]))

    def describe_topic(self, name: str) -> TopicInfo:
        described = _only(self._admin.describe_topics(TopicCollection([name])))
        return TopicInfo(
            leaders={partition.id: partition.leader.id for partition in described.partitions},
            topic_id=str(described.topic_id),
        )

    def topic_configs(self, name: str) -> dict[str, str]:
        entries = _only(self._admin.describe_configs([ConfigResource(ResourceType.TOPIC, name)]))
        return {key: entry.value for key, entry in entries.items()}

    def list_groups(self) -> dict[str, str | None]:
        listed = _answer(self._admin.list_consumer_groups())
        return {group.group_id: _state(group.state) for group in listed.valid}

    def describe_group(self, group: str) -> GroupInfo:
        described = _only(self._admin.describe_consumer_groups([group]))
        return GroupInfo(
            state=_state(described.state),
            assignor=described.partition_assignor,
            members=[
                MemberInfo(
                    client_id=member.client_id,
                    assignment=frozenset(TP(tp.topic, tp.partition) for tp in member.assignment.topic_partitions),
                )
                for member in described.members
            ],
        )

    def group_offsets(self, group: str) -> dict[TP, int]:
        found = _only(self._admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(group)]))
        return {TP(tp.topic, tp.partition): tp.offset for tp in found.topic_partitions}

    def describe_cluster(self) -> ClusterInfo:
        cluster = _answer(self._admin.describe_cluster())
        return ClusterInfo(cluster.cluster_id, [(node.host, node.port) for node in cluster.nodes])

    def describe_transaction(self, transactional_id: str) -> TransactionInfo:
        raise Unsupported("librdkafka's admin client knows no transactions")

    def close(self) -> None:
        # The library closes it when nothing refers to it any more.
        self._admin = None


def _answer(future):
    with failures():
        return future.result(timeout=CALL_SECONDS)


def _only(futures: dict):
    (future,) = futures.values()
    return _answer(future)


def _state(state) -> str:
    return state.name.capitalize()
