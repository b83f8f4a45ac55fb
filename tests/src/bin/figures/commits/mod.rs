//! Commits of offsets: how many a second, how long each takes, and what it costs the broker.
//!
//! Each committer is the only member of a group of its own, commits for one partition, and waits for its answer before it
//! commits again. The brokers take turns: Ottla, Apache Kafka after so much of the same load that its virtual machine is
//! warm, Apache Kafka just started, and an echo server on Ottla's runtime, which gets the same requests, gives the same
//! answers and does nothing else.

mod contender;
mod point;

use std::time::Duration;

use ottla_tests::measure::{Spread, Subject, commit_response, describe, load_average, subjects};
use ottla_tests::problem::{Doing, Problem};
use serde_json::{Value, json};

use crate::arguments::Arguments;
use crate::output::{Compared, comparison, date, write};

use contender::Contender;
use point::Point;

const COMMITTERS: [usize; 3] = [1, 16, 128];

/// How long each number of committers commits in a round.
const POINT_TIME: Duration = Duration::from_secs(5);
/// How long they do so before, unmeasured.
const LEAD_IN: Duration = Duration::from_millis(500);
/// How long each number of committers commits before the first round, to make Apache Kafka's virtual machine warm.
const WARM_UP: Duration = Duration::from_secs(10);

const OTTLA: &str = "ottla";
const KAFKA_WARM: &str = "kafka, warm";
const KAFKA_COLD: &str = "kafka, cold";
const ECHO: &str = "echo";

/// Whose figures stand beside Ottla's as ratios, and by which heading.
const RATIOS: [(&str, &str); 2] = [("Ottla / Kafka, warm", KAFKA_WARM), ("Ottla / echo", ECHO)];

/// A row of the table: its name, digits behind the point, and what it tells of a point.
type Quantity = (&'static str, usize, fn(&Point) -> f64);

const QUANTITIES: [Quantity; 5] = [
    ("commits a second", 0, Point::rate),
    ("p50, ms", 3, |point| point.latency.p50),
    ("p99, ms", 3, |point| point.latency.p99),
    ("broker CPU a commit, µs", 2, Point::cpu_micros),
    ("context switches a commit", 3, Point::switches),
];

pub(crate) fn measure(arguments: &Arguments) -> Result<(), Problem> {
    let machine = describe()?;
    let scratch = tempfile::tempdir().doing("make a directory for logs")?;
    let mut contenders = Vec::new();
    for subject in subjects(&arguments.brokers)? {
        let log = |name: &str| scratch.path().join(format!("{}-{name}.log", subject.name));
        if subject.name == "kafka" {
            contenders.push(Contender::running(KAFKA_WARM, subject.clone(), &log("warm"))?);
            contenders.push(Contender::cold(KAFKA_COLD, subject.clone(), &log("cold")));
        } else {
            contenders.push(Contender::running(OTTLA, subject.clone(), &log("always"))?);
        }
    }
    let echo = Subject::echo(commit_response(contender::TOPIC)?);
    contenders.push(Contender::floor(ECHO, echo, &scratch.path().join("echo.log"))?);
    for contender in &mut contenders {
        contender.warm_up(&COMMITTERS, arguments.scaled_time(WARM_UP))?;
    }
    let time = arguments.scaled_time(POINT_TIME);
    let mut points = Vec::new();
    for round in 1..=arguments.rounds {
        for committers in COMMITTERS {
            for contender in &mut contenders {
                let point = contender.measure(round, committers, LEAD_IN, time)?;
                eprintln!("round {round} of {}: {point}", arguments.rounds);
                points.push(point);
            }
        }
        contenders.reverse();
    }
    print!("{}", table_of(&points)?);
    let figures = json!({
        "command": arguments.command,
        "machine": machine,
        "load_average_after": load_average()?,
        "seconds_of_a_point": time.as_secs_f64(),
        "seconds_of_warm_up": arguments.scaled_time(WARM_UP).as_secs_f64() * COMMITTERS.len() as f64,
        "brokers": contenders.iter().map(Contender::json).collect::<Vec<Value>>(),
        "points": points.iter().map(Point::json).collect::<Vec<Value>>(),
    });
    write(&arguments.out, "commits", date(&machine), &figures)
}

fn table_of(points: &[Point]) -> Result<String, Problem> {
    let present = |name: &&str| points.iter().any(|point| point.contender == *name);
    let names: Vec<&str> = [OTTLA, KAFKA_WARM, KAFKA_COLD, ECHO].into_iter().filter(present).collect();
    let ratios: Vec<(&str, &str)> = RATIOS.into_iter().filter(|(_, name)| present(name)).collect();
    let mut rows = Vec::new();
    for committers in COMMITTERS {
        for (name, digits, quantity) in QUANTITIES {
            let of = |name: &str| -> Vec<f64> {
                let points = points.iter().filter(|p| p.committers == committers && p.contender == name);
                points.map(quantity).collect()
            };
            let mut cells = Vec::new();
            for name in &names {
                cells.push(Spread::of(of(name))?.cell(digits));
            }
            for (_, name) in &ratios {
                // Within a round, since the machine's mood changes from one to the next.
                let pairs = of(OTTLA).into_iter().zip(of(name));
                cells.push(Spread::of(pairs.map(|(ottla, other)| ottla / other))?.cell(3));
            }
            rows.push(Compared { name: format!("{committers}: {name}"), cells });
        }
    }
    let columns: Vec<&str> = names.into_iter().chain(ratios.into_iter().map(|(title, _)| title)).collect();
    Ok(comparison("committers: quantity", &columns, &rows))
}
