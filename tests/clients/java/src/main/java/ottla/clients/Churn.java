package ottla.clients;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** Many members of groups in one process, which come and go as the harness says: tests/clients/CHURN.md. */
public final class Churn {
    private final String bootstrap;
    private final String topic;
    private final ChurnLines lines;
    private final Map<Integer, ChurnMember> members = new ConcurrentHashMap<>();

    private Churn(String bootstrap, String topic, ChurnLines lines) {
        this.bootstrap = bootstrap;
        this.topic = topic;
        this.lines = lines;
    }

    public static void main(String[] args) throws IOException {
        if (args.length != 2) {
            System.err.println("usage: BOOTSTRAP TOPIC");
            System.exit(2);
        }
        // Whatever a library prints must not reach the harness.
        PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        System.setOut(System.err);
        new Churn(args[0], args[1], new ChurnLines(out)).obey();
        System.exit(0);
    }

    /** Ends with the input, and then with whatever members there are. */
    private void obey() throws IOException {
        BufferedReader commands = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = commands.readLine(); line != null; line = commands.readLine()) {
            String[] words = line.split(" ");
            switch (words[0]) {
                case "join" -> join(Integer.parseInt(words[1]), words[2], words[3]);
                case "leave" -> members.remove(Integer.valueOf(words[1])).leave();
                case "state" -> members.values().forEach(ChurnMember::tellState);
                default -> throw new IOException("no command: " + line);
            }
        }
    }

    private void join(int number, String group, String protocol) {
        ChurnMember member = new ChurnMember(number, topic, ChurnMember.configs(bootstrap, group, protocol), lines);
        members.put(number, member);
        Thread thread = new Thread(member, "member-" + number);
        thread.setDaemon(true);
        thread.start();
    }
}
