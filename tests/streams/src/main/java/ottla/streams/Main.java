package ottla.streams;

import java.time.Duration;

/** The programs of the word count: each call is a process of its own. */
public final class Main {
    private static final String USAGE = """
        prepare BOOTSTRAP NAME
        feed BOOTSTRAP NAME SEED LINES SECONDS
        count BOOTSTRAP NAME STATE_DIRECTORY
        check BOOTSTRAP NAME SEED LINES SECONDS""";

    private Main() {
    }

    public static void main(String[] args) throws Exception {
        if (args.length < 3) {
            System.err.println(USAGE);
            System.exit(2);
        }
        Topics topics = new Topics(args[2]);
        switch (args[0]) {
            case "prepare" -> topics.create(args[1]);
            case "feed" -> new Feed(args[1], topics, lines(args)).run(seconds(args));
            case "count" -> new WordCount(args[1], topics, args[3]).run();
            case "check" -> new Check(args[1], topics, lines(args), seconds(args)).run();
            default -> {
                System.err.println(USAGE);
                System.exit(2);
            }
        }
    }

    private static Lines lines(String[] args) {
        return new Lines(Long.parseLong(args[3]), Integer.parseInt(args[4]));
    }

    private static Duration seconds(String[] args) {
        return Duration.ofSeconds(Integer.parseInt(args[5]));
    }
}
