//! `GET /metrics`, over a socket.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use kafka_protocol::messages::DeleteTopicsRequest;
use ottla_broker::Broker;
use support::*;

fn measured() -> Broker {
    Broker::builder().memory().set("ottla.metrics.listener", "127.0.0.1:0").unwrap().start().unwrap()
}

/// Sends bytes and reads until the other side closes: the head and the body of the answer.
fn exchange(address: SocketAddr, request: &[u8]) -> (String, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    stream.write_all(request).unwrap();
    let mut answer = Vec::new();
    // A connection that is reset has told all that it will.
    let _ = stream.read_to_end(&mut answer);
    let text = String::from_utf8(answer).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((text.as_str(), ""));
    (head.to_owned(), body.to_owned())
}

fn get(broker: &Broker) -> String {
    let request = b"GET /metrics HTTP/1.1\r\nHost: ottla\r\n\r\n";
    let (head, body) = exchange(broker.metrics_address().unwrap(), request);
    assert!(head.starts_with("HTTP/1.1 200 OK"), "{head}");
    assert!(
        head.to_lowercase().contains("content-type: application/openmetrics-text; version=1.0.0"),
        "{head}"
    );
    body
}

/// Name with labels, and value, of each sample. Checks the form on the way: families in one piece, each with its type,
/// names that belong to them, no sample twice, an end.
fn parse(text: &str) -> BTreeMap<String, f64> {
    let mut samples = BTreeMap::new();
    let (mut family, mut kind) = (String::new(), String::new());
    let mut families = Vec::new();
    let (last, lines) =
        text.lines().collect::<Vec<_>>().split_last().map(|(last, lines)| (*last, lines.to_vec())).unwrap();
    assert_eq!(last, "# EOF");
    for line in lines {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            family = rest.split(' ').next().unwrap().to_owned();
            assert!(!families.contains(&family), "{family} comes twice");
            families.push(family.clone());
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, of) = rest.split_once(' ').unwrap();
            assert_eq!(name, family);
            kind = of.to_owned();
        } else {
            let end = line.find("} ").map_or_else(|| line.find(' ').unwrap(), |brace| brace + 1);
            let (series, value) = line.split_at(end);
            let name = series.split('{').next().unwrap();
            let suffix =
                name.strip_prefix(family.as_str()).unwrap_or_else(|| panic!("{line} under {family}"));
            let fits = match kind.as_str() {
                "counter" => suffix == "_total",
                "gauge" => suffix.is_empty(),
                "histogram" => ["_sum", "_count", "_bucket"].contains(&suffix),
                other => panic!("{other}"),
            };
            assert!(fits, "{line} is no {kind}");
            let value: f64 = value.trim().parse().unwrap_or_else(|_| panic!("{line}"));
            assert!(samples.insert(series.to_owned(), value).is_none(), "{series} comes twice");
        }
    }
    samples
}

#[test]
fn nothing_listens_unless_asked_to() {
    assert_eq!(broker().metrics_address(), None);
    for wrong in ["nowhere", "127.0.0.1:http", "no.such.host.invalid:1"] {
        let builder = Broker::builder().memory().set("ottla.metrics.listener", wrong).unwrap();
        assert!(builder.start().is_err(), "{wrong}");
    }
}

#[test]
fn a_scrape_tells_what_happened() {
    let broker = measured();
    let mut client = client(&broker);
    create(&mut client, "orders", 2, &[]);
    find_coordinator(&mut client, "read\"ers");
    for _ in 0..5 {
        assert_eq!(produce(&mut client, "orders", batch(&["one", "two"])).error_code, 0);
    }
    assert_eq!(produce(&mut client, "missing", batch(&["one"])).error_code, 3);
    let offsets = fetch(&mut client, "orders", 0).len();
    assert_eq!(offsets, 10);
    for offset in [1, 4] {
        assert_eq!(commit(&mut client, "read\"ers", "orders", offset), 0);
    }
    let samples = parse(&get(&broker));
    let place = r#"group="read\"ers",topic="orders",partition="0""#;
    let kafka = r#"consumergroup="read\"ers",topic="orders",partition="0""#;
    for (series, value) in [
        (format!("ottla_group_committed_offset{{{place}}}"), 4.0),
        (format!("ottla_group_end_offset{{{place}}}"), 10.0),
        (format!("ottla_group_lag_records{{{place},isolation=\"read_uncommitted\"}}"), 6.0),
        (format!("ottla_group_lag_records{{{place},isolation=\"read_committed\"}}"), 6.0),
        (format!("ottla_group_commits_total{{{place}}}"), 2.0),
        (format!("kafka_consumergroup_lag{{{kafka}}}"), 6.0),
        (format!("kafka_consumergroup_current_offset{{{kafka}}}"), 4.0),
        (r#"ottla_group_state{group="read\"ers",type="classic",state="Empty"}"#.to_owned(), 1.0),
        (r#"ottla_group_members{group="read\"ers"}"#.to_owned(), 0.0),
        (r#"kafka_topic_partitions{topic="orders"}"#.to_owned(), 2.0),
        (r#"kafka_topic_partition_current_offset{topic="orders",partition="0"}"#.to_owned(), 10.0),
        (r#"kafka_topic_partition_current_offset{topic="orders",partition="1"}"#.to_owned(), 0.0),
        (r#"ottla_topic_records_in_total{topic="orders"}"#.to_owned(), 10.0),
        (r#"ottla_requests_total{api="Produce"}"#.to_owned(), 6.0),
        (r#"ottla_request_duration_seconds_count{api="Produce"}"#.to_owned(), 6.0),
        (r#"ottla_request_duration_seconds_bucket{le="+Inf",api="OffsetCommit"}"#.to_owned(), 2.0),
        (r#"ottla_request_errors_total{api="Produce",error="UNKNOWN_TOPIC_OR_PARTITION"}"#.to_owned(), 1.0),
        ("ottla_connections".to_owned(), 1.0),
        ("ottla_offline_partitions".to_owned(), 0.0),
        (r#"ottla_metrics_left_out{what="group_partitions"}"#.to_owned(), 0.0),
    ] {
        assert_eq!(samples.get(&series), Some(&value), "{series}");
    }
    // Five batches of the same size went in, and all of them out.
    let bytes = |way: &str| samples[&format!("ottla_topic_bytes_{way}_total{{topic=\"orders\"}}")];
    assert_eq!(
        (bytes("in"), bytes("out")),
        (samples[r#"ottla_log_size_bytes{topic="orders",partition="0"}"#], bytes("in"))
    );
    let age = samples[&format!("ottla_group_lag_seconds{{{place},isolation=\"read_uncommitted\"}}")];
    // The records are of 1970.
    assert!(age > 1e9, "{age}");
    for name in ["process_resident_memory_bytes", "process_open_fds", "process_start_time_seconds"] {
        assert!(samples[name] > 0.0, "{name}");
    }
    assert!(samples["ottla_received_bytes_total"] > 500.0 && samples["ottla_sent_bytes_total"] > 500.0);
}

#[test]
fn dashboards_of_kafka_find_its_names() {
    let broker = measured();
    let mut client = client(&broker);
    create(&mut client, "orders", 2, &[]);
    create(&mut client, "gone", 1, &[]);
    find_coordinator(&mut client, "readers");
    let (one, two) = (batch(&["one"]), batch(&["one", "two"]));
    assert_eq!(produce(&mut client, "orders", two).error_code, 0);
    assert_eq!(produce(&mut client, "gone", one.clone()).error_code, 0);
    assert_eq!(produce(&mut client, "missing", one).error_code, 3);
    assert_eq!(fetch(&mut client, "orders", 0).len(), 2);
    let before = parse(&get(&broker));
    let request = DeleteTopicsRequest::default().with_topic_names(vec![name("gone")]).with_timeout_ms(1000);
    assert_eq!(client.send(5, &request).unwrap().responses[0].error_code, 0);
    assert_eq!(commit(&mut client, "readers", "orders", 1), 0);
    let samples = parse(&get(&broker));
    let topic = r#"topic="orders""#;
    let log = r#"topic="orders",partition="0""#;
    // The two topics, and the offsets of groups.
    let partitions = 2.0 + samples[r#"kafka_topic_partitions{topic="__consumer_offsets"}"#];
    for (series, value) in [
        (format!("kafka_server_brokertopicmetrics_messagesin_total{{{topic}}}"), 2.0),
        // The commit is a record too.
        (r#"kafka_server_brokertopicmetrics_messagesin_total{topic=""}"#.to_owned(), 4.0),
        (format!("kafka_log_log_logstartoffset{{{log}}}"), 0.0),
        (format!("kafka_log_log_logendoffset{{{log}}}"), 2.0),
        (format!("kafka_log_log_numlogsegments{{{log}}}"), 1.0),
        (format!("kafka_log_log_size{{{log}}}"), samples[&format!("ottla_log_size_bytes{{{log}}}")]),
        ("kafka_server_replicamanager_partitioncount".to_owned(), partitions),
        ("kafka_server_replicamanager_leadercount".to_owned(), partitions),
        ("kafka_server_replicamanager_underreplicatedpartitions".to_owned(), 0.0),
        ("kafka_controller_kafkacontroller_activecontrollercount".to_owned(), 1.0),
        ("kafka_controller_kafkacontroller_globaltopiccount".to_owned(), 2.0),
        ("kafka_controller_kafkacontroller_globalpartitioncount".to_owned(), partitions),
        ("kafka_controller_kafkacontroller_offlinepartitionscount".to_owned(), 0.0),
        ("kafka_coordinator_group_groupmetadatamanager_numgroups".to_owned(), 1.0),
        ("kafka_coordinator_group_groupmetadatamanager_numgroupsempty".to_owned(), 1.0),
        ("kafka_coordinator_group_groupmetadatamanager_numgroupsstable".to_owned(), 0.0),
        ("kafka_coordinator_group_groupmetadatamanager_numoffsets".to_owned(), 1.0),
        (r#"kafka_network_requestmetrics_requests_total{request="Produce"}"#.to_owned(), 3.0),
        (r#"kafka_network_requestmetrics_requests_total{request="FetchConsumer"}"#.to_owned(), 1.0),
        (
            r#"kafka_network_requestmetrics_errors_total{request="Produce",error="UNKNOWN_TOPIC_OR_PARTITION"}"#
                .to_owned(),
            1.0,
        ),
        ("kafka_server_socket_server_metrics_connection_count".to_owned(), 1.0),
    ] {
        assert_eq!(samples.get(&series), Some(&value), "{series}");
    }
    for way in ["messagesin", "bytesin", "bytesout"] {
        let all = format!("kafka_server_brokertopicmetrics_{way}_total{{topic=\"\"}}");
        assert!(samples[&all] >= before[&all], "{all} fell with the topic");
    }
}

#[test]
fn what_is_no_scrape_is_refused_and_harms_nobody() {
    let broker = measured();
    let address = broker.metrics_address().unwrap();
    let long = format!("GET /metrics HTTP/1.1\r\nX: {}\r\n\r\n", "x".repeat(100_000));
    let many = format!("GET /metrics HTTP/1.1\r\n{}\r\n", "X: y\r\n".repeat(1000));
    for (request, status) in [
        (&b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"[..], "404"),
        (b"POST /metrics HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody", "405"),
        (b"nonsense\r\n\r\n", "400"),
        (long.as_bytes(), "431"),
        (many.as_bytes(), "431"),
    ] {
        let (head, _) = exchange(address, request);
        assert!(head.is_empty() || head.contains(status), "{head}");
    }
    // Those who say nothing hold their connection for a while, but not the broker.
    let silent: Vec<TcpStream> = (0..10).map(|_| TcpStream::connect(address).unwrap()).collect();
    parse(&get(&broker));
    drop(silent);
    let head = exchange(address, b"HEAD /metrics HTTP/1.1\r\nHost: a\r\n\r\n");
    assert!(head.0.contains("200 OK") && head.1.is_empty());
    broker.stop();
    assert!(TcpStream::connect(address).is_err());
}
