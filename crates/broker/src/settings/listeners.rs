//! Listeners as the settings write them, and whether they fit each other (`KafkaConfig.validateValues`).

use super::broker::Settings;
use super::value::SettingError;

/// The one protocol that is served. A listener of another one must not be served without it.
const PROTOCOL: &str = "PLAINTEXT";

/// What Kafka takes for a listener's protocol.
const PROTOCOLS: [&str; 4] = ["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"];

/// A listener as it is written: `NAME://HOST:PORT`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ListenerAddress {
    /// Its name, such as `PLAINTEXT`.
    pub(crate) name: String,
    /// A host name or address; empty for every address of the machine.
    pub(crate) host: String,
    /// The port; 0 for a free one.
    pub(crate) port: u16,
}

impl ListenerAddress {
    /// Reads `NAME://HOST:PORT`, or plain `HOST:PORT`, which is named `PLAINTEXT`.
    ///
    /// # Errors
    /// What is wrong, and what to write.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let (name, rest) = text.split_once("://").unwrap_or((PROTOCOL, text));
        let (host, port) = rest.rsplit_once(':').ok_or("write it as HOST:PORT or NAME://HOST:PORT")?;
        let port = port.parse().map_err(|_| "the port must be a number from 0 to 65535")?;
        let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        Ok(Self { name: name.to_ascii_uppercase(), host: host.to_owned(), port })
    }
}

/// The listeners for clients: those of `listeners` that are not controllers'.
pub(crate) fn broker_listeners(settings: &Settings) -> impl Iterator<Item = &String> {
    settings.listeners.iter().filter(|text| {
        let name = ListenerAddress::parse(text).map(|address| address.name).unwrap_or_default();
        !settings.controller_listener_names.iter().any(|controller| controller.eq_ignore_ascii_case(&name))
    })
}

/// Checks that every listener can be served, and that what is advertised is one of them.
///
/// # Errors
/// [`SettingError::Invalid`] with what to write instead.
pub(super) fn check(settings: &Settings) -> Result<(), SettingError> {
    let map = protocols(settings)?;
    let mut listeners: Vec<ListenerAddress> = Vec::new();
    for text in broker_listeners(settings) {
        let invalid = |reason: String| invalid("listeners", text, reason);
        let address = ListenerAddress::parse(text).map_err(invalid)?;
        if listeners.iter().any(|other| other.name == address.name) {
            return Err(invalid("each listener must have a name of its own".to_owned()));
        }
        let same_port = |other: &ListenerAddress| {
            address.port != 0 && other.port == address.port && other.host == address.host
        };
        if listeners.iter().any(same_port) {
            return Err(invalid("each listener must have a port of its own".to_owned()));
        }
        match map.iter().find(|(name, _)| *name == address.name) {
            Some((_, protocol)) if protocol == PROTOCOL => {}
            Some((name, protocol)) => {
                return Err(invalid(format!(
                    "it would speak {protocol}, and only {PROTOCOL} is there yet; write PLAINTEXT://HOST:PORT, or \
                     map {name} to {PROTOCOL} in listener.security.protocol.map"
                )));
            }
            None => {
                return Err(invalid(format!(
                    "add {}:{PROTOCOL} to listener.security.protocol.map, which says what it speaks",
                    address.name
                )));
            }
        }
        listeners.push(address);
    }
    if listeners.is_empty() {
        let all = settings.listeners.join(",");
        return Err(invalid("listeners", &all, "write at least one listener for clients".to_owned()));
    }
    check_advertised(settings, &listeners)
}

/// Names and protocols of `listener.security.protocol.map`.
fn protocols(settings: &Settings) -> Result<Vec<(String, String)>, SettingError> {
    let map = settings.listener_security_protocol_map.split(',').filter(|text| !text.trim().is_empty());
    let map = map.map(|text| {
        let invalid = |reason: String| invalid("listener.security.protocol.map", text, reason);
        let (name, protocol) =
            text.rsplit_once(':').ok_or_else(|| invalid("write it as NAME:PROTOCOL".to_owned()))?;
        let protocol = protocol.trim().to_ascii_uppercase();
        if !PROTOCOLS.contains(&protocol.as_str()) {
            return Err(invalid(format!("the protocol must be one of {}", PROTOCOLS.join(", "))));
        }
        Ok((name.trim().to_ascii_uppercase(), protocol))
    });
    map.collect()
}

fn check_advertised(settings: &Settings, listeners: &[ListenerAddress]) -> Result<(), SettingError> {
    for text in &settings.advertised_listeners {
        let invalid = |reason: String| invalid("advertised.listeners", text, reason);
        let address = ListenerAddress::parse(text).map_err(invalid)?;
        let is_controllers =
            settings.controller_listener_names.iter().any(|name| name.eq_ignore_ascii_case(&address.name));
        if is_controllers {
            continue;
        }
        if !listeners.iter().any(|listener| listener.name == address.name) {
            return Err(invalid(format!("there is no listener {} in listeners", address.name)));
        }
        if matches!(address.host.as_str(), "0.0.0.0" | "::") {
            return Err(invalid("write an address that clients can connect to".to_owned()));
        }
    }
    Ok(())
}

fn invalid(name: &str, value: &str, reason: String) -> SettingError {
    SettingError::Invalid { name: name.to_owned(), value: value.to_owned(), reason }
}

#[cfg(test)]
mod tests {
    use super::super::Sources;
    use super::*;

    fn load(pairs: &[&str]) -> Result<Settings, String> {
        let pairs = pairs.iter().map(|pair| (*pair).to_owned()).collect();
        let loaded = Sources { pairs, ..Sources::default() }.load();
        loaded.map(|loaded| loaded.settings).map_err(|error| error.to_string())
    }

    #[test]
    fn listeners_as_kafka_writes_them() {
        let parse =
            |text| ListenerAddress::parse(text).map(|address| (address.name, address.host, address.port));
        assert_eq!(parse("PLAINTEXT://:9092").expect("legal"), ("PLAINTEXT".into(), String::new(), 9092));
        assert_eq!(parse("internal://[::1]:0").expect("legal"), ("INTERNAL".into(), "::1".into(), 0));
        assert_eq!(parse("localhost:9092").expect("legal"), ("PLAINTEXT".into(), "localhost".into(), 9092));
        assert!(parse("localhost").is_err());
        assert!(parse("localhost:99999").is_err());
    }

    #[test]
    fn the_listeners_of_apache_kafkas_own_file_are_taken() {
        let settings = load(&[
            "process.roles=broker,controller",
            "listeners=PLAINTEXT://:9092,CONTROLLER://:9093",
            "controller.listener.names=CONTROLLER",
            "advertised.listeners=PLAINTEXT://localhost:9092,CONTROLLER://localhost:9093",
            "listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT,SASL_SSL:SASL_SSL",
            "inter.broker.listener.name=PLAINTEXT",
        ]);
        let settings = settings.expect("loads");
        assert_eq!(broker_listeners(&settings).collect::<Vec<_>>(), ["PLAINTEXT://:9092"]);
    }

    #[test]
    fn listeners_that_cannot_be_served_are_refused() {
        for (pairs, part) in [
            (&["listeners=SSL://:9092"][..], "only PLAINTEXT is there yet"),
            (&["listeners=DOCKER://:9092"], "add DOCKER:PLAINTEXT to listener.security.protocol.map"),
            (
                &["listeners=DOCKER://:9092", "listener.security.protocol.map=DOCKER:SASL_SSL"],
                "it would speak SASL_SSL",
            ),
            (&["listener.security.protocol.map=DOCKER:TLS"], "must be one of PLAINTEXT, SSL"),
            (&["listeners=PLAINTEXT://:9092,PLAINTEXT://:9093"], "a name of its own"),
            (
                &["listeners=A://:9092,B://:9092", "listener.security.protocol.map=A:PLAINTEXT,B:PLAINTEXT"],
                "a port of its own",
            ),
            (&["listeners="], "at least one listener"),
            (&["listeners=PLAINTEXT://localhost"], "HOST:PORT"),
            (&["advertised.listeners=OTHER://localhost:9092"], "no listener OTHER"),
            (&["advertised.listeners=PLAINTEXT://0.0.0.0:9092"], "clients can connect to"),
        ] {
            let error = load(pairs).expect_err("refused");
            assert!(error.contains(part), "{error}");
        }
    }
}
