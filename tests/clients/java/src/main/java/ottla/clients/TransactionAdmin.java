package ottla.clients;

import java.util.List;
import java.util.Set;
import org.apache.kafka.clients.admin.AbortTransactionSpec;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ListTransactionsOptions;
import org.apache.kafka.clients.admin.ProducerState;
import org.apache.kafka.clients.admin.TransactionDescription;
import org.apache.kafka.clients.admin.TransactionListing;
import org.apache.kafka.clients.admin.TransactionState;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.ProducerFencedException;
import org.apache.kafka.common.errors.TransactionalIdNotFoundException;

/** What an admin is told of transactions, and how one ends those of others. */
final class TransactionAdmin {
    private TransactionAdmin() {
    }

    static void admin(Run run) throws Exception {
        Admin admin = run.admin();
        TopicPartition partition = new TopicPartition(run.topic("log", 1), 0);
        String id = run.name("id");
        KafkaProducer<String, String> producer = Transactions.producer(run, "id", "transaction.timeout.ms", 54_321);
        Expect.equal(TransactionState.EMPTY, describe(admin, id).state(), "state before the first transaction");
        long before = System.currentTimeMillis();
        producer.beginTransaction();
        Records.send(producer, partition, 0, 10);

        TransactionDescription open = describe(admin, id);
        Expect.equal(TransactionState.ONGOING, open.state(), "state");
        Expect.equal(54_321L, open.transactionTimeoutMs(), "timeout");
        Expect.equal(Set.of(partition), open.topicPartitions(), "partitions");
        Expect.within(before - 1000, System.currentTimeMillis() + 1000, open.transactionStartTimeMs().getAsLong(),
            "start of the transaction");
        TransactionListing listed = new TransactionListing(id, open.producerId(), TransactionState.ONGOING);
        Expect.that(list(admin, new ListTransactionsOptions()).contains(listed), "the transaction is listed");
        Expect.equal(List.of(listed), list(admin, new ListTransactionsOptions()
            .filterProducerIds(Set.of(open.producerId())).filterStates(Set.of(TransactionState.ONGOING))),
            "listed by state and producer");
        Expect.equal(List.of(), list(admin, new ListTransactionsOptions()
            .filterProducerIds(Set.of(open.producerId())).filterStates(Set.of(TransactionState.EMPTY))),
            "listed by another state");
        Expect.equal(List.of(), list(admin, new ListTransactionsOptions()
            .filterProducerIds(Set.of(open.producerId())).filterOnDuration(3_600_000)), "listed by an hour's age");
        Expect.equal(List.of(listed),
            list(admin, new ListTransactionsOptions().filterOnTransactionalIdPattern(id + ".*")), "listed by pattern");
        Expect.fails(TransactionalIdNotFoundException.class, "description of nobody",
            () -> describe(admin, run.name("nobody")));

        ProducerState state = onlyProducer(admin, partition);
        Expect.equal(open.producerId(), state.producerId(), "producer id");
        Expect.equal(open.producerEpoch(), state.producerEpoch(), "producer epoch");
        Expect.equal(9, state.lastSequence(), "last sequence");
        Expect.equal(0L, state.currentTransactionStartOffset().getAsLong(), "first offset of the transaction");
        abort(run, partition, state);
        fence(run, partition);
    }

    /** Ends a transaction on one partition behind its coordinator's back, as for one that hangs. */
    private static void abort(Run run, TopicPartition partition, ProducerState state) throws Exception {
        run.admin().abortTransaction(new AbortTransactionSpec(
            partition, state.producerId(), (short) state.producerEpoch(), 0)).all().get();
        Records.send(run.producer(), partition, 11, 12);
        Transactions.expectOffsets(List.of(11L), Transactions.reader(run, "read_committed", partition));
        ProducerState after = run.admin().describeProducers(List.of(partition)).partitionResult(partition).get()
            .activeProducers().stream().filter(p -> p.producerId() == state.producerId()).findFirst().get();
        Expect.that(after.currentTransactionStartOffset().isEmpty(), "no transaction is open on the partition");
    }

    private static void fence(Run run, TopicPartition partition) throws Exception {
        KafkaProducer<String, String> fenced = Transactions.producer(run, "fenced");
        fenced.beginTransaction();
        Expect.equal(Records.offsets(12, 15), Records.send(fenced, partition, 12, 15), "offsets");
        String id = run.name("fenced");
        long producerId = describe(run.admin(), id).producerId();
        var result = run.admin().fenceProducers(List.of(id));
        result.all().get();
        Expect.equal(producerId, result.producerId(id).get(), "producer id of the fenced one");
        Transactions.expectCommitFails(ProducerFencedException.class, "commit of the fenced producer", fenced);
        Expect.equal(TransactionState.EMPTY, describe(run.admin(), id).state(), "state of the fenced one");
        Records.send(run.producer(), partition, 16, 17);
        Transactions.expectOffsets(List.of(11L, 16L), Transactions.reader(run, "read_committed", partition));
    }

    private static TransactionDescription describe(Admin admin, String id) throws Exception {
        return admin.describeTransactions(List.of(id)).description(id).get();
    }

    private static List<TransactionListing> list(Admin admin, ListTransactionsOptions options) throws Exception {
        return List.copyOf(admin.listTransactions(options).all().get());
    }

    private static ProducerState onlyProducer(Admin admin, TopicPartition partition) throws Exception {
        List<ProducerState> states =
            admin.describeProducers(List.of(partition)).partitionResult(partition).get().activeProducers();
        Expect.equal(1, states.size(), "count of producers of the partition");
        return states.get(0);
    }
}
