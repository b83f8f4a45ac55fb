import java.util.List;
import org.apache.kafka.tools.GetOffsetShell;

/** {@code kafka-get-offsets}. */
final class Offsets implements Session.Scenario {
    /** A century later than all records. */
    private static final long NEVER = Contents.LONG_AGO + 1000L * 86_400 * 36_500;

    @Override
    public void play(Shell shell) throws Exception {
        shell.makeOffsetsTopic();
        try (Contents contents = new Contents(shell)) {
            contents.topic("orders", 2).topic("returns", 1).topic("unused", 1);
            contents.records("orders", 0, 10).records("orders", 1, 8).records("returns", 0, 1);
            for (String time : List.of("-1", "-2", "-3", "-4", "-5", "-6", "-7", "0", "earliest", "latest",
                    "max-timestamp", "earliest-local", "latest-tiered", "earliest-pending-upload",
                    "" + (Contents.LONG_AGO + 1500), "" + (Contents.LONG_AGO + 9000), "" + NEVER, "nonsense")) {
                offsets(shell, "--topic orders --time " + time);
            }
            for (String what : List.of("--topic orders", "--topic orders --partitions 1", "--topic orders --partitions 0,1",
                    "--topic orders --partitions 7", "--topic orders --partitions nonsense", "--topic missing",
                    "--topic unused --time max-timestamp", "--topic-partitions orders:0,returns:0-3",
                    "--topic-partitions orders:-1", "--topic-partitions orders:1-", "--topic-partitions :0",
                    "--topic-partitions orders:x", "--topic-partitions orders:0 --topic orders", "--topic o.*",
                    "--exclude-internal-topics", "--time earliest --exclude-internal-topics", "--nonsense")) {
                offsets(shell, what);
            }
        }
    }

    private static void offsets(Shell shell, String arguments) {
        shell.run("kafka-get-offsets", GetOffsetShell::main, arguments);
    }
}
