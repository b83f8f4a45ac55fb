//! What is asked of the image.

use std::sync::Arc;

use ottla_tests::broker::{Broker, Options};
use ottla_tests::client_program::{ClientProgram, PROGRAM_LIMIT, build};
use ottla_tests::message::Outcome;
use ottla_tests::problem::{Doing, Problem};
use ottla_tests::workspace::{client_directory, target_directory};
use serde_json::json;

use crate::container::Container;
use ottla_tests::image::Image;

/// What the image may weigh.
const BYTES_MAX: u64 = 10_000_000;

/// The client that uses it, and what it does there: topics, groups that go on after a stop and a kill, all as localhost.
const CLIENT: &str = "franz-go";
const SCENARIOS: [&str; 4] = ["group_admin", "topic_admin", "resume_after_stop", "dense_offsets"];

pub(crate) fn small_and_described(image: &Image) -> Result<(), Problem> {
    let bytes = image.layer_bytes()?;
    println!("the image has {bytes} bytes");
    check(bytes < BYTES_MAX, format_args!("the image has {bytes} bytes, {BYTES_MAX} are allowed"))?;
    let expected = [
        ("/Entrypoint", json!(["/ottla"])),
        ("/Cmd", json!(["serve"])),
        ("/User", json!("65532:65532")),
        ("/Volumes", json!({ "/data": {} })),
        ("/ExposedPorts", json!({ "9092/tcp": {} })),
        ("/Healthcheck/Test", json!(["CMD", "/ottla", "health"])),
    ];
    for (pointer, value) in expected {
        let found = image.config(pointer)?;
        check(*found == value, format_args!("{pointer} is {found}, not {value}"))?;
    }
    let environment = image.strings("/Env")?;
    let expected = [
        "KAFKA_LISTENERS=PLAINTEXT://0.0.0.0:9092",
        "KAFKA_ADVERTISED_LISTENERS=PLAINTEXT://localhost:9092",
        "KAFKA_LOG_DIRS=/data",
    ];
    for pair in expected {
        check(environment.iter().any(|found| found == pair), format_args!("{environment:?} lacks {pair}"))?;
    }
    Ok(())
}

pub(crate) fn serves_clients(image: &Image) -> Result<(), Problem> {
    let logs = target_directory()?.join("image-run");
    std::fs::create_dir_all(&logs).doing("make a directory for logs")?;
    let directory = client_directory(CLIENT);
    build(&directory)?;
    let program = ClientProgram {
        directory,
        run_id: format!("i{:x}", std::process::id()),
        scenarios: SCENARIOS.map(str::to_owned).to_vec(),
        error_output: logs.join("stderr.log"),
        transcript: logs.join("conversation.log"),
        limit: PROGRAM_LIMIT,
    };
    let container = Arc::new(Container::of(image)?);
    let mut broker = Broker::start_with(container, &logs.join("broker.log"), Options::default())?;
    let mut failed = Vec::new();
    program.run(&mut broker, |report| {
        if report.outcome != Outcome::Pass {
            failed.push(format!("{}: {:?}", report.scenario, report.outcome));
        }
    })?;
    broker.stop()?;
    check(failed.is_empty(), format_args!("{failed:?}"))
}

pub(crate) fn tells_health(image: &Image) -> Result<(), Problem> {
    let log = target_directory()?.join("image-health.log");
    let words = image.strings("/Healthcheck/Test")?;
    let container = Arc::new(Container::of(image)?);
    let mut broker = Broker::start_with(Arc::clone(&container) as _, &log, Options::default())?;
    let port = broker.address().rsplit_once(':').and_then(|(_, port)| port.parse().ok()).unwrap_or_default();
    let ask = || {
        let mut command = container.inside(words.get(1..).unwrap_or_default());
        Container::listen(&mut command, port);
        command.output().doing("run the health check")
    };
    let serving = ask()?;
    check(serving.status.success(), format_args!("a broker that serves: {serving:?}"))?;
    broker.stop()?;
    let stopped = ask()?;
    check(stopped.status.code() == Some(1), format_args!("a broker that has stopped: {stopped:?}"))
}

fn check(holds: bool, otherwise: std::fmt::Arguments<'_>) -> Result<(), Problem> {
    if holds { Ok(()) } else { Err(Problem::new(otherwise.to_string())) }
}
