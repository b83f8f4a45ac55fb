//! A hundred real clients join, leave, are killed and are paused, the broker is killed in between, and no promise of the
//! group protocols is broken: no partition has two owners in one generation or epoch, nobody commits for what is
//! another's, committed offsets do not go back, every record is processed, and every group settles.
//!
//! `churn-runs` is the same for as long as one likes. `OTTLA_TEST_BROKER=kafka` runs it against Apache Kafka.

#![allow(
    clippy::print_stdout,
    clippy::panic,
    clippy::unwrap_used,
    reason = "figures are printed; a test fails by a panic"
)]

use std::path::Path;
use std::time::Duration;

use ottla_tests::check::Rule;
use ottla_tests::churn::{Churn, Done, Outcome, build_clients, chosen_broker, missing_toolchain, run};
use ottla_tests::verdict::skips_fail;

/// An even seed moves two groups to the consumer protocol, an odd one moves them back again.
const SEED: u64 = 0x6368_7572_6e21;
const LASTING: Duration = Duration::from_secs(50);
/// So many commits in the names of former owners the run makes at least, on the slowest machine.
const FORGED_MIN: u64 = 50;

#[test]
fn groups_keep_their_promises_while_members_come_and_go() {
    if let Some(missing) = missing_toolchain() {
        assert!(!skips_fail(), "{missing}, which CI does not allow");
        eprintln!("skipped: {missing}");
        return;
    }
    let (program, name) = chosen_broker().unwrap();
    build_clients().unwrap();
    let parent = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let directory = tempfile::Builder::new().prefix("churn-").tempdir_in(parent).unwrap();
    let outcome = run(program, directory.path(), &Churn { seed: SEED, lasting: LASTING });
    let said = match outcome {
        Ok(outcome) if outcome.report.violation_count() == 0 => {
            println!("{name}, seed {SEED}: {}\n{}", Done::of(&outcome), outcome.report);
            return looked_at_enough(&outcome);
        }
        Ok(outcome) => outcome.report.to_string(),
        Err(problem) => problem.to_string(),
    };
    panic!("{name}, seed {SEED}, files kept in {}:\n{said}", directory.keep().display());
}

fn looked_at_enough(outcome: &Outcome) {
    assert!(outcome.broker_kills > 0 && outcome.killed > 0 && outcome.paused > 0, "{outcome:?}");
    assert!(outcome.forged >= FORGED_MIN, "{outcome:?}");
    for rule in Rule::OF_MEMBERS {
        assert!(outcome.report.facts(rule) > 0, "{rule} looked at nothing");
    }
}
