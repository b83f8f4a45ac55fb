package ottla.clients;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;

/** Numbered records: the values "from" to "to" - 1, written in order and read back. */
final class Records {
    private Records() {
    }

    /** Sends the numbers and returns the offsets that were acknowledged, in order. */
    static List<Long> send(Producer<String, String> producer, TopicPartition to, int from, int until)
            throws Exception {
        List<Future<RecordMetadata>> sent = new ArrayList<>();
        for (int i = from; i < until; i++) {
            sent.add(producer.send(new ProducerRecord<>(to.topic(), to.partition(), null, Integer.toString(i))));
        }
        producer.flush();
        return offsetsOf(sent);
    }

    static List<Long> offsetsOf(List<Future<RecordMetadata>> sent) throws Exception {
        List<Long> offsets = new ArrayList<>();
        for (Future<RecordMetadata> future : sent) {
            offsets.add(future.get().offset());
        }
        return offsets;
    }

    /** Polls until there are so many records; one more is an error. */
    static <K, V> List<ConsumerRecord<K, V>> read(Consumer<K, V> consumer, int count) throws Exception {
        List<ConsumerRecord<K, V>> records = new ArrayList<>();
        Wait.until("records, " + count, () -> {
            consumer.poll(Wait.TURN).forEach(records::add);
            return records.size() >= count;
        });
        Expect.equal(count, records.size(), "records read");
        return records;
    }

    /** Reads the numbers from a log where each number stands at the offset of the same number. */
    static void expectNumbers(Consumer<String, String> consumer, int from, int until) throws Exception {
        List<ConsumerRecord<String, String>> records = read(consumer, until - from);
        Expect.equal(offsets(from, until), records.stream().map(ConsumerRecord::offset).toList(), "offsets read");
        Expect.equal(values(from, until), records.stream().map(ConsumerRecord::value).toList(), "values read");
    }

    static List<String> values(int from, int until) {
        return IntStream.range(from, until).mapToObj(Integer::toString).toList();
    }

    static List<Long> offsets(long from, long until) {
        return LongStream.range(from, until).boxed().toList();
    }
}
