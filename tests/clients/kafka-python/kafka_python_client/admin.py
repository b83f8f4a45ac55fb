from __future__ import annotations

from kafka import KafkaAdminClient, TopicPartition
from kafka.admin import AbortTransactionSpec, ConfigResource, ConfigResourceType
from kafka.errors import for_code

from ottla_scenarios.model import TP, ClusterInfo, GroupInfo, MemberInfo, ProducerInfo, TopicInfo, TransactionInfo

from .common import failure, failures, settings


class Admin:
    def __init__(self, bootstrap: str):
        with failures():
            self._admin = KafkaAdminClient(**settings(bootstrap))

    def create_topic(self, name: str, partitions: int, configs: dict[str, str]) -> None:
        topic = {"num_partitions": partitions, "replication_factor": 1, "configs": configs}
        with failures():
            self._admin.create_topics({name: topic})

    def delete_topic(self, name: str) -> None:
        with failures():
            self._admin.delete_topics([name])

    def add_partitions(self, name: str, total: int) -> None:
        with failures():
            self._admin.create_partitions({name: total})

    def describe_topic(self, name: str) -> TopicInfo:
        with failures():
            (described,) = self._admin.describe_topics([name])
        _raise_for(described["error_code"])
        return TopicInfo(
            leaders={partition["partition_index"]: partition["leader_id"] for partition in described["partitions"]},
            topic_id=str(described["topic_id"]),
        )

    def topic_configs(self, name: str) -> dict[str, str]:
        with failures():
            described = self._admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, name)])
        return {key: config["value"] for key, config in described["topic"][name].items()}

    def list_groups(self) -> dict[str, str | None]:
        with failures():
            listed = self._admin.list_groups()
        return {group["group_id"]: group["group_state"] for group in listed}

    def describe_group(self, group: str) -> GroupInfo:
        with failures():
            described = self._admin.describe_groups([group])[group]
        return GroupInfo(
            state=described["group_state"],
            assignor=described["protocol_data"],
            members=[
                MemberInfo(
                    client_id=member["client_id"],
                    assignment=frozenset(
                        TP(assigned["topic"], partition)
                        for assigned in member["member_assignment"]["assigned_partitions"]
                        for partition in assigned["partitions"]
                    ),
                )
                for member in described["members"]
            ],
        )

    def group_offsets(self, group: str) -> dict[TP, int]:
        with failures():
            found = self._admin.list_group_offsets(group)[group]
        return {TP(*tp): commit.offset for tp, commit in found.items()}

    def describe_cluster(self) -> ClusterInfo:
        with failures():
            described = self._admin.describe_cluster()
        return ClusterInfo(
            described["cluster_id"], [(broker["host"], broker["port"]) for broker in described["brokers"]]
        )

    def describe_transaction(self, transactional_id: str) -> TransactionInfo:
        with failures():
            described = self._admin.describe_transactions([transactional_id])[transactional_id]
        return TransactionInfo(
            described.state.value,
            described.transaction_timeout_ms,
            frozenset(TP(*tp) for tp in described.topic_partitions),
            described.producer_id,
            described.producer_epoch,
        )

    def list_transactions(self) -> dict[str, str]:
        with failures():
            listed = self._admin.list_transactions()
        return {found.transactional_id: found.state.value for of_broker in listed.values() for found in of_broker}

    def describe_producers(self, tp: TP) -> list[ProducerInfo]:
        with failures():
            (described,) = self._admin.describe_producers([TopicPartition(*tp)]).values()
        return [
            ProducerInfo(
                state.producer_id, state.producer_epoch, state.last_sequence, state.current_transaction_start_offset
            )
            for state in described.active_producers
        ]

    def abort_transaction(self, tp: TP, producer: ProducerInfo) -> None:
        with failures():
            self._admin.abort_transaction(AbortTransactionSpec(TopicPartition(*tp), producer.producer_id, producer.epoch))

    def close(self) -> None:
        self._admin.close()


def _raise_for(error_code: int) -> None:
    if error_code:
        raise failure(for_code(error_code)())
