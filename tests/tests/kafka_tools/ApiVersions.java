import org.apache.kafka.tools.BrokerApiVersionsCommand;

/** {@code kafka-broker-api-versions}. */
final class ApiVersions implements Session.Scenario {
    @Override
    public void play(Shell shell) {
        for (String what : new String[] {"", "--nonsense"}) {
            shell.run("kafka-broker-api-versions", BrokerApiVersionsCommand::main, what);
        }
        shell.run("kafka-broker-api-versions", BrokerApiVersionsCommand::main, "--command-config ADDRESS");
    }
}
