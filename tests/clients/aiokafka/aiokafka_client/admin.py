from __future__ import annotations

from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.coordinator.protocol import ConsumerProtocolMemberAssignment

from ottla_scenarios.model import TP, ClusterInfo, GroupInfo, KafkaFailure, MemberInfo, TopicInfo, TransactionInfo, Unsupported

from . import loop


class Admin:
    def __init__(self, bootstrap: str):
        self._admin = loop.run(_start(bootstrap))

    def create_topic(self, name: str, partitions: int, configs: dict[str, str]) -> None:
        topic = NewTopic(name, num_partitions=partitions, replication_factor=1, topic_configs=configs)
        answer = loop.run(self._admin.create_topics([topic]))
        for _name, error_code, message in answer.topic_errors:
            loop.raise_for(error_code, message)

    def delete_topic(self, name: str) -> None:
        answer = loop.run(self._admin.delete_topics([name]))
        for _name, error_code in answer.topic_error_codes:
            loop.raise_for(error_code)

    def add_partitions(self, name: str, total: int) -> None:
        loop.run(self._admin.create_partitions({name: NewPartitions(total)}))

    def describe_topic(self, name: str) -> TopicInfo:
        # The library can only ask for all topics or else lets the broker create the one that it asks for.
        described = {topic["topic"]: topic for topic in loop.run(self._admin.describe_topics())}
        if name not in described:
            raise KafkaFailure("UNKNOWN_TOPIC_OR_PARTITION", f"{name} is not among the topics")
        loop.raise_for(described[name]["error_code"])
        return TopicInfo({partition["partition"]: partition["leader"] for partition in described[name]["partitions"]})

    def topic_configs(self, name: str) -> dict[str, str]:
        (answer,) = loop.run(self._admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, name)]))
        ((error_code, message, _type, _name, entries),) = answer.resources
        loop.raise_for(error_code, message)
        return {entry[0]: entry[1] for entry in entries}

    def list_groups(self) -> dict[str, str | None]:
        return {group: None for group, _type in loop.run(self._admin.list_consumer_groups())}

    def describe_group(self, group: str) -> GroupInfo:
        (answer,) = loop.run(self._admin.describe_consumer_groups([group]))
        ((error_code, _group, state, _type, assignor, members, *_),) = answer.groups
        loop.raise_for(error_code)
        return GroupInfo(
            state=state,
            assignor=assignor,
            members=[
                MemberInfo(
                    client_id=client_id,
                    assignment=frozenset(
                        TP(topic, partition)
                        for topic, partitions in ConsumerProtocolMemberAssignment.decode(assignment).assignment
                        for partition in partitions
                    ),
                )
                for _id, client_id, _host, _metadata, assignment, *_ in members
            ],
        )

    def group_offsets(self, group: str) -> dict[TP, int]:
        found = loop.run(self._admin.list_consumer_group_offsets(group))
        return {TP(*tp): commit.offset for tp, commit in found.items()}

    def describe_cluster(self) -> ClusterInfo:
        cluster = loop.run(self._admin.describe_cluster())
        return ClusterInfo(cluster["cluster_id"], [(broker["host"], broker["port"]) for broker in cluster["brokers"]])

    def describe_transaction(self, transactional_id: str) -> TransactionInfo:
        raise Unsupported("aiokafka's admin client knows no transactions")

    def close(self) -> None:
        loop.run(self._admin.close())


async def _start(bootstrap: str) -> AIOKafkaAdminClient:
    # Within a coroutine, as the library asks for the running loop.
    return await loop.started(AIOKafkaAdminClient(bootstrap_servers=bootstrap))
