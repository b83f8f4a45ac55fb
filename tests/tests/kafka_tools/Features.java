import java.util.List;
import org.apache.kafka.tools.FeatureCommand;

/** {@code kafka-features}. What is changed is put back. */
final class Features implements Session.Scenario {
    @Override
    public void play(Shell shell) {
        for (String what : List.of("describe", "describe --node-id 1", "describe --node-id -1", "",
                "version-mapping", "version-mapping --release-version 4.0", "version-mapping --release-version 3.9-IV0",
                "version-mapping --release-version nonsense", "feature-dependencies --feature metadata.version=30",
                "feature-dependencies --feature transaction.version=2 --feature group.version=1",
                "feature-dependencies --feature nonsense=1", "feature-dependencies --feature group.version=9",
                "feature-dependencies --feature nonsense", "feature-dependencies",
                "upgrade", "upgrade --feature transaction.version=2", "upgrade --feature transaction.version=1",
                "upgrade --feature transaction.version=9", "upgrade --feature nonsense=1", "upgrade --feature nonsense",
                "upgrade --feature nonsense=x", "upgrade --feature group.version=1 --feature group.version=1",
                "upgrade --feature group.version=1 --feature transaction.version=9",
                "upgrade --feature metadata.version=31", "upgrade --feature metadata.version=30",
                "upgrade --feature metadata.version=5", "upgrade --feature metadata.version=-1",
                "upgrade --metadata 4.3 --dry-run", "upgrade --metadata nonsense",
                "upgrade --metadata 4.3 --feature metadata.version=30 --dry-run",
                "upgrade --release-version 4.3 --feature group.version=1", "upgrade --release-version nonsense",
                "upgrade --release-version 4.3 --dry-run",
                "downgrade --feature transaction.version=1 --dry-run", "downgrade --feature transaction.version=2",
                "downgrade --feature transaction.version=9", "downgrade --feature nonsense=1",
                "downgrade --feature metadata.version=29 --dry-run", "downgrade --feature metadata.version=7 --dry-run",
                "downgrade --feature metadata.version=29 --unsafe --dry-run",
                "downgrade --feature metadata.version=0 --unsafe --dry-run", "downgrade --metadata 3.9 --dry-run",
                "downgrade --release-version 4.2 --dry-run", "downgrade",
                "disable --feature group.version --dry-run", "disable --feature nonsense --dry-run",
                "disable --feature metadata.version --dry-run", "disable --feature metadata.version --unsafe --dry-run",
                "disable --feature transaction.version --feature transaction.version", "disable", "nonsense",
                "downgrade --feature transaction.version=1", "describe", "upgrade --feature transaction.version=2",
                "disable --feature group.version", "upgrade --feature group.version=1", "describe")) {
            shell.run("kafka-features", FeatureCommand::main, what);
            shell.transcript().maskLast("Epoch: \\d+", "Epoch: EPOCH");
        }
    }
}
