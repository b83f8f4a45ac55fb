package ottla.clients;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Future;
import org.apache.kafka.clients.consumer.CommitFailedException;
import org.apache.kafka.clients.consumer.ConsumerGroupMetadata;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.ProducerFencedException;
import org.apache.kafka.common.errors.TimeoutException;

/** Programs that read, write and commit what they have read, all in one transaction. */
final class TransactionOffsets {
    private static final int INPUT = 100;
    private static final int STEP = 20;

    private final Run run;
    private final TopicPartition input;
    private final TopicPartition output;
    private final String protocol;

    private TransactionOffsets(Run run, String protocol) throws Exception {
        this.run = run;
        this.protocol = protocol;
        this.input = new TopicPartition(run.topic("input", 1), 0);
        this.output = new TopicPartition(run.topic("output", 1), 0);
        Records.send(run.producer(), input, 0, INPUT);
    }

    static void classic(Run run) throws Exception {
        new TransactionOffsets(run, "classic").copy(false);
    }

    static void consumerProtocol(Run run) throws Exception {
        new TransactionOffsets(run, "consumer").copy(false);
    }

    static void surviveKill(Run run) throws Exception {
        new TransactionOffsets(run, "classic").copy(true);
    }

    /** Copies the input in steps; a step commits, aborts, or its program goes away and another takes over. */
    private void copy(boolean kill) throws Exception {
        KafkaConsumer<String, String> consumer = consumer();
        KafkaProducer<String, String> producer = Transactions.producer(run, "id");
        step(consumer, producer, 0);
        expectCommitted(null);
        if (kill) {
            run.broker.kill();
            expectCommitted(null);
        }
        producer.commitTransaction();
        awaitCommitted(20);

        step(consumer, producer, 20);
        producer.abortTransaction();
        expectCommitted(20L);
        consumer.seek(input, 20);
        step(consumer, producer, 20);
        producer.commitTransaction();
        awaitCommitted(40);

        // The program ends in the middle of a transaction; its successor finds neither records nor offsets of it.
        step(consumer, producer, 40);
        consumer.close();
        KafkaProducer<String, String> next = Transactions.producer(run, "id");
        Transactions.expectCommitFails(ProducerFencedException.class, "commit of the fenced program", producer);
        KafkaConsumer<String, String> successor = consumer();
        for (int from = 40; from < INPUT; from += STEP) {
            step(successor, next, from);
            next.commitTransaction();
            awaitCommitted(from + STEP);
        }
        List<ConsumerRecord<String, String>> copied =
            Records.read(Transactions.reader(run, "read_committed", output), INPUT);
        Expect.equal(Records.values(0, INPUT), copied.stream().map(ConsumerRecord::value).toList(), "output");
    }

    /** Begins a transaction, copies twenty records within it and gives it the offset behind them. */
    private void step(KafkaConsumer<String, String> consumer, KafkaProducer<String, String> producer, int from)
            throws Exception {
        List<String> values = new ArrayList<>();
        Wait.until("input from " + from, () -> {
            consumer.poll(Wait.TURN).forEach(record -> values.add(record.value()));
            return values.size() >= STEP;
        });
        Expect.equal(Records.values(from, from + STEP), values, "input");
        producer.beginTransaction();
        List<Future<RecordMetadata>> sent = new ArrayList<>();
        values.forEach(value ->
            sent.add(producer.send(new ProducerRecord<>(output.topic(), output.partition(), null, value))));
        producer.sendOffsetsToTransaction(offset(from + STEP), consumer.groupMetadata());
        producer.flush();
        Records.offsetsOf(sent);
    }

    private KafkaConsumer<String, String> consumer() {
        KafkaConsumer<String, String> consumer = run.consumer("group.id", run.name("group"),
            "group.protocol", protocol, "isolation.level", "read_committed", "max.poll.records", STEP);
        consumer.subscribe(List.of(input.topic()));
        return consumer;
    }

    private Map<TopicPartition, OffsetAndMetadata> offset(long offset) {
        return Map.of(input, new OffsetAndMetadata(offset, "copied"));
    }

    private void expectCommitted(Long offset) throws Exception {
        Expect.equal(offset == null ? null : offset(offset).get(input), committed(), "committed offset");
    }

    /** A commit of a transaction is answered when it is decided; the marker for the offsets comes a moment later. */
    private void awaitCommitted(long offset) throws Exception {
        Wait.until("committed offset " + offset, () -> offset(offset).get(input).equals(committed()));
    }

    /** What an admin is told, who does not ask for stable offsets only. */
    private OffsetAndMetadata committed() throws Exception {
        String group = run.name("group");
        return run.admin().listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata().get().get(input);
    }

    static void refused(Run run) throws Exception {
        TransactionOffsets copy = new TransactionOffsets(run, "classic");
        KafkaConsumer<String, String> member = copy.consumer();
        KafkaProducer<String, String> producer = Transactions.producer(run, "id");
        copy.step(member, producer, 0);
        producer.commitTransaction();
        copy.awaitCommitted(20);
        ConsumerGroupMetadata metadata = member.groupMetadata();
        String group = metadata.groupId();
        List<ConsumerGroupMetadata> strangers = List.of(
            metadata(group, metadata.generationId() - 1, metadata.memberId()),
            metadata(group, metadata.generationId(), "stranger"));
        for (ConsumerGroupMetadata stranger : strangers) {
            producer.beginTransaction();
            Expect.fails(CommitFailedException.class, "offsets of " + stranger, () -> {
                producer.sendOffsetsToTransaction(copy.offset(99), stranger);
                return null;
            });
            producer.abortTransaction();
            copy.expectCommitted(20L);
        }
        // The producer goes on, and so does the member.
        copy.step(member, producer, 20);
        producer.commitTransaction();
        copy.awaitCommitted(40);

        // A reader that is to wait for stable offsets gets none while a transaction holds some.
        copy.step(member, producer, 40);
        KafkaConsumer<String, String> waiting = run.consumer("group.id", group,
            "isolation.level", "read_committed", "default.api.timeout.ms", 500);
        Expect.fails(TimeoutException.class, "committed while it is unstable",
            () -> waiting.committed(Set.of(copy.input)));
        producer.commitTransaction();
        Expect.equal(copy.offset(60), run.consumer("group.id", group).committed(Set.of(copy.input)), "committed");
    }

    @SuppressWarnings({"deprecation", "removal"})
    private static ConsumerGroupMetadata metadata(String group, int generation, String member) {
        return new ConsumerGroupMetadata(group, generation, member, Optional.empty());
    }
}
