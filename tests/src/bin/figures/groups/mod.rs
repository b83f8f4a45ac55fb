//! Groups: the time they take to form and to replace a member, and the time until a broker that starts tells what is
//! committed.
//!
//! Members are lean clients that all join at once, on connections that exist already. A group has formed when each
//! member has its part of the partitions, in one generation or epoch. Both brokers have the same timeouts and do not wait
//! for more members before the first rebalance; the heartbeats are frequent, since otherwise the rest between them would be
//! most of the time.

mod crowds;
mod restarts;

use ottla_tests::measure::{Spread, describe, load_average, subjects};
use ottla_tests::problem::{Doing, Problem};
use serde_json::{Value, json};

use crate::arguments::Arguments;
use crate::output::{Row, date, table, write};

use crowds::Crowds;
use restarts::Restarts;

/// One time that was measured.
struct Timed {
    broker: &'static str,
    quantity: String,
    seconds: f64,
}

pub(crate) fn measure(arguments: &Arguments) -> Result<(), Problem> {
    let machine = describe()?;
    let scratch = tempfile::tempdir().doing("make a directory for logs")?;
    let subjects = subjects(&arguments.brokers)?;
    let mut times = Vec::new();
    let mut crowds = Vec::new();
    for subject in &subjects {
        crowds.push(Crowds::start(subject, scratch.path(), arguments)?);
    }
    // The first round makes Apache Kafka's virtual machine warm, and does not count.
    for round in 0..=arguments.rounds {
        eprintln!("groups, round {round} of {}", arguments.rounds);
        for contender in &mut crowds {
            let timed = contender.round(round)?;
            if round > 0 {
                times.extend(timed);
            }
        }
        crowds.reverse();
    }
    drop(crowds);
    let mut restarts = Vec::new();
    for subject in &subjects {
        restarts.push(Restarts::load(subject, scratch.path(), arguments)?);
    }
    for round in 1..=arguments.rounds {
        eprintln!("restarts, round {round} of {}", arguments.rounds);
        for contender in &mut restarts {
            times.extend(contender.round()?);
        }
        restarts.reverse();
    }
    let names: Vec<&str> = subjects.iter().map(|subject| subject.name).collect();
    print!("{}", table_of(&names, &times)?);
    let figures = json!({
        "command": arguments.command,
        "machine": machine,
        "load_average_after": load_average()?,
        "settings": crowds::SETTINGS,
        "brokers": subjects.iter().map(|subject| subject.description.clone()).collect::<Vec<Value>>(),
        "times": times.iter().map(Timed::json).collect::<Vec<Value>>(),
    });
    write(&arguments.out, "groups", date(&machine), &figures)
}

impl Timed {
    fn json(&self) -> Value {
        json!({"broker": self.broker, "quantity": self.quantity, "seconds": self.seconds})
    }
}

fn table_of(names: &[&str], times: &[Timed]) -> Result<String, Problem> {
    let mut quantities: Vec<&str> = Vec::new();
    for timed in times {
        if !quantities.contains(&timed.quantity.as_str()) {
            quantities.push(&timed.quantity);
        }
    }
    let mut rows = Vec::new();
    for quantity in quantities {
        let of = |name: &str| {
            let times = times.iter().filter(|timed| timed.broker == name && timed.quantity == quantity);
            Spread::of(times.map(|timed| timed.seconds))
        };
        let spreads = names.iter().map(|name| of(name)).collect::<Result<_, _>>()?;
        rows.push(Row { name: quantity.to_owned(), digits: 3, spreads });
    }
    Ok(table("groups, s", names, &rows))
}
