import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import java.util.regex.Pattern;

/** What tools have said, command by command. */
final class Transcript {
    /** What no two runs have in common, and what stands in its place. */
    private static final Map<Pattern, String> MASKS = masks();

    private final List<String> headings = new ArrayList<>();
    private final List<String> texts = new ArrayList<>();
    private final List<String> complaints = new ArrayList<>();

    private static Map<Pattern, String> masks() {
        Map<String, String> masks = new LinkedHashMap<>();
        masks.put("(__consumer_offsets:\\d+):\\d+", "$1:END");
        masks.put("total of \\d+ messages", "total of COUNT messages");
        masks.put("127\\.0\\.0\\.1:\\d+", "ADDRESS");
        masks.put("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "UUID");
        masks.put("\"topicId\":\"[\\w-]{22}\"", "\"topicId\":\"TOPIC-ID\"");
        masks.put("(\\w*[tT]imestamp)\":1\\d{12}", "$1\":TIME");
        // Ids of members, topics, directories and clusters; a word of lower case letters is none.
        masks.put("(?<![\\w.-])(?![a-z-]{22})[\\w-]{22}(?![\\w(-])(?<!Exception)", "ID");
        masks.put("(TimeoutException: |Timed out|Call\\(callName).*", "NO ANSWER IN TIME");
        masks.put("(Option combination) \"\\[\\[.*?]]\"", "$1 [ANY ORDER]");
        masks.put("(Valid (?:states|types) are:|only supports operations) .*", "$1 ANY ORDER");
        masks.put("\\b1[7-9]\\d{11}\\b(?<!" + Contents.LONG_AGO + ")", "TIME");
        masks.put("[^\\s\"\\[]*ottla-test-\\w+/data", "DATA");
        Map<Pattern, String> compiled = new LinkedHashMap<>();
        masks.forEach((pattern, mask) -> compiled.put(Pattern.compile(pattern), mask));
        return compiled;
    }

    void add(String command, int code, String told, String complained) {
        headings.add("$ " + masked(command) + (code == 0 ? "" : "    # exits with " + code));
        texts.add(told);
        complaints.add(complained);
    }

    /** Changes what the last command told. */
    void changeLast(UnaryOperator<String> change) {
        texts.set(texts.size() - 1, change.apply(texts.get(texts.size() - 1)));
    }

    /** Masks what this expression finds in what the last command told. */
    void maskLast(String expression, String mask) {
        changeLast(told -> told.replaceAll(expression, mask));
    }

    String text() {
        StringBuilder all = new StringBuilder();
        for (int i = 0; i < headings.size(); i++) {
            all.append(headings.get(i)).append('\n');
            block(texts.get(i), "").forEach(line -> all.append(line).append('\n'));
            block(complaints.get(i), "! ").forEach(line -> all.append(line).append('\n'));
            all.append('\n');
        }
        return all.toString();
    }

    private static String masked(String line) {
        String masked = line;
        for (Map.Entry<Pattern, String> mask : MASKS.entrySet()) {
            masked = mask.getKey().matcher(masked).replaceAll(mask.getValue());
        }
        return masked;
    }

    /** The lines are sorted: groups, members, topics and partitions have no order. */
    private static List<String> block(String text, String prefix) {
        List<String> lines = new ArrayList<>();
        boolean isUsage = false;
        for (String line : text.lines().toList()) {
            String masked = masked(line).replaceAll("\\s+", " ").strip();
            boolean isFrame = line.startsWith("\tat ") || line.startsWith("\t... ");
            isUsage |= masked.startsWith("Option Description") || masked.startsWith("usage: ");
            // What is wrong stands before the options, or behind the name of the tool.
            boolean isProblem = masked.contains(": error: ");
            if (!masked.isEmpty() && !isFrame && (!isUsage || isProblem)) {
                lines.add(prefix + masked);
            }
        }
        Collections.sort(lines);
        if (isUsage) {
            lines.add(prefix + "(the tool's usage)");
        }
        return lines;
    }
}
