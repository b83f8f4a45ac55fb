package ottla.streams;

import java.util.HashMap;
import java.util.Map;
import java.util.Random;

/** The input: numbered lines of words, the same ones for the same seed. A few words are frequent and most are rare. */
final class Lines {
    private static final int WORDS = 200;
    private static final int WORDS_PER_LINE = 5;

    final int count;
    private final String[] lines;
    private final Map<String, Long> words = new HashMap<>();

    Lines(long seed, int count) {
        this.count = count;
        this.lines = new String[count];
        Random random = new Random(seed);
        for (int i = 0; i < count; i++) {
            String[] line = new String[WORDS_PER_LINE];
            for (int j = 0; j < WORDS_PER_LINE; j++) {
                double uniform = random.nextDouble();
                line[j] = "word" + (int) (WORDS * uniform * uniform * uniform);
                words.merge(line[j], 1L, Long::sum);
            }
            lines[i] = String.join(" ", line);
        }
    }

    String line(int number) {
        return lines[number];
    }

    /** How often each word occurs. */
    Map<String, Long> words() {
        return words;
    }

    long wordsInAll() {
        return (long) count * WORDS_PER_LINE;
    }
}
