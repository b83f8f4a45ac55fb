import java.util.List;
import org.apache.kafka.tools.MetadataQuorumCommand;

/** {@code kafka-metadata-quorum}. */
final class Quorum implements Session.Scenario {
    @Override
    public void play(Shell shell) throws Exception {
        String settings = shell.file("client.id=tool\n", "SETTINGS").toString();
        for (String what : List.of("describe --status", "describe --replication", "describe --replication --human-readable",
                "describe", "describe --status --replication", "describe --status --human-readable",
                "--command-config " + settings + " describe --status", "--command-config /nowhere/settings describe --status",
                "add-controller", "--command-config " + settings + " add-controller",
                "remove-controller --controller-id 7 --controller-directory-id AAAAAAAAAAAAAAAAAAAAZg",
                "remove-controller --controller-id 7 --controller-directory-id AAAAAAAAAAAAAAAAAAAAZg --dry-run",
                "remove-controller --controller-id -7 --controller-directory-id AAAAAAAAAAAAAAAAAAAAZg",
                "remove-controller --controller-id 7 --controller-directory-id nonsense", "remove-controller", "nonsense",
                "")) {
            shell.run("kafka-metadata-quorum", MetadataQuorumCommand::main, what);
            shell.transcript().maskLast("(LeaderEpoch|HighWatermark): +\\d+", "$1: NUMBER");
            // The offset of the metadata's log, and times.
            shell.transcript().maskLast("(?m)^1(\\s+\\S+)\\s+\\d+", "1$1 OFFSET");
            shell.transcript().maskLast("\\d+ ms ago", "TIME ago");
        }
    }
}
