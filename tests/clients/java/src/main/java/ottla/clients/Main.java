package ottla.clients;

import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** Runs the scenarios one after the other and tells the harness how each one ended. */
public final class Main {
    private static final long SCENARIO_SECONDS = 60;
    /** What a scenario that ran out of its time gets for closing its clients. */
    private static final long CLEANUP_SECONDS = 10;

    private static final Map<String, Scenario> SCENARIOS = new LinkedHashMap<>();

    static {
        SCENARIOS.put("payload_variety", Payloads::variety);
        SCENARIOS.put("timestamps", Payloads::timestamps);
        SCENARIOS.put("dense_offsets", Offsets::dense);
        SCENARIOS.put("resume_after_stop", Offsets::resumeAfterStop);
        SCENARIOS.put("auto_commit", Commits::automatic);
        SCENARIOS.put("manual_commit_sync", Commits::synchronous);
        SCENARIOS.put("manual_commit_async", Commits::asynchronous);
        SCENARIOS.put("reset_earliest", Resets::earliest);
        SCENARIOS.put("reset_latest", Resets::latest);
        SCENARIOS.put("reset_none", Resets::none);
        SCENARIOS.put("reset_by_duration", Resets::byDuration);
        SCENARIOS.put("reset_out_of_range", Resets::outOfRange);
        SCENARIOS.put("seek_positions", Seeks::positions);
        SCENARIOS.put("seek_to_time", Seeks::toTime);
        SCENARIOS.put("external_offsets", Seeks::externalOffsets);
        SCENARIOS.put("assign_range", Assignors::range);
        SCENARIOS.put("assign_roundrobin", Assignors::roundRobin);
        SCENARIOS.put("assign_cooperative_sticky", Assignors::cooperativeSticky);
        SCENARIOS.put("member_dies", Membership::memberDies);
        SCENARIOS.put("static_member", Membership::staticMember);
        SCENARIOS.put("stale_commit_refused", Membership::staleCommitRefused);
        SCENARIOS.put("consumer_protocol_uniform", Assignors::serverSideUniform);
        SCENARIOS.put("consumer_protocol_range", Assignors::serverSideRange);
        SCENARIOS.put("consumer_protocol_resume", ConsumerProtocol::resume);
        SCENARIOS.put("consumer_protocol_static_member", ConsumerProtocol::staticMember);
        SCENARIOS.put("consumer_protocol_pattern", ConsumerProtocol::pattern);
        SCENARIOS.put("consumer_protocol_member_dies", ConsumerProtocol::memberDies);
        SCENARIOS.put("consumer_protocol_migration", ConsumerProtocol::migration);
        SCENARIOS.put("read_offsets_topic", OffsetsTopic::read);
        SCENARIOS.put("offsets_topic_is_protected", OffsetsTopic::isProtected);
        SCENARIOS.put("auto_create", Topics::autoCreate);
        SCENARIOS.put("topic_admin", Topics::admin);
        SCENARIOS.put("group_admin", Groups::admin);
        SCENARIOS.put("cluster_admin", Cluster::admin);
        SCENARIOS.put("idempotent_producer", Bulk::idempotentProducer);
        SCENARIOS.put("large_batches", Bulk::largeBatches);
        SCENARIOS.put("long_poll", LongPoll::longPoll);
        SCENARIOS.put("transaction_commit", Transactions::commit);
        SCENARIOS.put("transaction_abort", Transactions::abort);
        SCENARIOS.put("transaction_open", Transactions::open);
        SCENARIOS.put("transaction_fence", Transactions::fence);
        SCENARIOS.put("transaction_timeout", Transactions::timeout);
        SCENARIOS.put("transaction_survives_kill", Transactions::surviveKill);
        SCENARIOS.put("transaction_offsets", TransactionOffsets::classic);
        SCENARIOS.put("transaction_offsets_consumer_protocol", TransactionOffsets::consumerProtocol);
        SCENARIOS.put("transaction_offsets_survive_kill", TransactionOffsets::surviveKill);
        SCENARIOS.put("transaction_offsets_refused", TransactionOffsets::refused);
        SCENARIOS.put("transaction_admin", TransactionAdmin::admin);
    }

    private final PrintStream out;
    private final Broker broker;
    private final String bootstrap;
    private final String runId;

    private Main(PrintStream out, String bootstrap, String runId) {
        this.out = out;
        this.broker = new Broker(System.in, out);
        this.bootstrap = bootstrap;
        this.runId = runId;
    }

    public static void main(String[] args) {
        if (args.length < 2) {
            System.err.println("usage: BOOTSTRAP RUN_ID [SCENARIO...]");
            System.exit(2);
        }
        // Whatever a library prints must not reach the harness.
        PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        System.setOut(System.err);

        List<String> asked = Arrays.asList(args).subList(2, args.length);
        Collection<String> names = asked.isEmpty() ? SCENARIOS.keySet() : asked;
        Main main = new Main(out, args[0], args[1]);
        for (String name : names) {
            main.run(name);
        }
        out.println("END");
        // A scenario that hangs beyond its interrupt must not hold up the exit.
        System.exit(0);
    }

    private void run(String name) {
        Scenario scenario = SCENARIOS.get(name);
        if (scenario == null) {
            out.println("FAIL " + name + " the program has no such scenario");
            return;
        }
        FutureTask<Void> task = new FutureTask<>(() -> {
            try (Run run = new Run(bootstrap, runId + "-" + name, broker)) {
                scenario.run(run);
            }
            return null;
        });
        Thread thread = new Thread(task, name);
        thread.setDaemon(true);
        thread.start();
        try {
            task.get(SCENARIO_SECONDS, TimeUnit.SECONDS);
            out.println("PASS " + name);
        } catch (ExecutionException e) {
            fail(name, e.getCause());
        } catch (TimeoutException e) {
            fail(name, stop(thread));
        } catch (InterruptedException e) {
            throw new AssertionError("nobody interrupts the main thread", e);
        }
    }

    /** Interrupts a scenario out of its time; the result says where it was. */
    private static Throwable stop(Thread thread) {
        AssertionError error = new AssertionError("not finished after " + SCENARIO_SECONDS + " s");
        error.setStackTrace(thread.getStackTrace());
        thread.interrupt();
        try {
            thread.join(TimeUnit.SECONDS.toMillis(CLEANUP_SECONDS));
        } catch (InterruptedException e) {
            throw new AssertionError("nobody interrupts the main thread", e);
        }
        return error;
    }

    private void fail(String name, Throwable error) {
        error.printStackTrace();
        // A future's exception only wraps the one that matters.
        Throwable cause = error instanceof ExecutionException ? error.getCause() : error;
        // The class of a failed expectation says nothing, that of any other exception does.
        String message = cause.getClass() == AssertionError.class ? cause.getMessage() : cause.toString();
        out.println("FAIL " + name + " " + String.valueOf(message).replaceAll("\\s+", " "));
    }
}
