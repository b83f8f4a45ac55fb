import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import org.apache.kafka.tools.ConsoleProducer;
import org.apache.kafka.tools.ConsumerPerformance;
import org.apache.kafka.tools.EndToEndLatency;
import org.apache.kafka.tools.ProducerPerformance;
import org.apache.kafka.tools.VerifiableConsumer;
import org.apache.kafka.tools.VerifiableProducer;
import org.apache.kafka.tools.consumer.ConsoleConsumer;

/**
 * The console and verifiable producers and consumers, and the tools that measure. Options that the verifiable ones do not
 * know end their process, and are left out.
 */
final class Clients implements Session.Scenario {
    private Shell shell;

    @Override
    public void play(Shell shell) throws Exception {
        this.shell = shell;
        try (Contents contents = new Contents(shell)) {
            contents.topic("typed", 1).topic("verifiable", 1).topic("measured", 1).topic("late", 1);
            contents.topic("small", 1, Map.of("max.message.bytes", "100"));
            type();
            read();
            verify();
            measure();
        }
    }

    private void type() {
        String keyed = " --reader-property parse.key=true --reader-property key.separator=:";
        type("--topic typed", "one\ntwo\n\nfour\n");
        type("--topic typed --sync" + keyed, "k:five\nsix\n");
        type("--topic typed" + keyed + " --reader-property ignore.error=true", "k:seven\neight\n");
        for (String codec : List.of("none", "gzip", "snappy", "lz4", "zstd", "nonsense")) {
            type("--topic typed --compression-codec " + codec, codec + "\n");
        }
        type("--topic typed --request-required-acks 0", "nobody knows\n");
        type("--topic small --sync", "x".repeat(200) + "\n");
        type("--topic a!b --sync", "illegal\n");
        type("", "nowhere\n");
    }

    private void type(String arguments, String lines) {
        InputStream input = System.in;
        System.setIn(new ByteArrayInputStream(lines.getBytes(StandardCharsets.UTF_8)));
        shell.run("kafka-console-producer", ConsoleProducer::main, arguments);
        System.setIn(input);
    }

    private void read() {
        String all = " --formatter-property print.key=true --formatter-property print.offset=true"
            + " --formatter-property print.partition=true --formatter-property print.headers=true";
        for (String what : List.of("--topic typed --from-beginning --max-messages 6" + all,
                "--topic typed --partition 0 --offset 1 --max-messages 2" + all,
                "--topic typed --partition 0 --offset earliest --max-messages 1",
                "--topic typed --partition 0 --offset nonsense", "--topic typed --offset 1",
                "--topic typed --partition 0 --offset -5",
                "--topic typed --from-beginning --max-messages 3 --isolation-level read_committed",
                "--topic typed --from-beginning --max-messages 3 --isolation-level nonsense",
                "--include ty.* --from-beginning --max-messages 1",
                "--topic typed --group reading --from-beginning --max-messages 2",
                "--topic late --from-beginning --timeout-ms 500", "--topic a!b --timeout-ms 500", "--from-beginning",
                "--topic typed --include ty.*")) {
            shell.run("kafka-console-consumer", ConsoleConsumer::main, what);
            shell.transcript().maskLast("console-consumer-\\d+", "console-consumer-NUMBER");
        }
    }

    private void verify() {
        for (String what : List.of("3", "3 --acks 1 --value-prefix 7 --repeating-keys 2",
                "3 --message-create-time " + Contents.LONG_AGO)) {
            shell.run("kafka-verifiable-producer", Shell.until("send_success", 3, VerifiableProducer::main),
                "--topic verifiable --max-messages " + what);
            withoutTimes();
        }
        for (String what : List.of("classic", "consumer")) {
            shell.run("kafka-verifiable-consumer", VerifiableConsumer::main, "--topic verifiable --group-id " + what
                + " --group-protocol " + what + " --max-messages 9 --reset-policy earliest");
            withoutTimes();
        }
    }

    private void withoutTimes() {
        shell.transcript().maskLast("\"timestamp\":\\d+", "\"timestamp\":TIME");
        shell.transcript().maskLast("\"avg_throughput\":[\\d.]+", "\"avg_throughput\":NUMBER");
    }

    private void measure() {
        for (String what : List.of("--num-records 10 --record-size 100 --throughput -1",
                "--num-records 10 --record-size 100 --throughput 1000 --warmup-records 5",
                "--num-records 10 --record-size 100 --throughput -1 --transactional-id measured",
                "--num-records 10 --throughput -1")) {
            shell.run("kafka-producer-perf-test", ProducerPerformance::main, "--topic measured " + what);
            measured();
        }
        for (String what : List.of("--topic measured --num-records 20", "--topic measured --num-records 20 --hide-header",
                "--topic measured --num-records 20 --show-detailed-stats", "--topic late --num-records 5 --timeout 500",
                "--topic measured")) {
            shell.run("kafka-consumer-perf-test", ConsumerPerformance::main, what);
            measured();
        }
        for (String what : List.of("--topic measured --num-records 20 --producer-acks 1 --record-size 50",
                "--topic measured --num-records 20 --producer-acks 0 --record-size 50", "--topic measured")) {
            shell.run("kafka-e2e-latency", EndToEndLatency::main, what);
            measured();
        }
    }

    private void measured() {
        shell.transcript().maskLast("-?\\d+([.:-]\\d+)*", "NUMBER");
    }
}
