"""Records of transactions, and who reads them when."""

from __future__ import annotations

from .checks import eventually, expect, expect_failure
from .interface import Consumer, Producer
from .model import BEGINNING, TP
from .scenario import Scenario, expect_silence, read, send_all, values

COMMITTED, UNCOMMITTED = "read_committed", "read_uncommitted"
# Apache Kafka looks for transactions that are over their time every 10 seconds.
TIMEOUT_SECONDS = 20


def transaction_commit(scenario: Scenario) -> None:
    topics = [scenario.topic(suffix, partitions=2) for suffix in ("first", "second")]
    partitions = [TP(topic, number) for topic in topics for number in range(2)]
    producer = transactional(scenario)
    # A marker stands behind the records of each transaction and has an offset of its own.
    for base in (0, 11):
        producer.begin_transaction()
        for tp in partitions:
            send_numbered(producer, tp, base, base + 10)
        producer.commit_transaction()
    for tp in partitions:
        for isolation in (COMMITTED, UNCOMMITTED):
            consumer = reader(scenario, isolation, tp)
            expect_numbers(consumer, [*range(0, 10), *range(11, 21)])
            expect_end(consumer, tp, 22)


def transaction_abort(scenario: Scenario) -> None:
    tp = TP(scenario.topic(), 0)
    producer = transactional(scenario)
    for base in (0, 11, 22):
        producer.begin_transaction()
        send_numbered(producer, tp, base, base + 10)
        if base == 11:
            producer.abort_transaction()
        else:
            producer.commit_transaction()
    consumer = reader(scenario, COMMITTED, tp)
    expect_numbers(consumer, [*range(0, 10), *range(22, 32)])
    expect_end(consumer, tp, 33)
    expect_numbers(reader(scenario, UNCOMMITTED, tp), [*range(0, 10), *range(11, 21), *range(22, 32)])
    # A reader that begins within the aborted records finds them aborted too.
    inside = scenario.consumer(isolation=COMMITTED)
    inside.assign({tp: 15})
    expect_numbers(inside, [*range(22, 32)])


def transaction_open(scenario: Scenario) -> None:
    tp = TP(scenario.topic(), 0)
    plain, producer = scenario.producer(), transactional(scenario)
    send_numbered(plain, tp, 0, 10)
    producer.begin_transaction()
    send_numbered(producer, tp, 10, 20)
    send_numbered(plain, tp, 20, 30)

    committed, uncommitted = reader(scenario, COMMITTED, tp), reader(scenario, UNCOMMITTED, tp)
    expect_numbers(uncommitted, [*range(30)])
    expect_end(uncommitted, tp, 30)
    expect_numbers(committed, [*range(10)])
    expect_end(committed, tp, 10)
    expect_silence(committed)

    producer.commit_transaction()
    expect_numbers(committed, [*range(10, 30)])
    expect_end(committed, tp, 31)


def transaction_fence(scenario: Scenario) -> None:
    tp = TP(scenario.topic(), 0)
    fenced_errors = scenario.client.fenced_producer_errors
    first = transactional(scenario)
    first.begin_transaction()
    send_numbered(first, tp, 0, 10)
    second = transactional(scenario)
    second.begin_transaction()
    # The marker that aborted the first one's transaction is at 10.
    send_numbered(second, tp, 11, 21)
    expect_failure("commit of the fenced producer", fenced_errors, first.commit_transaction)
    second.commit_transaction()
    consumer = reader(scenario, COMMITTED, tp)
    expect_numbers(consumer, [*range(11, 21)])
    expect_end(consumer, tp, 22)

    third = transactional(scenario)

    def send_late() -> None:
        second.begin_transaction()
        # Unlike a flush, the commit tells the reason in every library.
        second.send(tp.topic, b"late", partition=tp.partition)
        second.commit_transaction()

    expect_failure("transaction of the fenced producer", fenced_errors, send_late)
    third.begin_transaction()
    send_numbered(third, tp, 22, 23)
    third.commit_transaction()
    expect_numbers(consumer, [22])


def transaction_timeout(scenario: Scenario) -> None:
    tp = TP(scenario.topic(), 0)
    late = transactional(scenario, transaction_timeout_ms=1_000)
    late.begin_transaction()
    send_numbered(late, tp, 0, 10)
    send_numbered(scenario.producer(), tp, 10, 20)

    consumer = reader(scenario, COMMITTED, tp)
    expect_end(consumer, tp, 0)
    eventually("the transaction that is left open ends", lambda: consumer.offsets(tp)[1] == 21, TIMEOUT_SECONDS)
    expect_numbers(consumer, [*range(10, 20)])
    expect_failure("commit after the timeout", scenario.client.late_producer_errors, late.commit_transaction)
    successor = transactional(scenario)
    successor.begin_transaction()
    send_numbered(successor, tp, 21, 22)
    successor.commit_transaction()
    expect_numbers(consumer, [21])


def transaction_survives_kill(scenario: Scenario) -> None:
    topic = scenario.topic(partitions=2)
    partitions = [TP(topic, number) for number in range(2)]
    committing, aborting, lost = (transactional(scenario, suffix) for suffix in ("id", "aborting", "lost"))
    for producer, start in ((committing, 0), (aborting, 10), (lost, 20)):
        producer.begin_transaction()
        for tp in partitions:
            send_numbered(producer, tp, start, start + 10)
    scenario.ask_broker("kill")
    for tp in partitions:
        expect_end(reader(scenario, COMMITTED, tp), tp, 0)
        send_numbered(committing, tp, 30, 40)

    def expect_stable(end: int, numbers: list[int]) -> None:
        for tp in partitions:
            consumer = reader(scenario, COMMITTED, tp)
            eventually(f"end offset {end} of {tp}", lambda: consumer.offsets(tp)[1] == end)
            expect_numbers(consumer, numbers)

    # The transactions that are still open hold back what is committed behind their first records.
    committing.commit_transaction()
    expect_stable(10, [*range(10)])
    aborting.abort_transaction()
    expect_stable(20, [*range(10)])
    # The third producer never comes back; its successor ends what it left.
    transactional(scenario, "lost")
    expect_stable(43, [*range(0, 10), *range(30, 40)])


def transactional(scenario: Scenario, suffix: str = "id", **options) -> Producer:
    """A producer that is ready for its first transaction; what its predecessor left open is aborted."""
    return scenario.producer(transactional_id=scenario.name(suffix), **options)


def reader(scenario: Scenario, isolation: str, tp: TP) -> Consumer:
    consumer = scenario.consumer(isolation=isolation)
    consumer.assign({tp: BEGINNING})
    return consumer


def send_numbered(producer: Producer, tp: TP, start: int, stop: int) -> None:
    """Sends values whose numbers are the offsets that they get."""
    offsets = send_all(producer, tp.topic, values(start, stop), tp.partition)
    expect("acknowledged offsets", offsets, [*range(start, stop)])


def expect_numbers(consumer: Consumer, numbers: list[int]) -> None:
    records = read(consumer, len(numbers))
    expect("offsets", [record.offset for record in records], numbers)
    expect("values", [record.value for record in records], [b"value-%d" % number for number in numbers])


def expect_end(consumer: Consumer, tp: TP, end: int) -> None:
    """The end offset at the consumer's isolation level."""
    expect(f"end of {tp}", consumer.offsets(tp)[1], end)
