import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.tools.LogDirsCommand;

/** {@code kafka-log-dirs}. */
final class LogDirs implements Session.Scenario {
    @Override
    public void play(Shell shell) throws Exception {
        try (Contents contents = new Contents(shell)) {
            contents.topic("orders", 2).topic("returns", 1).topic("unused", 1);
            contents.records("orders", 0, 10).records("orders", 1, 8).records("returns", 0, 1);
            for (String what : List.of("--describe", "--describe --topic-list orders",
                    "--describe --topic-list orders,unused", "--describe --topic-list missing",
                    "--describe --topic-list orders,missing", "--describe --topic-list orders --broker-list 1",
                    "--describe --broker-list 7", "--describe --broker-list 1,7", "--describe --broker-list nonsense",
                    "--describe --broker-list -1", "--topic-list orders", "", "--describe --nonsense")) {
                shell.run("kafka-log-dirs", LogDirsCommand::main, what);
                shell.transcript().changeLast(LogDirs::byPartition);
            }
        }
    }

    /** A line for each partition, without the internal ones: what they hold is the broker's business. */
    private static String byPartition(String told) {
        List<String> lines = new ArrayList<>();
        for (String line : told.lines().toList()) {
            if (!line.startsWith("{")) {
                lines.add(line);
                continue;
            }
            try {
                for (JsonNode broker : new ObjectMapper().readTree(line).get("brokers")) {
                    add(lines, broker);
                }
            } catch (java.io.IOException error) {
                throw new UncheckedIOException(error);
            }
        }
        return String.join("\n", lines) + "\n";
    }

    private static void add(List<String> lines, JsonNode broker) {
        for (JsonNode directory : broker.get("logDirs")) {
            lines.add("broker " + broker.get("broker") + " in " + directory.get("logDir").asText() + ": "
                + directory.get("error"));
            for (JsonNode partition : directory.get("partitions")) {
                if (!partition.get("partition").asText().startsWith("__")) {
                    lines.add(partition.toString());
                }
            }
        }
    }
}
