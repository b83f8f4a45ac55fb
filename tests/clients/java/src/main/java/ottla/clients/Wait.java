package ottla.clients;

import java.time.Duration;
import java.util.concurrent.Callable;

/** Waits for conditions. A condition asks the broker or polls a consumer each time, so the loop does not spin. */
final class Wait {
    /** For what is expected to happen soon. */
    static final Duration SOON = Duration.ofSeconds(20);
    /** How long one poll of a consumer may block when several have to take turns. */
    static final Duration TURN = Duration.ofMillis(50);

    private Wait() {
    }

    static void until(String what, Callable<Boolean> condition) throws Exception {
        until(what, SOON, condition);
    }

    static void until(String what, Duration limit, Callable<Boolean> condition) throws Exception {
        long deadline = System.nanoTime() + limit.toNanos();
        while (!condition.call()) {
            if (Thread.interrupted()) {
                throw new InterruptedException();
            }
            Expect.that(System.nanoTime() < deadline, "waited " + limit.toMillis() + " ms in vain: " + what);
        }
    }
}
