//! Quotas of clients: a stock client that goes as fast as it can is told to wait, and comes out near its quota.

use ottla_tests::measure::Usage;
use ottla_tests::toolchain::Toolchain;

use crate::{Session, is_skipped};

/// Three windows of a second, in place of eleven: a client that was idle may use what two of them allow at once.
const WINDOWS: [(&str, &str); 2] = [("quota.window.num", "3"), ("quota.window.size.seconds", "1")];

/// How many bytes a second a client may send or receive.
const QUOTA: f64 = 250_000.0;

const RECORDS: u32 = 1500;
const RECORD_BYTES: u32 = 1000;

/// The most seconds for which a client may use its quota ahead of time: its windows, and the request that goes beyond.
const SECONDS_AHEAD: f64 = 3.0;

/// The least part of its quota that a client gets when it waits as it is told. A busy machine gives it less of everything.
const PART_MIN: f64 = 0.4;

/// How long a client sends one record after the other.
const BUSY_SECONDS: u32 = 4;

/// How much of a thread's time it may take, in percent. Over its windows and those seconds that is 0.07 seconds.
const PERCENT: u32 = 1;

/// The most processor time that the broker may take meanwhile, with all that it does besides.
const USED_SECONDS_MAX: f64 = 0.25;

fn limited(session: &Session, quota: &str, client_id: &str) {
    let entity = ["--alter", "--entity-type", "clients", "--entity-name", client_id];
    session.tool("kafka.admin.ConfigCommand", &[&entity[..], &["--add-config", quota]].concat());
}

/// The metric that a tool of Apache Kafka has printed with `--print-metrics`.
fn metric(told: &str, name: &str) -> f64 {
    let line = told.lines().find(|line| line.contains(name));
    let line = line.unwrap_or_else(|| panic!("there is no {name} in {told}"));
    line.rsplit(':').next().unwrap().trim().parse().unwrap()
}

fn assert_near_the_quota(seconds: f64, throttle_ms: f64) {
    let bytes = f64::from(RECORDS * RECORD_BYTES);
    let (least, most) = (bytes / QUOTA - SECONDS_AHEAD, bytes / QUOTA / PART_MIN);
    assert!(seconds > least, "{bytes} bytes went within {seconds} seconds, where {least} were expected");
    assert!(seconds < most, "{bytes} bytes took {seconds} seconds, where {most} would be slow");
    assert!(throttle_ms > 100.0, "it was told to wait for {throttle_ms} ms at most");
}

/// Sends all records as fast as it goes, and gives how long it took and for how long it had to wait at most.
fn produce(session: &Session, topic: &str, client_id: &str) -> (f64, f64) {
    let mut command = session.java("org.apache.kafka.tools.ProducerPerformance");
    command.args(["--topic", topic, "--throughput", "-1", "--print-metrics"]);
    command.args(["--num-records", &RECORDS.to_string(), "--record-size", &RECORD_BYTES.to_string()]);
    let bootstrap = format!("bootstrap.servers={}", session.broker.address());
    command.args(["--producer-props", &bootstrap, &format!("client.id={client_id}")]);
    let told = session.finish(command);
    let total = format!("{RECORDS} records sent, ");
    let rate = told.lines().find_map(|line| line.strip_prefix(&total)).unwrap_or_else(|| panic!("{told}"));
    let rate: f64 = rate.split(' ').next().unwrap().parse().unwrap();
    (f64::from(RECORDS) / rate, metric(&told, "produce-throttle-time-max"))
}

#[test]
fn a_producer_keeps_to_its_byte_rate() {
    if is_skipped(&[Toolchain::Java]) {
        return;
    }
    let session = Session::start(&WINDOWS);
    limited(&session, &format!("producer_byte_rate={QUOTA}"), "limited");
    let (seconds, throttle_ms) = produce(&session, "sent", "limited");
    assert_near_the_quota(seconds, throttle_ms);
}

#[test]
fn a_consumer_keeps_to_its_byte_rate() {
    if is_skipped(&[Toolchain::Java]) {
        return;
    }
    let session = Session::start(&WINDOWS);
    limited(&session, &format!("consumer_byte_rate={QUOTA}"), "limited");
    let (_, throttle_ms) = produce(&session, "received", "other");
    assert!(throttle_ms == 0.0, "the quota is another client's");
    let records = RECORDS.to_string();
    let told = session.tool(
        "org.apache.kafka.tools.ConsumerPerformance",
        &[
            "--topic",
            "received",
            "--num-records",
            &records,
            "--print-metrics",
            "--timeout",
            "60000",
            "--command-property",
            "client.id=limited",
        ],
    );
    // The names of the columns, and the figures.
    let mut rows = told.lines().filter(|line| line.split(", ").count() == 10);
    let (names, row) = (rows.next().unwrap(), rows.next().unwrap_or_else(|| panic!("{told}")));
    let place = names.split(", ").position(|name| name == "fetch.time.ms").unwrap();
    let fetch_ms: f64 = row.split(", ").nth(place).unwrap().parse().unwrap();
    let throttle_ms = metric(&told, "fetch-throttle-time-max");
    assert_near_the_quota(fetch_ms / 1000.0, throttle_ms);
}

#[test]
fn a_client_keeps_to_its_part_of_the_brokers_time() {
    if is_skipped(&[Toolchain::Java]) {
        return;
    }
    let session = Session::start(&WINDOWS);
    let run = || {
        let mut command = session.java("Busy.java");
        command.args([session.broker.address(), BUSY_SECONDS.to_string()]);
        let usage = || Usage::of_process(session.broker.process_id()).unwrap();
        let before = usage();
        let told = session.finish(command);
        let used = usage().since(&before).cpu_seconds();
        let mut figures = told.trim().split(' ').map(|figure| figure.parse::<f64>().unwrap());
        let (sent, throttle_ms) = (figures.next().unwrap(), figures.next().unwrap());
        (sent, throttle_ms, used)
    };
    let (_, throttle_ms, _) = run();
    assert!(throttle_ms == 0.0, "it has no quota");
    limited(&session, &format!("request_percentage={PERCENT}"), "busy");
    let (sent, throttle_ms, used) = run();
    assert!(throttle_ms > 0.0 && throttle_ms <= 1000.0, "it was told to wait for {throttle_ms} ms at most");
    assert!(sent > 10.0, "only {sent} requests were answered");
    assert!(used < USED_SECONDS_MAX, "{sent} requests took {used} seconds of the processor");
}
