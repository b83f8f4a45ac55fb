import java.util.List;
import org.apache.kafka.tools.AclCommand;
import org.apache.kafka.tools.DelegationTokenCommand;

/** {@code kafka-acls} and {@code kafka-delegation-tokens} with a broker that has neither. */
final class WithoutSecurity implements Session.Scenario {
    @Override
    public void play(Shell shell) throws Exception {
        for (String what : List.of("--list", "--list --topic orders",
                "--add --allow-principal User:bob --operation Read --topic orders",
                "--add --deny-principal User:bob --operation Write --cluster",
                "--remove --force --allow-principal User:bob --operation Read --topic orders",
                "--remove --force --topic orders", "--add --topic orders", "--nonsense")) {
            shell.run("kafka-acls", AclCommand::main, what);
        }
        String settings = "--command-config " + shell.file("client.id=tool\n", "SETTINGS") + " ";
        for (String what : List.of("--create --max-life-time-period -1",
                "--create --max-life-time-period 1000 --renewer-principal User:bob", "--describe",
                "--describe --owner-principal User:bob", "--renew --renew-time-period -1 --hmac ABCD",
                "--expire --expiry-time-period -1 --hmac ABCD", "")) {
            shell.run("kafka-delegation-tokens", DelegationTokenCommand::main, settings + what);
        }
        shell.run("kafka-delegation-tokens", DelegationTokenCommand::main, "--describe");
    }
}
