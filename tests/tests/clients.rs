//! Every scenario with every client program, one trial each: `java-4.3.1::payload_variety`.
//!
//! The trials only wait for results. The programs run in the background, once each, with the scenarios that the
//! command line selected; `tests/README.md` tells how to choose clients, scenarios and the broker.

use std::collections::HashSet;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use libtest_mimic::{Arguments, Completion, Failed, Trial};
use ottla_tests::board::{Board, Standing};
use ottla_tests::broker::last_lines;
use ottla_tests::clients::CLIENTS;
use ottla_tests::matrix::write_matrix;
use ottla_tests::message::Outcome;
use ottla_tests::problem::{Doing, Problem};
use ottla_tests::scenarios::{Unsupported, read_scenarios, read_unsupported};
use ottla_tests::schedule::{BrokerChoice, PROGRAMS_AT_ONCE, Schedule, error_output};
use ottla_tests::selection::{Planned, WHOLE_RUN, plan, trial_name};
use ottla_tests::verdict::{Verdict, judge, skips_fail};
use ottla_tests::workspace::target_directory;

/// How much of a failed program's standard error is printed at the end.
const ERROR_LINES_PRINTED: usize = 60;

fn main() -> ExitCode {
    match run(&Arguments::from_args()) {
        Ok(code) => code,
        Err(problem) => {
            eprintln!("error: {problem}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<ExitCode, Problem> {
    let scenarios = read_scenarios()?;
    let unsupported = read_unsupported(&scenarios)?;
    let board = Arc::new(Board::default());
    let trials = trials(&scenarios, &unsupported, &board);
    if arguments.list {
        return Ok(libtest_mimic::run(arguments, trials).exit_code());
    }
    let broker = BrokerChoice::from_environment()?;
    let (logs, matrix) = output_paths(broker)?;
    let is_selected = |trial: &&Trial| !arguments.is_filtered_out(trial) && !arguments.is_ignored(trial);
    let selected: HashSet<String> =
        trials.iter().filter(is_selected).map(|trial| trial.name().to_owned()).collect();
    let schedule = Schedule {
        planned: plan(&scenarios, |name| selected.contains(name)),
        broker,
        programs_at_once: arguments.test_threads.unwrap_or(PROGRAMS_AT_ONCE),
        logs,
        board: Arc::clone(&board),
    };
    let conclusion = std::thread::scope(|scope| {
        scope.spawn(|| schedule.run());
        libtest_mimic::run(arguments, trials)
    });
    if !schedule.planned.is_empty() {
        print_error_output(&schedule.planned, &schedule.logs, &board);
        let text = write_matrix(&format!("{broker:?}"), &scenarios, &schedule.planned, &board);
        std::fs::write(&matrix, text).doing(format_args!("write {}", matrix.display()))?;
        eprintln!(
            "table of the results: {}\nlogs of the runs: {}",
            matrix.display(),
            schedule.logs.display()
        );
    }
    Ok(conclusion.exit_code())
}

/// One trial a client and scenario, and one for each client's run as a whole.
fn trials(scenarios: &[String], unsupported: &[Unsupported], board: &Arc<Board>) -> Vec<Trial> {
    let mut trials = Vec::new();
    for client in CLIENTS {
        for scenario in scenarios.iter().map(String::as_str).chain([WHOLE_RUN]) {
            let row = unsupported.iter().find(|row| row.client == client.name && row.scenario == scenario);
            let (board, scenario, row) = (Arc::clone(board), scenario.to_owned(), row.cloned());
            let name = trial_name(client.name, &scenario);
            trials.push(Trial::ignorable_test(name, move || {
                let standing = board.wait(client.name, &scenario);
                complete(&standing, row.as_ref())
            }));
        }
    }
    trials
}

fn complete(standing: &Standing, row: Option<&Unsupported>) -> Result<Completion, Failed> {
    match judge(standing, row.map(|row| row.reason.as_str()), skips_fail()) {
        Verdict::Passed => Ok(Completion::Completed),
        Verdict::Failed(message) => Err(message.into()),
        Verdict::Ignored(reason) => Ok(Completion::ignored_with(reason)),
    }
}

/// The directory of the logs and the file of the table, apart for each broker.
fn output_paths(broker: BrokerChoice) -> Result<(std::path::PathBuf, std::path::PathBuf), Problem> {
    let target = target_directory()?;
    Ok(match broker {
        BrokerChoice::Ottla => (target.join("client-runs"), target.join("client-matrix.md")),
        BrokerChoice::Kafka => (target.join("client-runs-kafka"), target.join("client-matrix-kafka.md")),
    })
}

fn print_error_output(planned: &[Planned], logs: &Path, board: &Board) {
    for planned in planned {
        let failed = |scenario: &String| {
            let standing = board.get(planned.client.name, scenario);
            matches!(
                standing,
                Some(Standing::Missing(_) | Standing::Reported { outcome: Outcome::Fail(_), .. })
            )
        };
        let file = error_output(logs, planned.client.name);
        if planned.scenarios.iter().any(failed) && file.is_file() {
            eprintln!("\nstandard error of {} ends with:", planned.client.name);
            eprintln!("{}", last_lines(&file, ERROR_LINES_PRINTED));
        }
    }
}
