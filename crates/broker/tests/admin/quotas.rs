//! Client quotas: described, altered, kept, and enforced.

use std::time::{Duration, Instant};

use kafka_protocol::messages::alter_client_quotas_request::{EntityData, EntryData, OpData};
use kafka_protocol::messages::create_topics_request::CreatableTopic;
use kafka_protocol::messages::describe_client_quotas_request::ComponentData;
use kafka_protocol::messages::{
    AlterClientQuotasRequest, ApiVersionsRequest, CreateTopicsRequest, DescribeClientQuotasRequest,
    HeartbeatRequest, MetadataRequest,
};
use kafka_protocol::protocol::StrBytes;
use ottla_broker::Broker;
use ottla_model::ErrorCode;
use ottla_wire::client::Client;

use crate::support::*;

type Entity<'a> = &'a [(&'a str, Option<&'a str>)];

fn words(text: &str) -> StrBytes {
    StrBytes::from_string(text.to_owned())
}

fn alter(client: &mut Client, entity: Entity<'_>, key: &str, value: Option<f64>) -> (i16, String) {
    let parts = entity.iter().map(|(kind, name)| {
        EntityData::default().with_entity_type(words(kind)).with_entity_name(name.map(words))
    });
    let op =
        OpData::default().with_key(words(key)).with_value(value.unwrap_or(0.0)).with_remove(value.is_none());
    let entry = EntryData::default().with_entity(parts.collect()).with_ops(vec![op]);
    let response = client.send(1, &AlterClientQuotasRequest::default().with_entries(vec![entry])).unwrap();
    let told = &response.entries[0];
    (told.error_code, told.error_message.as_deref().unwrap_or_default().to_owned())
}

/// Each entity with its quotas, as text.
fn describe(client: &mut Client, filter: &[(&str, i8, Option<&str>)], strict: bool) -> Vec<String> {
    let components = filter.iter().map(|(kind, match_type, name)| {
        let component = ComponentData::default().with_entity_type(words(kind)).with_match_type(*match_type);
        component.with_match(name.map(words))
    });
    let request =
        DescribeClientQuotasRequest::default().with_components(components.collect()).with_strict(strict);
    let response = client.send(1, &request).unwrap();
    if response.error_code != 0 {
        return vec![response.error_message.unwrap().to_string()];
    }
    let entries = response.entries.unwrap();
    let text = entries.iter().map(|entry| {
        let parts = entry.entity.iter().map(|part| {
            format!("{}={}", part.entity_type, part.entity_name.as_deref().unwrap_or("<default>"))
        });
        let values = entry.values.iter().map(|value| format!("{}:{}", value.key, value.value));
        format!("{} {}", parts.collect::<Vec<_>>().join(","), values.collect::<Vec<_>>().join(","))
    });
    text.collect()
}

#[test]
fn quotas_are_described_and_survive_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let broker = Broker::builder().data_dir(dir.path()).start().unwrap();
    let mut before = client(&broker);
    assert_eq!(describe(&mut before, &[], false), [""; 0]);
    let ok = (0, String::new());
    assert_eq!(alter(&mut before, &[("user", Some("ann"))], "producer_byte_rate", Some(1e6)), ok);
    assert_eq!(alter(&mut before, &[("user", Some("ann"))], "request_percentage", Some(12.5)), ok);
    let both: Entity<'_> = &[("user", None), ("client-id", Some("app"))];
    assert_eq!(alter(&mut before, both, "consumer_byte_rate", Some(2e6)), ok);
    assert_eq!(alter(&mut before, &[("ip", Some("10.0.0.1"))], "connection_creation_rate", Some(9.0)), ok);
    assert_eq!(alter(&mut before, &[("ip", None)], "connection_creation_rate", Some(900.0)), ok);
    assert_eq!(alter(&mut before, &[("ip", None)], "connection_creation_rate", None), ok);
    broker.stop();

    let broker = Broker::builder().data_dir(dir.path()).start().unwrap();
    let mut after = client(&broker);
    let ann = "user=ann producer_byte_rate:1000000,request_percentage:12.5";
    let app = "client-id=app,user=<default> consumer_byte_rate:2000000";
    let ip = "ip=10.0.0.1 connection_creation_rate:9";
    assert_eq!(describe(&mut after, &[], false), [app, ip, ann]);
    assert_eq!(describe(&mut after, &[("user", 2, None)], false), [app, ann]);
    assert_eq!(describe(&mut after, &[("user", 2, None)], true), [ann]);
    assert_eq!(describe(&mut after, &[("user", 1, None), ("client-id", 0, Some("app"))], true), [app]);
    assert_eq!(describe(&mut after, &[("ip", 0, Some("10.0.0.1"))], true), [ip]);
    for (filter, message) in [
        (&[("zoo", 2, None)][..], "Unsupported entity type zoo"),
        (
            &[("user", 2, Some("a"))],
            "Request specified MATCH_TYPE_SPECIFIED, but also specified a match string.",
        ),
        (&[("user", 0, None)], "Request specified MATCH_TYPE_EXACT, but set match string to null."),
        (&[("user", 3, None)], "Unknown match type 3"),
        (
            &[("user", 2, None), ("user", 1, None)],
            "Entity type user cannot appear more than once in the filter.",
        ),
    ] {
        assert_eq!(describe(&mut after, filter, false), [message]);
    }
}

#[test]
fn illegal_quotas_are_refused() {
    let broker = broker();
    let mut client = client(&broker);
    let invalid = |message: &str| (ErrorCode::InvalidRequest.code(), message.to_owned());
    let user: Entity<'_> = &[("user", Some("ann"))];
    assert_eq!(
        alter(&mut client, user, "zoo_rate", Some(1.0)),
        invalid("Invalid configuration key zoo_rate")
    );
    assert_eq!(
        alter(&mut client, user, "producer_byte_rate", Some(-1.0)),
        invalid("Quota producer_byte_rate must be greater than 0")
    );
    assert_eq!(describe(&mut client, &[], false), [""; 0]);
}

const DEFAULT_CLIENT: Entity<'static> = &[("client-id", None)];

#[test]
fn a_producer_beyond_its_quota_is_told_and_muted() {
    let broker = broker();
    let mut client = client(&broker);
    create(&mut client, "orders", 1, &[]);
    let value = "x".repeat(10_000);
    let request = produce_request("orders", 0, -1, batch(&[&value]));
    // Without a quota nobody waits.
    for _ in 0..3 {
        assert_eq!(client.send(PRODUCE, &request).unwrap().throttle_time_ms, 0);
    }
    assert_eq!(alter(&mut client, DEFAULT_CLIENT, "producer_byte_rate", Some(10_000.0)).0, 0);
    // Keys and values make 20,000 bytes a request: five are ten seconds' worth.
    let sent = (0..5).map(|_| client.send(PRODUCE, &request).unwrap().throttle_time_ms);
    let throttled: Vec<i32> = sent.filter(|throttle| *throttle > 0).collect();
    let throttle_ms = *throttled.last().expect("a little beyond");
    assert!((1..1000).contains(&throttle_ms), "{throttle_ms}");
    let begun = Instant::now();
    client.send(2, &MetadataRequest::default()).unwrap();
    let waited = begun.elapsed();
    let told = Duration::from_millis(throttle_ms as u64);
    assert!(waited + Duration::from_millis(20) >= told, "{waited:?} of {told:?}");

    // Another connection of another name has a meter of its own, and is not muted.
    let mut other = Client::connect(broker.address()).unwrap();
    other.set_client_id(Some("other".into()));
    assert_eq!(other.send(PRODUCE, &request).unwrap().throttle_time_ms, 0);
    // Taken away, it no longer counts.
    assert_eq!(alter(&mut other, DEFAULT_CLIENT, "producer_byte_rate", None).0, 0);
    for _ in 0..20 {
        assert_eq!(other.send(PRODUCE, &request).unwrap().throttle_time_ms, 0);
    }
}

#[test]
fn a_consumer_beyond_its_quota_gets_nothing_until_it_has_waited() {
    let broker = broker();
    let mut client = client(&broker);
    create(&mut client, "orders", 1, &[]);
    let value = "x".repeat(10_000);
    for _ in 0..5 {
        produce(&mut client, "orders", batch(&[&value]));
    }
    assert_eq!(alter(&mut client, &[("user", None)], "consumer_byte_rate", Some(9_000.0)).0, 0);
    // 90,000 bytes are ten seconds' worth, and no answer has more.
    let first = client.send(FETCH, &fetch_request("orders", 0, 0, 0)).unwrap();
    assert_eq!(first.throttle_time_ms, 0);
    let read = values(only_partition(&first).records.clone().unwrap());
    assert_eq!(read.len(), 4, "the fifth batch would be beyond");
    let second = client.send(FETCH, &fetch_request("orders", 4, 0, 0)).unwrap();
    assert!(second.throttle_time_ms > 0, "{}", second.throttle_time_ms);
    assert_eq!(second.responses, [], "nothing was read, so nothing is charged");
    assert_eq!(
        alter(&mut Client::connect(broker.address()).unwrap(), &[("user", None)], "consumer_byte_rate", None)
            .0,
        0
    );
    // The muted time goes on to its end all the same.
    let third = client.send(FETCH, &fetch_request("orders", 4, 0, 0)).unwrap();
    assert_eq!(values(only_partition(&third).records.clone().unwrap()).len(), 1);
}

#[test]
fn requests_are_charged_for_their_time() {
    let broker = broker();
    let mut client = client(&broker);
    // A thousandth of a thousandth of a thread: every request is too much, for a window at most.
    assert_eq!(alter(&mut client, DEFAULT_CLIENT, "request_percentage", Some(0.000_001)).0, 0);
    let mut told = Vec::new();
    for _ in 0..2 {
        told.push(client.send(4, &HeartbeatRequest::default()).unwrap().throttle_time_ms);
    }
    assert!(told.iter().any(|throttle| (1..=1000).contains(throttle)), "{told:?}");
    let begun = Instant::now();
    client.send(0, &ApiVersionsRequest::default()).unwrap();
    assert!(begun.elapsed() > Duration::from_millis(500), "{:?}", begun.elapsed());
}

#[test]
fn partitions_are_created_at_a_rate() {
    let broker = broker();
    let mut client = client(&broker);
    assert_eq!(alter(&mut client, DEFAULT_CLIENT, "controller_mutation_rate", Some(10.0)).0, 0);
    let request = |name_of: &str| {
        let topic = CreatableTopic::default()
            .with_name(name(name_of))
            .with_num_partitions(112)
            .with_replication_factor(1);
        CreateTopicsRequest::default().with_topics(vec![topic]).with_timeout_ms(1000)
    };
    // 110 tokens are there at first, and the last topic may go into debt.
    assert_eq!(client.send(7, &request("first")).unwrap().topics[0].error_code, 0);
    let refused = client.send(7, &request("second")).unwrap();
    assert_eq!(refused.topics[0].error_code, ErrorCode::ThrottlingQuotaExceeded.code());
    assert!((1..=200).contains(&refused.throttle_time_ms), "{}", refused.throttle_time_ms);
    // Who has waited as told, which muting sees to, is served.
    assert_eq!(client.send(7, &request("third")).unwrap().topics[0].error_code, 0);
    // An old client knows no such error.
    assert_eq!(client.send(5, &request("fourth")).unwrap().topics[0].error_code, 0);
}

#[test]
fn connections_are_made_at_a_rate() {
    let broker = broker();
    let mut client = client(&broker);
    let here: Entity<'_> = &[("ip", Some("127.0.0.1"))];
    assert_eq!(alter(&mut client, here, "connection_creation_rate", Some(1.0)).0, 0);
    let mut served = 0;
    for _ in 0..11 {
        let mut fresh = Client::connect(broker.address()).unwrap();
        served += usize::from(fresh.send(0, &ApiVersionsRequest::default()).is_ok());
    }
    assert_eq!(served, 10, "ten seconds' worth, and the next is closed");
    assert_eq!(alter(&mut client, here, "connection_creation_rate", None).0, 0);
    let mut fresh = Client::connect(broker.address()).unwrap();
    assert!(fresh.send(0, &ApiVersionsRequest::default()).is_ok());
}
