import java.util.List;
import org.apache.kafka.tools.ClientMetricsCommand;

/** {@code kafka-client-metrics}. */
final class ClientMetrics implements Session.Scenario {
    @Override
    public void play(Shell shell) {
        for (String what : List.of("--list", "--describe", "--describe --name slow", "--delete --name slow",
                "--alter --name slow --interval 1000 --metrics a.,b. --match client_id=x.*,client_software_name=kafka",
                "--alter --name fast --interval 100 --metrics *", "--describe", "--describe --name slow", "--list",
                "--alter --name slow --interval 99", "--alter --name slow --interval 3600001",
                "--alter --name slow --interval 0", "--alter --name slow --interval -1",
                "--alter --name slow --interval nonsense", "--alter --name slow --match nonsense",
                "--alter --name slow --match client_id=[", "--alter --name slow --match nonsense=x",
                "--alter --name slow --match client_id=a,client_id=b", "--alter --name slow --metrics ",
                "--alter --name slow --interval", "--describe --name slow", "--alter --name slow",
                "--alter --interval 1000", "--alter --name other --generate-name --interval 1000", "--delete",
                "--describe --name missing", "--delete --name missing", "--list --describe", "--list --interval 1000",
                "--describe --metrics a", "--delete --name slow --interval 1000", "", "--nonsense",
                "--delete --name slow", "--delete --name slow", "--delete --name fast", "--list", "--describe")) {
            shell.run("kafka-client-metrics", ClientMetricsCommand::main, what);
        }
    }
}
