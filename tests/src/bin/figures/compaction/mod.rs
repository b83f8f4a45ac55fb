//! The compaction of a large offsets log: its time, its memory, and what a producer to another topic notices.
//!
//! Both brokers get the same commits through the protocol, into one partition of `__consumer_offsets`. Each round
//! compacts a copy of that log once, and checks afterwards, on a broker that has read the compacted log, that the last
//! commit of every key is there.

mod contender;
mod round;
mod watch;

use ottla_tests::measure::{CommitShape, Spread, describe, subjects};
use ottla_tests::problem::{Doing, Problem};
use serde_json::json;

use crate::arguments::Arguments;
use crate::output::{Row, date, table, write};

use contender::Contender;
use round::Round;

/// 10 million commits over 1 million keys.
const GROUPS: u32 = 10_000;
const PARTITIONS: i32 = 100;
const PARTITIONS_PER_REQUEST: usize = 10;
const COMMITS_PER_KEY: u32 = 10;

/// A row of the table: its name, digits behind the point, and what it tells of a round.
type Quantity = (&'static str, usize, fn(&Round) -> f64);

const QUANTITIES: [Quantity; 9] = [
    ("time of the compaction, s", 2, |round| round.times.took().as_secs_f64()),
    ("most anonymous memory beyond what there was before, MiB", 1, Round::memory_mib),
    ("most anonymous memory, MiB", 1, |round| round.peak.anonymous_kib as f64 / 1024.0),
    ("processor time of the broker meanwhile, s", 2, |round| round.usage.cpu_seconds()),
    ("produce latency without it, p50, ms", 2, |round| round.quiet.p50),
    ("produce latency without it, p99, ms", 2, |round| round.quiet.p99),
    ("produce latency while it runs, p50, ms", 2, |round| round.busy.p50),
    ("produce latency while it runs, p99, ms", 2, |round| round.busy.p99),
    ("produce latency while it runs, most, ms", 1, |round| round.busy.max),
];

pub(crate) fn measure(arguments: &Arguments) -> Result<(), Problem> {
    let machine = describe()?;
    let shape = CommitShape {
        topic: "committed".to_owned(),
        partitions: PARTITIONS,
        partitions_per_request: PARTITIONS_PER_REQUEST,
        groups: arguments.scaled(GROUPS),
        rounds: COMMITS_PER_KEY,
        first_round: 0,
    };
    let scratch = tempfile::tempdir().doing("make a directory for logs")?;
    let mut contenders = Vec::new();
    for subject in subjects(&arguments.brokers)? {
        contenders.push(Contender::load(subject, &shape, scratch.path())?);
    }
    let mut rounds = Vec::new();
    for number in 1..=arguments.rounds {
        for contender in &mut contenders {
            let round = contender.round()?;
            let (took, broker) = (round.times.took(), round.broker);
            eprintln!("{broker}, round {number} of {}: {took:.2?}", arguments.rounds);
            rounds.push(round);
        }
        contenders.reverse();
    }
    contenders
        .sort_by_key(|contender| arguments.brokers.iter().position(|name| name == contender.subject.name));
    print!("{}", table_of(&contenders, &rounds)?);
    let of_broker = |contender: &Contender| json!({"broker": contender.subject.description, "load_s": contender.load_seconds});
    let figures = json!({
        "command": arguments.command,
        "machine": machine,
        "commits": shape.commits(),
        "keys": shape.keys(),
        "groups": shape.groups,
        "commits_per_request": shape.partitions_per_request,
        "brokers": contenders.iter().map(of_broker).collect::<Vec<_>>(),
        "rounds": rounds.iter().map(Round::json).collect::<Vec<_>>(),
    });
    write(&arguments.out, "compaction", date(&machine), &figures)
}

fn table_of(contenders: &[Contender], rounds: &[Round]) -> Result<String, Problem> {
    let names: Vec<&str> = contenders.iter().map(|contender| contender.subject.name).collect();
    let mut rows = Vec::new();
    for (name, digits, quantity) in QUANTITIES {
        let of =
            |broker: &str| Spread::of(rounds.iter().filter(|round| round.broker == broker).map(quantity));
        let spreads = names.iter().map(|name| of(name)).collect::<Result<_, _>>()?;
        rows.push(Row { name: name.to_owned(), digits, spreads });
    }
    Ok(table("compaction of the offsets log", &names, &rows))
}
