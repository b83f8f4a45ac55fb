import java.util.List;
import org.apache.kafka.tools.LeaderElectionCommand;

/** {@code kafka-leader-election}. */
final class Elections implements Session.Scenario {
    private Shell shell;

    @Override
    public void play(Shell shell) throws Exception {
        this.shell = shell;
        try (Contents contents = new Contents(shell)) {
            contents.topic("orders", 2);
            for (String type : List.of("preferred", "unclean")) {
                for (String what : List.of("--all-topic-partitions", "--topic orders --partition 0",
                        "--topic orders --partition 7", "--topic missing --partition 0",
                        "--topic orders --partition -1", "--topic orders")) {
                    elect("--election-type " + type + " " + what);
                }
                for (String partitions : List.of(partition("orders", 0), partition("orders", 0) + ","
                        + partition("orders", 1), partition("missing", 0), partition("orders", 0) + ","
                        + partition("orders", 0), partition("orders", 1) + "," + partition("orders", 7), "")) {
                    elect("--election-type " + type + " --path-to-json-file "
                        + shell.file("{\"partitions\":[" + partitions + "]}"));
                }
            }
            for (String file : List.of("", "nonsense", "{}", "{\"partitions\":{}}", "{\"partitions\":[{}]}")) {
                elect("--election-type preferred --path-to-json-file " + shell.file(file));
            }
            for (String what : List.of("", "--election-type preferred", "--all-topic-partitions",
                    "--election-type nonsense --all-topic-partitions",
                    "--election-type preferred --all-topic-partitions --topic orders",
                    "--election-type preferred --all-topic-partitions --partition 1",
                    "--election-type preferred --path-to-json-file /nowhere/partitions.json", "--nonsense")) {
                elect(what);
            }
        }
    }

    private static String partition(String topic, int partition) {
        return "{\"topic\":\"" + topic + "\",\"partition\":" + partition + "}";
    }

    private void elect(String arguments) {
        shell.run("kafka-leader-election", LeaderElectionCommand::main, arguments);
    }
}
