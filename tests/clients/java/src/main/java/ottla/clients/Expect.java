package ottla.clients;

import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;

/** Expectations. What is expected comes first, as in the messages. */
final class Expect {
    /** Longer values (whole lists of records) would drown the message. */
    private static final int MAX_SHOWN = 300;

    private Expect() {
    }

    static void that(boolean holds, String what) {
        if (!holds) {
            throw new AssertionError(what);
        }
    }

    static void equal(Object expected, Object actual, String what) {
        that(Objects.equals(expected, actual), what + ": expected " + show(expected) + ", got " + show(actual));
    }

    static void within(long low, long high, long actual, String what) {
        that(low <= actual && actual <= high,
            what + ": expected " + low + " to " + high + ", got " + actual);
    }

    /** The action must throw exactly this class, directly or as the outcome of a future. */
    static <E extends Throwable> E fails(Class<E> error, String what, Callable<?> action) {
        Object result;
        try {
            result = action.call();
        } catch (Throwable e) {
            Throwable cause = e instanceof ExecutionException ? e.getCause() : e;
            if (cause.getClass() == error) {
                return error.cast(cause);
            }
            throw new AssertionError(what + ": expected " + error.getSimpleName() + ", got " + cause, cause);
        }
        throw new AssertionError(
            what + ": expected " + error.getSimpleName() + ", but it succeeded with " + show(result));
    }

    private static String show(Object value) {
        String text = String.valueOf(value);
        return text.length() <= MAX_SHOWN ? text : text.substring(0, MAX_SHOWN) + "...";
    }
}
