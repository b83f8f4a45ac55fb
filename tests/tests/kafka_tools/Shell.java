import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ListTopicsOptions;
import org.apache.kafka.common.utils.Exit;

/** Runs tools against a broker and notes what they say. */
final class Shell implements AutoCloseable {
    /** Where this stands in the arguments the broker's address is put. Elsewhere a tool is told it in its first option. */
    private static final String ADDRESS = "ADDRESS";

    /** The settings of a client that soon gives up waiting for what will not come. */
    private static final String IMPATIENT = "default.api.timeout.ms=1000\nrequest.timeout.ms=1000\n"
        + "retry.backoff.ms=400\nretry.backoff.max.ms=400\n";

    private static final Duration SOON = Duration.ofSeconds(60);

    private final String bootstrap;
    private final Transcript transcript = new Transcript();
    /** The files that tools are given, with what stands in place of their names in the transcript. */
    private final Map<Path, String> files = new LinkedHashMap<>();

    Shell(String bootstrap) {
        this.bootstrap = bootstrap;
    }

    /** The main function of a tool. */
    interface Tool {
        void main(String[] arguments) throws Exception;
    }

    String bootstrap() {
        return bootstrap;
    }

    Transcript transcript() {
        return transcript;
    }

    Admin admin() {
        return Admin.create(Map.of("bootstrap.servers", bootstrap));
    }

    /** The topic of the offsets is made for the first group, whichever scenario that is in. */
    void makeOffsetsTopic() throws Exception {
        await("a coordinator", admin -> admin.listConsumerGroupOffsets("nobody").all().get() != null);
        ListTopicsOptions all = new ListTopicsOptions().listInternal(true);
        await("the topic", admin -> admin.listTopics(all).names().get().contains("__consumer_offsets"));
    }

    /** A file that tools can be given. In the transcript its content stands in place of its name. */
    Path file(String content) throws IOException {
        return file(content, content.replaceAll("\\s+", " ").strip());
    }

    /** The same, with a name for the transcript. */
    Path file(String content, String shown) throws IOException {
        Path file = Files.createTempFile("tool", ".txt");
        Files.writeString(file, content);
        files.put(file, shown);
        return file;
    }

    /** What is asked for again and again, until it holds. */
    interface Condition {
        boolean holds(Admin admin) throws Exception;
    }

    /** Waits: what the controller of Apache Kafka has said, its broker learns a moment later. */
    void await(String what, Condition condition) throws Exception {
        long deadline = System.nanoTime() + SOON.toNanos();
        try (Admin admin = admin()) {
            while (!condition.holds(admin)) {
                if (System.nanoTime() > deadline) {
                    throw new IllegalStateException("waited in vain for " + what);
                }
            }
        }
    }

    /** A tool that goes on in the background; this waits until it has told a text so often, and hides what follows. */
    static Tool until(String text, int times, Tool tool) {
        return line -> {
            CountDownLatch told = new CountDownLatch(times);
            System.setOut(new PrintStream(System.out, true) {
                @Override
                public void println(String line) {
                    if (told.getCount() > 0) {
                        super.println(line);
                    }
                    if (line.contains(text)) {
                        told.countDown();
                    }
                }
            });
            tool.main(line);
            if (!told.await(SOON.toSeconds(), TimeUnit.SECONDS)) {
                throw new IllegalStateException("waited in vain for " + text);
            }
        };
    }

    /** An option for a tool that would wait for a minute. How often it tries in a second is chance, and masked. */
    String impatiently() throws IOException {
        return "--command-config " + file(IMPATIENT, "IMPATIENT") + " ";
    }

    /** Runs a tool with arguments without spaces in them, and gives what it wrote to standard output. */
    String run(String name, Tool tool, String... arguments) {
        String shown = String.join(" ", arguments).strip();
        String line = shown.contains(ADDRESS)
            ? shown.replace(ADDRESS, bootstrap) : "--bootstrap-server " + bootstrap + " " + shown;
        Output output = new Output();
        int code = output.capture(() -> tool.main(line.split(" ")));
        transcript.add(masked(name + " " + shown).strip(), code, masked(output.told()), masked(output.complained()));
        return output.told();
    }

    private String masked(String text) {
        String masked = text;
        for (Map.Entry<Path, String> file : files.entrySet()) {
            masked = masked.replace(file.getKey().toString(), file.getValue());
        }
        return masked;
    }

    @Override
    public void close() throws IOException {
        for (Path file : files.keySet()) {
            Files.deleteIfExists(file);
        }
    }

    /** What a tool writes until it would end the process. Some catch that too and complain; nobody would read it. */
    private static final class Output {
        private final ByteArrayOutputStream told = new ByteArrayOutputStream();
        private final ByteArrayOutputStream complained = new ByteArrayOutputStream();

        String told() {
            return told.toString(StandardCharsets.UTF_8);
        }

        String complained() {
            return complained.toString(StandardCharsets.UTF_8);
        }

        /** Gives the exit code. */
        int capture(ToolRun run) {
            PrintStream output = System.out;
            PrintStream errors = System.err;
            List<Integer> codes = new ArrayList<>();
            Exit.setExitProcedure((code, message) -> {
                codes.add(code);
                System.setOut(new PrintStream(OutputStream.nullOutputStream()));
                System.setErr(new PrintStream(OutputStream.nullOutputStream()));
                throw new Ended();
            });
            List<Runnable> hooks = new ArrayList<>();
            Exit.setShutdownHookAdder((ignored, hook) -> hooks.add(hook));
            System.setOut(new PrintStream(told, true, StandardCharsets.UTF_8));
            System.setErr(new PrintStream(complained, true, StandardCharsets.UTF_8));
            try {
                run.run();
            } catch (Ended ended) {
                // The exit code was noted.
            } catch (Exception error) {
                complained.writeBytes((error + "\n").getBytes(StandardCharsets.UTF_8));
                codes.add(1);
            } finally {
                hooks.forEach(Runnable::run);
                System.setOut(output);
                System.setErr(errors);
                Exit.resetExitProcedure();
                Exit.resetShutdownHookAdder();
            }
            return codes.isEmpty() ? 0 : codes.get(0);
        }
    }

    private interface ToolRun {
        void run() throws Exception;
    }

    /** Thrown where a tool would end the process. */
    private static final class Ended extends Error {
        private static final long serialVersionUID = 1;
    }
}
