import java.util.List;
import kafka.admin.ConfigCommand;

/** {@code kafka-configs} for quotas of users, clients and addresses. */
final class Quotas implements Session.Scenario {
    @Override
    public void play(Shell shell) {
        String bob = "--entity-type users --entity-name bob";
        String app = "--entity-type clients --entity-name app";
        String both = bob + " " + app;
        String address = "--entity-type ips --entity-name 10.0.0.1";
        List<String> everybody = List.of(bob, app, both, address, "--entity-type users", "--entity-type clients",
            "--entity-type users --entity-type clients", "--entity-type ips", "--entity-type users --entity-default",
            "--entity-type clients --entity-default", "--entity-type ips --entity-default",
            bob + " --entity-type clients --entity-default", "--entity-type users --entity-name missing");
        for (String change : List.of(
                bob + " --add-config producer_byte_rate=1000,consumer_byte_rate=2000,request_percentage=50.5",
                app + " --add-config producer_byte_rate=3000,controller_mutation_rate=4",
                both + " --add-config consumer_byte_rate=5000", address + " --add-config connection_creation_rate=6",
                "--entity-type users --entity-default --add-config producer_byte_rate=7000",
                "--entity-type clients --entity-default --add-config producer_byte_rate=8000",
                "--entity-type ips --entity-default --add-config connection_creation_rate=9",
                bob + " --entity-type clients --entity-default --add-config producer_byte_rate=10",
                bob + " --add-config consumer_byte_rate=2000.5", bob + " --add-config nonsense=1", bob + " --add-config producer_byte_rate=nonsense",
                bob + " --add-config producer_byte_rate=0", bob + " --add-config producer_byte_rate=-1",
                bob + " --add-config connection_creation_rate=1", bob + " --add-config request_percentage=0",
                address + " --add-config producer_byte_rate=1", address + " --add-config connection_creation_rate=-1",
                address + " --add-config connection_creation_rate=x",
                "--entity-type ips --entity-name not/an/address --add-config connection_creation_rate=1",
                bob + " --delete-config request_percentage", bob + " --delete-config request_percentage",
                bob + " --delete-config nonsense", "--entity-type users --add-config producer_byte_rate=1",
                address + " " + bob + " --add-config connection_creation_rate=1")) {
            shell.run("kafka-configs", ConfigCommand::main, "--alter " + change);
        }
        describe(shell, everybody);
        for (String who : List.of(bob, app, both, "--entity-type users --entity-default",
                "--entity-type clients --entity-default", bob + " --entity-type clients --entity-default")) {
            shell.run("kafka-configs", ConfigCommand::main, "--alter " + who + " --delete-config "
                + "producer_byte_rate,consumer_byte_rate,controller_mutation_rate");
        }
        for (String who : List.of(address, "--entity-type ips --entity-default")) {
            shell.run("kafka-configs", ConfigCommand::main,
                "--alter " + who + " --delete-config connection_creation_rate");
        }
        describe(shell, everybody);
    }

    private static void describe(Shell shell, List<String> everybody) {
        for (String who : everybody) {
            shell.run("kafka-configs", ConfigCommand::main, "--describe " + who);
        }
    }
}
