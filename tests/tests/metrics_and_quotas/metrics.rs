//! Stock clients push their metrics once somebody has subscribed to them, and a scrape tells what they have counted.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use ottla_tests::client_program::build;
use ottla_tests::port::free_port;
use ottla_tests::toolchain::Toolchain;
use ottla_tests::workspace::client_directory;

use crate::{Session, is_skipped, source};

/// How long it may take until what a client pushes once a second is seen.
const PUSH_LIMIT: Duration = Duration::from_secs(30);

/// The pause between two scrapes.
const SCRAPE_INTERVAL: Duration = Duration::from_millis(200);

const RECORDS: u32 = 1000;

/// A broker with a listener for metrics, and a subscription to all metrics of all clients.
struct Subscribed {
    session: Session,
    metrics_port: u16,
}

impl Subscribed {
    fn start() -> Self {
        let metrics_port = free_port().unwrap();
        let session = Session::start(&[("ottla.metrics.listener", &format!("127.0.0.1:{metrics_port}"))]);
        let subscription = ["--alter", "--name", "everything", "--metrics", "*", "--interval", "1000"];
        session.tool("org.apache.kafka.tools.ClientMetricsCommand", &subscription);
        Self { session, metrics_port }
    }

    /// The value of each series.
    fn scrape(&self) -> BTreeMap<String, f64> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.metrics_port)).unwrap();
        stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: ottla\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (_, body) = answer.split_once("\r\n\r\n").unwrap();
        let samples = body.lines().filter(|line| !line.starts_with('#'));
        let samples = samples.map(|line| line.rsplit_once(' ').unwrap());
        samples.map(|(series, value)| (series.to_owned(), value.parse().unwrap())).collect()
    }

    /// Starts a program, scrapes until `is_told` finds what it has pushed, and ends it. Gives the samples, and what it has told.
    fn push(
        &mut self,
        mut command: Command,
        is_told: impl Fn(&BTreeMap<String, f64>) -> bool,
    ) -> (BTreeMap<String, f64>, String) {
        command.arg(self.session.broker.address()).arg(RECORDS.to_string()).stdin(Stdio::piped());
        let mut process = self.session.begin(&mut command);
        let deadline = Instant::now() + PUSH_LIMIT;
        let samples = loop {
            let samples = self.scrape();
            if is_told(&samples) {
                break samples;
            }
            let complaint = self.session.complaint();
            assert!(Instant::now() < deadline, "it was not pushed: {samples:#?}\n{complaint}");
            self.session.broker.idle(SCRAPE_INTERVAL).unwrap();
        };
        drop(process.child().stdin.take());
        (samples, self.session.end(process))
    }
}

fn labels(metric: &str, client: &str, attributes: &str) -> impl Fn(&str) -> bool + use<> {
    let begin = format!(r#"{{metric="org.apache.kafka.{metric}",client_id="{client}","#);
    let end = format!(r#",attributes="{attributes}"}}"#);
    move |series| series.contains(&begin) && series.ends_with(&end)
}

#[test]
fn java_clients_push_what_they_have_counted() {
    if is_skipped(&[Toolchain::Java]) {
        return;
    }
    let mut subscribed = Subscribed::start();
    let command = subscribed.session.java("Pushing.java");
    let wanted = [
        labels("producer.record.send.total", "java-producer", ""),
        labels("producer.topic.record.send.total", "java-producer", "topic=pushed"),
        labels("consumer.fetch.manager.records.consumed.total", "java-consumer", ""),
        labels("consumer.fetch.manager.records.consumed.total", "java-consumer", "topic=pushed"),
    ];
    let (samples, ids) = subscribed.push(command, |samples| {
        wanted.iter().all(|wanted| {
            let counted = |(series, value): (&String, &f64)| {
                series.starts_with("ottla_client_counter_total{")
                    && wanted(series)
                    && *value == f64::from(RECORDS)
            };
            samples.iter().any(counted)
        })
    });
    for (id, client) in ids.lines().zip(["java-producer", "java-consumer"]) {
        let labels = format!(r#"client_id="{client}",client_instance_id="{id}","#);
        assert!(samples.keys().any(|series| series.contains(&labels)), "{labels}");
    }
    assert_eq!(samples.get("ottla_client_instances"), Some(&2.0));
    assert_eq!(samples.get("ottla_client_metrics_left_out_total"), Some(&0.0));
    // Nobody was told to wait, or to ask again.
    let refused = samples.keys().find(|series| series.contains("error=") && series.contains("Telemetry"));
    assert_eq!(refused, None);
}

#[test]
fn librdkafka_pushes_once_an_interval() {
    if is_skipped(&[Toolchain::Java, Toolchain::Python]) {
        return;
    }
    let mut subscribed = Subscribed::start();
    let client = client_directory("python-librdkafka");
    build(&client).unwrap();
    let mut command = Command::new(client.join(".venv/bin/python"));
    command.arg(source("pushing.py"));
    let wanted = [
        labels("producer.connection.creation.total", "librdkafka-producer", ""),
        labels("producer.record.queue.time.max", "librdkafka-producer", ""),
        labels("producer.node.request.latency.avg", "librdkafka-producer", "node.id=1"),
    ];
    subscribed.push(command, |samples| {
        let pushed_again = samples.get("ottla_client_pushes_total").is_some_and(|pushes| *pushes >= 2.0);
        pushed_again && wanted.iter().all(|wanted| samples.keys().any(|series| wanted(series)))
    });
}
