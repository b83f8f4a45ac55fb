//! Metrics that clients push, and where they are told.

use std::io::{Read, Write};
use std::net::TcpStream;

use bytes::Bytes;
use kafka_protocol::messages::incremental_alter_configs_request::{AlterConfigsResource, AlterableConfig};
use kafka_protocol::messages::{
    ApiVersionsRequest, GetTelemetrySubscriptionsRequest, GetTelemetrySubscriptionsResponse,
    IncrementalAlterConfigsRequest, PushTelemetryRequest,
};
use kafka_protocol::protocol::StrBytes;
use ottla_broker::Broker;
use ottla_model::ErrorCode;
use ottla_wire::client::Client;
use uuid::Uuid;

use crate::support::*;

const GET: i16 = 71;
const PUSH: i16 = 72;

fn measured() -> Broker {
    Broker::builder().memory().set("ottla.metrics.listener", "127.0.0.1:0").unwrap().start().unwrap()
}

fn introduced(broker: &Broker, software: &str) -> (Client, Vec<i16>) {
    let mut client = client(broker);
    let request = ApiVersionsRequest::default()
        .with_client_software_name(StrBytes::from_string(software.to_owned()))
        .with_client_software_version("4.3.1".into());
    let keys = client.send(4, &request).unwrap().api_keys.iter().map(|api| api.api_key).collect();
    (client, keys)
}

fn subscribe(client: &mut Client, configs: &[(&str, &str)]) {
    let configs = configs.iter().map(|(name, value)| {
        AlterableConfig::default()
            .with_name(StrBytes::from_string((*name).to_owned()))
            .with_value(Some(StrBytes::from_string((*value).to_owned())))
    });
    let resource = AlterConfigsResource::default()
        .with_resource_type(16)
        .with_resource_name("all".into())
        .with_configs(configs.collect());
    let request = IncrementalAlterConfigsRequest::default().with_resources(vec![resource]);
    let response = client.send(1, &request).unwrap();
    assert_eq!(response.responses[0].error_code, 0, "{:?}", response.responses[0].error_message);
}

fn get(client: &mut Client, instance: Uuid) -> GetTelemetrySubscriptionsResponse {
    let request = GetTelemetrySubscriptionsRequest::default().with_client_instance_id(instance);
    client.send(0, &request).unwrap()
}

fn push(client: &mut Client, told: &GetTelemetrySubscriptionsResponse, metrics: Bytes) -> i16 {
    let request = PushTelemetryRequest::default()
        .with_client_instance_id(told.client_instance_id)
        .with_subscription_id(told.subscription_id)
        .with_metrics(metrics);
    client.send(0, &request).unwrap().error_code
}

fn nested(number: u8, content: &[u8]) -> Vec<u8> {
    [&[number << 3 | 2, content.len() as u8], content].concat()
}

/// OTLP with one gauge.
fn gauge(name: &str, value: f64) -> Bytes {
    let point = [&[4 << 3 | 1][..], &value.to_bits().to_le_bytes()].concat();
    let metric = [nested(1, name.as_bytes()), nested(5, &nested(1, &point))].concat();
    nested(1, &nested(2, &nested(2, &metric))).into()
}

fn scrape(broker: &Broker) -> String {
    let mut stream = TcpStream::connect(broker.metrics_address().unwrap()).unwrap();
    stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: ottla\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer);
    answer
}

#[test]
fn without_a_metrics_listener_nobody_is_told_of_it() {
    let broker = broker();
    let (mut client, keys) = introduced(&broker, "apache-kafka-java");
    assert!(!keys.contains(&GET) && !keys.contains(&PUSH));
    // As with Kafka, who asks all the same is answered.
    let told = get(&mut client, Uuid::nil());
    assert_eq!((told.error_code, told.client_instance_id.is_nil()), (0, false));
    assert_eq!(push(&mut client, &told, gauge("a", 1.0)), 0);
}

#[test]
fn what_a_client_pushes_is_told_with_the_brokers_metrics() {
    let broker = measured();
    let (mut client, keys) = introduced(&broker, "apache-kafka-java");
    assert!(keys.contains(&GET) && keys.contains(&PUSH));
    let nothing = get(&mut client, Uuid::nil());
    assert_eq!((nothing.error_code, nothing.push_interval_ms), (0, 300_000));
    assert_eq!((nothing.requested_metrics.len(), nothing.telemetry_max_bytes), (0, 1_048_576));

    let software = ("match", "client_software_name=apache-.*");
    subscribe(&mut client, &[("metrics", "org.apache.kafka."), ("interval.ms", "100"), software]);
    let told = get(&mut client, nothing.client_instance_id);
    assert_eq!(told.client_instance_id, nothing.client_instance_id);
    assert_eq!((told.error_code, told.push_interval_ms), (0, 100));
    assert_eq!(told.requested_metrics, [StrBytes::from_static_str("org.apache.kafka.")]);
    assert!(told.delta_temporality);
    assert_eq!(push(&mut client, &told, gauge("org.apache.kafka.some.ratio", 0.25)), 0);
    let text = scrape(&broker);
    let line = text.lines().find(|line| line.starts_with("ottla_client_gauge{")).unwrap();
    assert!(line.contains("metric=\"org.apache.kafka.some.ratio\",client_id=\"ottla\""), "{line}");
    assert!(line.ends_with("} 0.25"), "{line}");
    assert!(text.contains("ottla_client_pushes_total 1\n"), "{text}");

    let (mut other, _) = introduced(&broker, "librdkafka");
    assert_eq!(get(&mut other, Uuid::nil()).requested_metrics.len(), 0, "the subscription is for others");
}

#[test]
fn bad_pushes_are_refused() {
    let broker = measured();
    let mut client = introduced(&broker, "apache-kafka-java").0;
    let told = get(&mut client, Uuid::nil());
    assert_eq!(push(&mut client, &told, vec![0xff; 10].into()), ErrorCode::InvalidRecord.code());
    let other = Uuid::from_bytes([9; 16]);
    let told = get(&mut client, other);
    let too_large = vec![0; 1_048_577];
    assert_eq!(push(&mut client, &told, too_large.into()), ErrorCode::TelemetryTooLarge.code());
    assert_eq!(get(&mut client, other).error_code, ErrorCode::ThrottlingQuotaExceeded.code());
    let told = get(&mut client, Uuid::from_bytes([8; 16]));
    let other = told.clone().with_subscription_id(told.subscription_id ^ 1);
    assert_eq!(push(&mut client, &other, Bytes::new()), ErrorCode::UnknownSubscriptionId.code());
    // Who is told so may ask again at once, but pushes when it is time.
    assert_eq!(get(&mut client, told.client_instance_id), told);
    assert_eq!(push(&mut client, &told, Bytes::new()), ErrorCode::ThrottlingQuotaExceeded.code());
    let nobody = GetTelemetrySubscriptionsResponse::default();
    assert_eq!(push(&mut client, &nobody, Bytes::new()), ErrorCode::InvalidRequest.code());
}
