import java.util.Map;
import java.util.TreeMap;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.coordinator.group.GroupConfig;
import org.apache.kafka.server.config.AbstractKafkaConfig;
import org.apache.kafka.server.config.DynamicBrokerConfig;
import org.apache.kafka.server.config.QuotaConfig;
import org.apache.kafka.storage.internals.log.LogConfig;

/**
 * Prints Apache Kafka's settings, one a line: scope, name, type, default, values, when a change is taken, importance, and
 * whether it is internal, with tabs in between. {@code crates/broker/src/settings/kafka-4.3.1.tsv} is its output:
 *
 * <pre>java -cp CLASS_PATH tests/kafka/Settings.java</pre>
 */
public final class Settings {
    public static void main(String[] arguments) {
        Map<String, ConfigDef.ConfigKey> broker = new TreeMap<>(AbstractKafkaConfig.CONFIG_DEF.configKeys());
        broker.putAll(QuotaConfig.brokerQuotaConfigs().configKeys());
        print("broker", broker, DynamicBrokerConfig.dynamicConfigUpdateModes());
        print("topic", LogConfig.configDefCopy().configKeys(), Map.of());
        print("group", GroupConfig.CONFIG_DEF.configKeys(), Map.of());
    }

    private static void print(String scope, Map<String, ConfigDef.ConfigKey> keys, Map<String, String> updates) {
        for (ConfigDef.ConfigKey key : new TreeMap<>(keys).values()) {
            String value = key.defaultValue == ConfigDef.NO_DEFAULT_VALUE ? "none"
                : key.defaultValue == null ? "null" : ConfigDef.convertToString(key.defaultValue, key.type);
            String update = scope.equals("broker") ? updates.getOrDefault(key.name, "read-only") : "";
            String values = key.validator == null ? "" : key.validator.toString();
            System.out.println(String.join("\t", scope, key.name, key.type.toString(), value, values, update,
                key.importance.toString(), Boolean.toString(key.internalConfig)));
        }
    }
}
