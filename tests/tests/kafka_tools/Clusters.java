import java.util.List;
import org.apache.kafka.tools.ClusterTool;

/** {@code kafka-cluster}. Options that it does not know end its process, and are left out. */
final class Clusters implements Session.Scenario {
    @Override
    public void play(Shell shell) throws Exception {
        String settings = shell.file("client.id=tool\n", "SETTINGS").toString();
        for (String what : List.of("cluster-id --bootstrap-server ADDRESS", "cluster-id -b ADDRESS -c " + settings,
                "cluster-id --bootstrap-server ADDRESS --config " + settings,
                "cluster-id --bootstrap-server ADDRESS --config " + settings + " --command-config " + settings,
                "cluster-id --bootstrap-server ADDRESS --command-config /nowhere/settings",
                "list-endpoints --bootstrap-server ADDRESS",
                "list-endpoints --bootstrap-server ADDRESS --include-fenced-brokers",
                "list-endpoints --bootstrap-controller ADDRESS --include-fenced-brokers",
                "unregister --bootstrap-server ADDRESS --id 7", "unregister --bootstrap-server ADDRESS --id -1",
                "unregister --bootstrap-server ADDRESS --id 2147483647")) {
            shell.run("kafka-cluster", ClusterTool::main, what);
            shell.transcript().maskLast("127.0.0.1 +\\d+", "127.0.0.1 PORT");
        }
    }
}
