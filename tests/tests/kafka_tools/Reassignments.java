import java.util.List;
import kafka.admin.ConfigCommand;
import org.apache.kafka.tools.reassign.ReassignPartitionsCommand;

/** {@code kafka-reassign-partitions}, with the throttles that it sets and takes away. */
final class Reassignments implements Session.Scenario {
    private Shell shell;

    @Override
    public void play(Shell shell) throws Exception {
        this.shell = shell;
        try (Contents contents = new Contents(shell)) {
            contents.topic("orders", 2).topic("returns", 1).records("orders", 0, 3);
            reassign("--list");
            generate();
            execute();
            toDirectories();
            throttle();
            misuse();
            reassign("--list");
        }
    }

    private void generate() throws Exception {
        for (String topics : List.of("{\"topic\":\"orders\"}", "{\"topic\":\"orders\"},{\"topic\":\"returns\"}",
                "{\"topic\":\"missing\"}", "{\"topic\":\"orders\"},{\"topic\":\"orders\"}", "", "{}")) {
            reassign("--generate --broker-list 1 --topics-to-move-json-file "
                + shell.file("{\"topics\":[" + topics + "],\"version\":1}"));
        }
        String orders = " --topics-to-move-json-file " + shell.file("{\"topics\":[{\"topic\":\"orders\"}],\"version\":1}");
        for (String brokers : List.of("1,1", "7", "1,7", "nonsense", "1 --disable-rack-aware")) {
            reassign("--generate --broker-list " + brokers + orders);
        }
        for (String file : List.of("", "nonsense", "{}", "{\"topics\":[],\"version\":2}")) {
            reassign("--generate --broker-list 1 --topics-to-move-json-file " + shell.file(file));
        }
    }

    private void execute() throws Exception {
        for (String partitions : List.of(partition("orders", 0, "1"), partition("orders", 0, "1") + ","
                + partition("orders", 1, "1"), partition("orders", 0, "7"), partition("orders", 0, "1,7"),
                partition("orders", 0, "1,1"), partition("orders", 0, ""), partition("orders", 0, "-1"),
                partition("orders", 7, "1"), partition("missing", 0, "1"), partition("orders", -1, "1"),
                partition("orders", 0, "1") + "," + partition("orders", 0, "1"),
                partition("orders", 0, "1") + "," + partition("missing", 0, "1"), "", "{}")) {
            String file = " --reassignment-json-file " + plan(partitions);
            for (String what : List.of("--execute", "--verify", "--cancel")) {
                reassign(shell.impatiently() + what + file);
            }
        }
        String two = " --reassignment-json-file " + plan(partition("orders", 0, "1,7"));
        reassign("--execute --disallow-replication-factor-change" + two);
        reassign("--execute --additional --reassignment-json-file " + plan(partition("orders", 0, "1")));
        for (String file : List.of("", "nonsense", "{}", "{\"partitions\":[],\"version\":2}")) {
            for (String what : List.of("--execute", "--verify", "--cancel")) {
                reassign(what + " --reassignment-json-file " + shell.file(file));
            }
        }
    }

    private void toDirectories() throws Exception {
        for (String directory : List.of("any", "/nowhere", "relative")) {
            String moved = "{\"topic\":\"orders\",\"partition\":0,\"replicas\":[1],\"log_dirs\":[\"" + directory + "\"]}";
            String file = " --reassignment-json-file " + plan(moved);
            reassign("--execute --timeout 1000" + file);
            reassign("--verify" + file);
        }
        reassign("--execute --reassignment-json-file " + plan(
            "{\"topic\":\"orders\",\"partition\":0,\"replicas\":[1],\"log_dirs\":[\"any\",\"any\"]}"));
    }

    private void throttle() throws Exception {
        String file = " --reassignment-json-file " + plan(partition("orders", 0, "1"));
        reassign("--execute --throttle 1000 --replica-alter-log-dirs-throttle 2000" + file);
        settings();
        reassign("--verify --preserve-throttles" + file);
        settings();
        reassign("--verify" + file);
        settings();
        reassign("--execute --throttle -5" + file);
        reassign("--execute --throttle nonsense" + file);
        reassign("--cancel --preserve-throttles" + file);
    }

    private void settings() {
        for (String who : List.of("brokers --entity-name 1", "topics --entity-name orders")) {
            shell.run("kafka-configs", ConfigCommand::main, "--describe --entity-type " + who);
        }
    }

    private void misuse() throws Exception {
        String file = " --reassignment-json-file " + plan(partition("orders", 0, "1"));
        for (String what : List.of("", "--execute", "--verify", "--cancel", "--generate", "--generate --broker-list 1",
                "--execute --verify" + file, "--list" + file, "--verify --throttle 1" + file, "--nonsense",
                "--execute --reassignment-json-file /nowhere/plan.json", "--execute --broker-list 1" + file)) {
            reassign(what);
        }
    }

    private String plan(String partitions) throws Exception {
        return shell.file("{\"version\":1,\"partitions\":[" + partitions + "]}").toString();
    }

    private static String partition(String topic, int partition, String replicas) {
        return "{\"topic\":\"" + topic + "\",\"partition\":" + partition + ",\"replicas\":[" + replicas + "]}";
    }

    private void reassign(String arguments) {
        shell.run("kafka-reassign-partitions", ReassignPartitionsCommand::main, arguments);
        // Where a topic's partitions begin on the brokers is chance.
        shell.transcript().maskLast("\"log_dirs\":\\[[^\\]]*\\],", "");
    }
}
