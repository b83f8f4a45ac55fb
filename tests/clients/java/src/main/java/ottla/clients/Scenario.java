package ottla.clients;

/** One line of the list in SCENARIOS.md. It passes when it returns. */
@FunctionalInterface
interface Scenario {
    void run(Run run) throws Exception;
}
