package ottla.clients;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.InvalidProducerEpochException;
import org.apache.kafka.common.errors.InvalidTxnStateException;
import org.apache.kafka.common.errors.ProducerFencedException;

/** Records of transactions, and who reads them when. */
final class Transactions {
    /** Apache Kafka looks for transactions that are over their time every 10 seconds. */
    private static final Duration TIMEOUT_LIMIT = Duration.ofSeconds(20);

    private Transactions() {
    }

    static void commit(Run run) throws Exception {
        List<TopicPartition> partitions = new ArrayList<>(Run.partitions(run.topic("first", 2), 2));
        partitions.addAll(Run.partitions(run.topic("second", 2), 2));
        KafkaProducer<String, String> producer = producer(run, "id");
        // A marker stands behind the records of each transaction and has an offset of its own.
        for (int base : List.of(0, 11)) {
            producer.beginTransaction();
            for (TopicPartition partition : partitions) {
                Expect.equal(Records.offsets(base, base + 10),
                    Records.send(producer, partition, base, base + 10), "acknowledged offsets");
            }
            producer.commitTransaction();
        }
        List<Long> offsets = new ArrayList<>(Records.offsets(0, 10));
        offsets.addAll(Records.offsets(11, 21));
        for (TopicPartition partition : partitions) {
            for (String isolation : List.of("read_committed", "read_uncommitted")) {
                KafkaConsumer<String, String> reader = reader(run, isolation, partition);
                expectOffsets(offsets, reader);
                expectEnd(22, reader, partition);
            }
        }
    }

    static void abort(Run run) throws Exception {
        TopicPartition partition = new TopicPartition(run.topic("log", 1), 0);
        KafkaProducer<String, String> producer = producer(run, "id");
        for (int base : List.of(0, 11, 22)) {
            producer.beginTransaction();
            Records.send(producer, partition, base, base + 10);
            if (base == 11) {
                producer.abortTransaction();
            } else {
                producer.commitTransaction();
            }
        }
        List<Long> committed = new ArrayList<>(Records.offsets(0, 10));
        committed.addAll(Records.offsets(22, 32));
        KafkaConsumer<String, String> reader = reader(run, "read_committed", partition);
        expectOffsets(committed, reader);
        expectEnd(33, reader, partition);
        List<Long> all = new ArrayList<>(committed);
        all.addAll(10, Records.offsets(11, 21));
        expectOffsets(all, reader(run, "read_uncommitted", partition));

        // A reader that begins within the aborted records finds them aborted too.
        reader.seek(partition, 15);
        expectOffsets(Records.offsets(22, 32), reader);
    }

    static void open(Run run) throws Exception {
        TopicPartition partition = new TopicPartition(run.topic("log", 1), 0);
        KafkaProducer<String, String> plain = run.producer();
        KafkaProducer<String, String> transactional = producer(run, "id");
        Records.send(plain, partition, 0, 10);
        transactional.beginTransaction();
        Records.send(transactional, partition, 10, 20);
        Records.send(plain, partition, 20, 30);

        KafkaConsumer<String, String> committed = reader(run, "read_committed", partition);
        KafkaConsumer<String, String> uncommitted = reader(run, "read_uncommitted", partition);
        expectOffsets(Records.offsets(0, 30), uncommitted);
        expectEnd(30, uncommitted, partition);
        expectOffsets(Records.offsets(0, 10), committed);
        expectEnd(10, committed, partition);
        Expect.equal(0, committed.poll(Duration.ofMillis(300)).count(), "records read behind the open transaction");

        transactional.commitTransaction();
        expectOffsets(Records.offsets(10, 30), committed);
        expectEnd(31, committed, partition);
    }

    static void fence(Run run) throws Exception {
        TopicPartition partition = new TopicPartition(run.topic("log", 1), 0);
        KafkaProducer<String, String> first = producer(run, "id");
        first.beginTransaction();
        Records.send(first, partition, 0, 10);
        KafkaProducer<String, String> second = producer(run, "id");
        second.beginTransaction();
        // The marker that aborted the first one's transaction is at 10.
        Expect.equal(Records.offsets(11, 21), Records.send(second, partition, 11, 21), "offsets of the second");
        expectCommitFails(ProducerFencedException.class, "commit of the fenced producer", first);
        second.commitTransaction();
        KafkaConsumer<String, String> reader = reader(run, "read_committed", partition);
        expectOffsets(Records.offsets(11, 21), reader);
        expectEnd(22, reader, partition);

        KafkaProducer<String, String> third = producer(run, "id");
        second.beginTransaction();
        Expect.fails(InvalidProducerEpochException.class, "send of the fenced producer",
            () -> Records.send(second, partition, 22, 23));
        third.beginTransaction();
        Expect.equal(List.of(22L), Records.send(third, partition, 22, 23), "offset of the third");
        third.commitTransaction();
        expectOffsets(List.of(22L), reader);
    }

    static void timeout(Run run) throws Exception {
        TopicPartition partition = new TopicPartition(run.topic("log", 1), 0);
        KafkaProducer<String, String> late = producer(run, "id", "transaction.timeout.ms", 1000);
        late.beginTransaction();
        Records.send(late, partition, 0, 10);
        Records.send(run.producer(), partition, 10, 20);

        KafkaConsumer<String, String> reader = reader(run, "read_committed", partition);
        expectEnd(0, reader, partition);
        Wait.until("the end of the transaction that is left open", TIMEOUT_LIMIT,
            () -> end(reader, partition) == 21);
        expectOffsets(Records.offsets(10, 20), reader);
        expectCommitFails(InvalidTxnStateException.class, "commit after the timeout", late);
        KafkaProducer<String, String> next = producer(run, "id");
        next.beginTransaction();
        Expect.equal(List.of(21L), Records.send(next, partition, 21, 22), "offset of the next transaction");
        next.commitTransaction();
        expectOffsets(List.of(21L), reader);
    }

    static void surviveKill(Run run) throws Exception {
        List<TopicPartition> partitions = List.copyOf(Run.partitions(run.topic("log", 2), 2));
        KafkaProducer<String, String> committing = producer(run, "id");
        KafkaProducer<String, String> aborting = producer(run, "aborting");
        KafkaProducer<String, String> lost = producer(run, "lost");
        int from = 0;
        for (KafkaProducer<String, String> producer : List.of(committing, aborting, lost)) {
            producer.beginTransaction();
            for (TopicPartition partition : partitions) {
                Records.send(producer, partition, from, from + 10);
            }
            from += 10;
        }
        run.broker.kill();
        for (TopicPartition partition : partitions) {
            expectEnd(0, reader(run, "read_committed", partition), partition);
            Expect.equal(Records.offsets(30, 40), Records.send(committing, partition, 30, 40), "offsets after the kill");
        }
        // The transactions that are still open hold back what is committed behind their first records.
        committing.commitTransaction();
        expectStable(run, partitions, 10, Records.offsets(0, 10));
        aborting.abortTransaction();
        expectStable(run, partitions, 20, Records.offsets(0, 10));
        // The third producer never comes back; its successor ends what it left.
        producer(run, "lost");
        List<Long> committed = new ArrayList<>(Records.offsets(0, 10));
        committed.addAll(Records.offsets(30, 40));
        expectStable(run, partitions, 43, committed);
    }

    /** What readers of committed records read, once their end is there. */
    private static void expectStable(Run run, List<TopicPartition> partitions, long end, List<Long> offsets)
            throws Exception {
        for (TopicPartition partition : partitions) {
            KafkaConsumer<String, String> reader = reader(run, "read_committed", partition);
            Wait.until("end offset " + end + " of " + partition, () -> end(reader, partition) == end);
            expectOffsets(offsets, reader);
        }
    }

    /** A producer that is ready for its first transaction; what its predecessor left open is aborted. */
    static KafkaProducer<String, String> producer(Run run, String id, Object... settings) {
        Object[] all = new Object[settings.length + 2];
        all[0] = "transactional.id";
        all[1] = run.name(id);
        System.arraycopy(settings, 0, all, 2, settings.length);
        KafkaProducer<String, String> producer = run.producer(all);
        producer.initTransactions();
        return producer;
    }

    static KafkaConsumer<String, String> reader(Run run, String isolation, TopicPartition partition) {
        KafkaConsumer<String, String> consumer = run.consumer("isolation.level", isolation);
        consumer.assign(List.of(partition));
        return consumer;
    }

    /** Reads records whose values are the numbers of their offsets. */
    static void expectOffsets(List<Long> expected, KafkaConsumer<String, String> reader) throws Exception {
        List<ConsumerRecord<String, String>> records = Records.read(reader, expected.size());
        Expect.equal(expected, records.stream().map(ConsumerRecord::offset).toList(), "offsets read");
        Expect.equal(expected, records.stream().map(r -> Long.valueOf(r.value())).toList(), "values read");
    }

    static void expectCommitFails(Class<? extends Throwable> error, String what, KafkaProducer<?, ?> producer) {
        Expect.fails(error, what, () -> {
            producer.commitTransaction();
            return null;
        });
    }

    /** The end offset at the reader's isolation level. */
    private static void expectEnd(long expected, KafkaConsumer<?, ?> reader, TopicPartition partition) {
        Expect.equal(expected, end(reader, partition), "end offset of " + partition);
    }

    private static long end(KafkaConsumer<?, ?> reader, TopicPartition partition) {
        return reader.endOffsets(Set.of(partition)).get(partition);
    }
}
