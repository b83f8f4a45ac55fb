import java.io.PrintStream;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.server.util.ShutdownableThread;
import org.apache.kafka.tools.ReplicaVerificationTool;

/** {@code kafka-replica-verification}, which goes on until its process ends: its first report is waited for. */
final class ReplicaVerification implements Session.Scenario {
    private static final long SOON_MS = 30_000;

    @Override
    public void play(Shell shell) throws Exception {
        try (Contents contents = new Contents(shell)) {
            contents.topic("verified", 1).records("verified", 0, 10);
            for (String what : List.of("--time -2", "--time -1", "--time " + (Contents.LONG_AGO + 1500))) {
                verify(shell, "--broker-list ADDRESS --topics-include verified --report-interval-ms 200 --max-wait-ms 100 " + what,
                    true);
            }
            for (String what : List.of("--broker-list ADDRESS --topics-include missing",
                    "--broker-list ADDRESS --topics-include [", "--broker-list ADDRESS --time nonsense",
                    "--broker-list nonsense,ADDRESS:x", "--topics-include verified --broker-list", "--nonsense ADDRESS")) {
                verify(shell, what, false);
            }
        }
    }

    private static void verify(Shell shell, String arguments, boolean reports) {
        CountDownLatch reported = new CountDownLatch(reports ? 1 : 0);
        shell.run("kafka-replica-verification", line -> {
            System.setOut(new PrintStream(System.out, true) {
                @Override
                public void println(String text) {
                    // There are more reports as long as it runs.
                    if (reported.getCount() > 0 || !reports) {
                        super.println(text);
                    }
                    if (text.contains("max lag is")) {
                        reported.countDown();
                    }
                }
            });
            ReplicaVerificationTool.main(line);
            if (!reported.await(SOON_MS, TimeUnit.MILLISECONDS)) {
                throw new IllegalStateException("no report");
            }
            for (Thread thread : Thread.getAllStackTraces().keySet()) {
                if (thread instanceof ShutdownableThread fetcher) {
                    fetcher.shutdown();
                }
            }
        }, arguments);
        shell.transcript().maskLast("(?m)^[\\d-]+ [\\d:,]+: ", "TIME: ");
    }
}
