package ottla.clients;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;

/** The harness's hand on the broker's process. */
final class Broker {
    private final BufferedReader answers;
    private final PrintStream out;

    Broker(InputStream in, PrintStream out) {
        this.answers = new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8));
        this.out = out;
    }

    /** Stops the broker in an orderly way and starts it again on the same data. */
    void restart() throws IOException {
        ask("restart");
    }

    /** Kills the broker and starts it again on the same data. */
    void kill() throws IOException {
        ask("kill");
    }

    // Synchronized so that one question is answered before the next: the thread of a scenario that ran out of
    // its time may still be waiting here.
    private synchronized void ask(String what) throws IOException {
        out.println("BROKER " + what);
        String answer = answers.readLine();
        if (!"READY".equals(answer)) {
            throw new IOException("the harness answered " + answer + " to BROKER " + what);
        }
    }
}
