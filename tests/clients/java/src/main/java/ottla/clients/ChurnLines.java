package ottla.clients;

import java.io.PrintStream;
import java.time.Instant;
import java.util.Collection;
import java.util.stream.Collectors;
import org.apache.kafka.common.TopicPartition;

/** Tells the harness what members see, each line with the time and written at once. */
final class ChurnLines {
    private final PrintStream out;

    ChurnLines(PrintStream out) {
        this.out = out;
    }

    void say(int member, String what) {
        Instant now = Instant.now();
        long micros = now.getEpochSecond() * 1_000_000 + now.getNano() / 1_000;
        out.println(micros + " " + member + " " + what.replaceAll("\\s+", " "));
    }

    static String numbers(Collection<TopicPartition> partitions) {
        if (partitions.isEmpty()) {
            return "-";
        }
        return partitions.stream().map(p -> String.valueOf(p.partition())).collect(Collectors.joining(","));
    }
}
