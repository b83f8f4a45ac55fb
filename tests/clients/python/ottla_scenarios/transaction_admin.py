"""What an admin is told of transactions, and how one ends those of others."""

from __future__ import annotations

from .checks import expect, expect_failure, expect_true
from .model import TP, TransactionInfo
from .scenario import Scenario
from .transactions import COMMITTED, expect_numbers, reader, send_numbered, transactional


def transaction_admin(scenario: Scenario) -> None:
    admin = scenario.admin()
    transaction_id = scenario.name("id")
    unknown = {"TRANSACTIONAL_ID_NOT_FOUND"}
    expect_failure("description of nobody", unknown, lambda: admin.describe_transaction(transaction_id))
    tp = TP(scenario.topic(), 0)
    producer = transactional(scenario, transaction_timeout_ms=54_321)
    expect("state before the first transaction", admin.describe_transaction(transaction_id).state, "Empty")
    producer.begin_transaction()
    send_numbered(producer, tp, 0, 10)

    described = admin.describe_transaction(transaction_id)
    expect("transaction", described[:3], TransactionInfo("Ongoing", 54_321, frozenset({tp}), 0, 0)[:3])
    expect("state in the list", admin.list_transactions().get(transaction_id), "Ongoing")
    (state,) = admin.describe_producers(tp)
    expect("producer", (state.producer_id, state.epoch), (described.producer_id, described.epoch))
    expect("last sequence and first offset", (state.last_sequence, state.transaction_start), (9, 0))

    admin.abort_transaction(tp, state)
    send_numbered(scenario.producer(), tp, 11, 12)
    expect_numbers(reader(scenario, COMMITTED, tp), [11])
    after = {found.producer_id: found for found in admin.describe_producers(tp)}[state.producer_id]
    expect_true(f"no transaction is open on the partition: {after}", after.transaction_start in (None, -1))
