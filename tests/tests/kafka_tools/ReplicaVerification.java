import java.util.List;
import org.apache.kafka.server.util.ShutdownableThread;
import org.apache.kafka.tools.ReplicaVerificationTool;

/** {@code kafka-replica-verification}, which goes on until its process ends: its first report is waited for. */
final class ReplicaVerification implements Session.Scenario {
    @Override
    public void play(Shell shell) throws Exception {
        try (Contents contents = new Contents(shell)) {
            contents.topic("verified", 1).records("verified", 0, 10);
            String often = "--broker-list ADDRESS --topics-include verified --report-interval-ms 200 --max-wait-ms 100 ";
            for (String what : List.of(often + "--time -2", often + "--time -1", often + "--time "
                    + (Contents.LONG_AGO + 1500), "--broker-list ADDRESS --topics-include missing",
                    "--broker-list ADDRESS --topics-include [", "--broker-list ADDRESS --time nonsense",
                    "--broker-list nonsense,ADDRESS:x", "--topics-include verified --broker-list", "--nonsense ADDRESS")) {
                shell.run("kafka-replica-verification", ReplicaVerification::verify, what);
                shell.transcript().maskLast("(?m)^[\\d-]+ [\\d:,]+: ", "TIME: ");
            }
        }
    }

    private static void verify(String[] arguments) throws Exception {
        Shell.until("max lag is", 1, ReplicaVerificationTool::main).main(arguments);
        for (Thread thread : Thread.getAllStackTraces().keySet()) {
            if (thread instanceof ShutdownableThread fetcher) {
                fetcher.shutdown();
            }
        }
    }
}
