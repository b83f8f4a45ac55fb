import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.StringSerializer;
import org.apache.kafka.tools.TransactionsCommand;

/** {@code kafka-transactions}: an open transaction, one that was committed, one that was aborted, and none. */
final class Transactions implements Session.Scenario {
    private Shell shell;

    @Override
    public void play(Shell shell) throws Exception {
        this.shell = shell;
        try (Contents contents = new Contents(shell);
                KafkaProducer<String, String> open = producer("open");
                KafkaProducer<String, String> done = producer("done");
                KafkaProducer<String, String> given = producer("given-up");
                KafkaProducer<String, String> idle = producer("idle")) {
            contents.topic("payments", 2).topic("returns", 1);
            contents.records("payments", 0, 1);
            for (KafkaProducer<String, String> producer : List.of(done, given, open)) {
                producer.initTransactions();
                producer.beginTransaction();
                producer.send(new ProducerRecord<>("payments", 0, "k", "v")).get();
                producer.send(new ProducerRecord<>("payments", 1, "k", "v")).get();
                if (producer == done) {
                    producer.commitTransaction();
                } else if (producer == given) {
                    producer.abortTransaction();
                }
            }
            idle.initTransactions();
            list();
            describe();
            findHanging();
            abort();
        }
    }

    private KafkaProducer<String, String> producer(String id) {
        Map<String, Object> settings = Map.of("bootstrap.servers", shell.bootstrap(), "transactional.id", id);
        return new KafkaProducer<>(settings, new StringSerializer(), new StringSerializer());
    }

    private void list() {
        for (String what : List.of("", " --duration-filter 0", " --duration-filter -1", " --duration-filter 3600000",
                " --duration-filter nonsense", " --transactional-id-pattern .*n.*", " --transactional-id-pattern open",
                " --transactional-id-pattern ope", " --transactional-id-pattern missing",
                " --transactional-id-pattern [", " --transactional-id-pattern .* --duration-filter 0")) {
            transactions("list" + what);
            shell.transcript().maskLast("(?m)^(\\S+\\s+1\\s+)\\d+", "$1PRODUCER");
        }
    }

    private void describe() throws Exception {
        for (String what : List.of("--transactional-id open", "--transactional-id done", "--transactional-id given-up",
                "--transactional-id idle", "--transactional-id missing", "")) {
            transactions("describe " + what);
            shell.transcript().maskLast("(?m)^(1\\s+\\S+\\s+)\\d+", "$1PRODUCER");
            shell.transcript().maskLast("(?m)(60000\\s+)\\d+(\\s+)\\d+", "$1TIME$2DURATION");
            // Its partitions have no order.
            shell.transcript().maskLast("payments-1,payments-0", "payments-0,payments-1");
        }
        for (String what : List.of("--topic payments --partition 0", "--topic payments --partition 1",
                "--topic payments --partition 0 --broker-id 1", "--topic returns --partition 0",
                "--topic payments", "--partition 0",
                "--topic payments --partition nonsense")) {
            transactions("describe-producers " + what);
            shell.transcript().maskLast("(?m)^\\d+(\\s+\\d+\\s+\\S+\\s+\\d+\\s+)\\d+", "PRODUCER$1TIME");
        }
        for (String what : List.of("--topic payments --partition 7", "--topic missing --partition 0",
                "--topic payments --partition 7 --broker-id 1", "--topic missing --partition 0 --broker-id 1")) {
            transactions(shell.impatiently() + "describe-producers " + what);
        }
    }

    private void findHanging() throws Exception {
        for (String what : List.of("--broker-id 1", "--topic payments", "--topic payments --partition 0",
                "--topic payments --max-transaction-timeout 0", "--broker-id 1 --max-transaction-timeout 0",
                "--topic missing", "--partition 0", "--topic payments --broker-id 1", "")) {
            transactions(shell.impatiently() + "find-hanging " + what);
        }
    }

    private void abort() throws Exception {
        for (String what : List.of("", "--topic payments --partition 0", "--topic payments --partition 0 --start-offset 0",
                "--topic payments --partition 0 --start-offset 99",
                "--topic payments --partition 0 --producer-id 7", "--topic payments --partition 0 --producer-id 7 --producer-epoch 0",
                "--topic payments --partition 0 --producer-id 777777 --producer-epoch 0 --coordinator-epoch 0",
                "--topic payments --partition 0 --producer-id 777777 --producer-epoch 0 --coordinator-epoch -1",
                // Behind a record, and two transactions with their markers.
                "--topic payments --partition 0 --start-offset 5")) {
            transactions(shell.impatiently() + "abort " + what);
            shell.transcript().maskLast("producerId=\\d+", "producerId=PRODUCER");
        }
        transactions("describe-producers --topic payments --partition 0");
        shell.transcript().maskLast("(?m)^\\d+(\\s+\\d+\\s+\\S+\\s+-?\\d+\\s+)\\d+", "PRODUCER$1TIME");
        for (String what : List.of("--transactionalId open", "--transactionalId open", "--transactionalId idle",
                "--transactionalId missing", "")) {
            transactions(shell.impatiently() + "forceTerminateTransaction " + what);
        }
        list();
        transactions("nonsense");
        transactions("");
    }

    private void transactions(String arguments) {
        shell.run("kafka-transactions", TransactionsCommand::main, arguments);
    }
}
