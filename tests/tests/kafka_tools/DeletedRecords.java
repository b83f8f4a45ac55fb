import java.util.List;
import java.util.Map;
import org.apache.kafka.tools.DeleteRecordsCommand;
import org.apache.kafka.tools.GetOffsetShell;

/** {@code kafka-delete-records}. */
final class DeletedRecords implements Session.Scenario {
    private Shell shell;

    @Override
    public void play(Shell shell) throws Exception {
        this.shell = shell;
        try (Contents contents = new Contents(shell)) {
            contents.topic("old", 2).topic("kept", 1, Map.of("cleanup.policy", "compact"));
            contents.topic("both", 1, Map.of("cleanup.policy", "compact,delete", "retention.ms", "-1"));
            contents.records("old", 0, 10).records("old", 1, 5).records("kept", 0, 3).records("both", 0, 3);
            delete(partition("old", 0, 3));
            delete(partition("old", 0, 3) + "," + partition("old", 1, -1));
            for (String partitions : List.of(partition("old", 0, 2), partition("old", 0, 10), partition("old", 1, 6),
                    partition("old", 0, -2), partition("kept", 0, 1),
                    partition("both", 0, 2), partition("old", 0, 4) + "," + partition("old", 0, 5),
                    partition("old", 0, 99) + "," + partition("kept", 0, 1), "",
                    "{\"topic\":\"old\"}", "{\"topic\":\"old\",\"partition\":0}", partition("old", 0, 1) + ",")) {
                delete(partitions);
            }
            for (String partitions : List.of(partition("old", 7, 1), partition("missing", 0, 1),
                    partition("old", 7, 1) + "," + partition("kept", 0, 1))) {
                delete(shell.impatiently(), partitions);
            }
            for (String file : List.of("", "nonsense", "{}", "[]", "{\"partitions\":{}}", "{\"partitions\":\"x\"}",
                    "{\"partitions\":[],\"version\":2}", "{\"partitions\":[],\"version\":\"x\"}")) {
                records("--offset-json-file " + shell.file(file));
            }
            records("");
            records("--offset-json-file " + shell.file("x") + " --nonsense");
            records("--offset-json-file /nowhere/offsets.json");
            shell.run("kafka-get-offsets", GetOffsetShell::main, "--time earliest --exclude-internal-topics");
        }
    }

    private static String partition(String topic, int partition, long offset) {
        return "{\"topic\":\"" + topic + "\",\"partition\":" + partition + ",\"offset\":" + offset + "}";
    }

    private void delete(String partitions) throws Exception {
        delete("", partitions);
    }

    private void delete(String options, String partitions) throws Exception {
        records(options + "--offset-json-file " + shell.file("{\"partitions\":[" + partitions + "],\"version\":1}"));
    }

    private void records(String arguments) {
        shell.run("kafka-delete-records", DeleteRecordsCommand::main, arguments);
    }
}
