import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TimeZone;

/**
 * Plays the scenarios of Apache Kafka's tools in one virtual machine, against one broker, and writes what the tools say of
 * it, a file for each scenario, with everything masked that no two brokers have in common.
 *
 * <p>Arguments: the broker's address, the directory to write to, and the names of the scenarios to play; without a name all
 * of them are.
 */
public final class Session {
    /** A scenario makes what it needs and takes it away again, so that each can be played alone. */
    interface Scenario {
        void play(Shell shell) throws Exception;
    }

    private Session() {
    }

    private static Map<String, Scenario> scenarios() {
        Map<String, Scenario> scenarios = new LinkedHashMap<>();
        scenarios.put("groups", new Groups());
        scenarios.put("offsets", new Offsets());
        scenarios.put("configs", new Configs());
        scenarios.put("quotas", new Quotas());
        scenarios.put("topics", new Topics());
        scenarios.put("delete-records", new DeletedRecords());
        scenarios.put("log-dirs", new LogDirs());
        scenarios.put("api-versions", new ApiVersions());
        scenarios.put("features", new Features());
        scenarios.put("transactions", new Transactions());
        scenarios.put("leader-election", new Elections());
        scenarios.put("reassign-partitions", new Reassignments());
        scenarios.put("cluster", new Clusters());
        scenarios.put("metadata-quorum", new Quorum());
        scenarios.put("client-metrics", new ClientMetrics());
        scenarios.put("replica-verification", new ReplicaVerification());
        scenarios.put("clients", new Clients());
        scenarios.put("without-security", new WithoutSecurity());
        return scenarios;
    }

    public static void main(String[] arguments) throws Exception {
        Locale.setDefault(Locale.ROOT);
        TimeZone.setDefault(TimeZone.getTimeZone("UTC"));
        List<String> chosen = List.of(arguments).subList(2, arguments.length);
        for (Map.Entry<String, Scenario> scenario : scenarios().entrySet()) {
            if (chosen.isEmpty() || chosen.contains(scenario.getKey())) {
                try (Shell shell = new Shell(arguments[0])) {
                    scenario.getValue().play(shell);
                    Path file = Path.of(arguments[1], scenario.getKey() + ".txt");
                    Files.writeString(file, shell.transcript().text());
                }
            }
        }
        // A tool that was stopped in the middle may have left a thread behind.
        System.exit(0);
    }
}
