import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;

/** A broker in memory on a free port, for a test. */
public final class Ottla implements AutoCloseable {
    private final Process process;
    private final String bootstrap;

    public Ottla() throws IOException {
        process = new ProcessBuilder("ottla", "serve", "--memory", "--listen", "127.0.0.1:0")
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
        var output = new BufferedReader(new InputStreamReader(process.getInputStream()));
        String ready = output.readLine();
        if (ready == null || !ready.startsWith("ottla ready ")) {
            process.destroyForcibly();
            throw new IOException("The broker did not start; see its log on standard error.");
        }
        bootstrap = ready.substring("ottla ready ".length());
    }

    /** What clients take as bootstrap.servers. */
    public String bootstrap() {
        return bootstrap;
    }

    @Override
    public void close() {
        process.destroy();
        process.onExit().join();
    }
}
