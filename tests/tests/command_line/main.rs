//! The `ottla` command as people and scripts use it: real runs of the release binary against a running broker, with pipes and
//! files. With `OTTLA_TEST_BROKER=kafka` the same runs, but for those about what only an Ottla knows, go against Apache Kafka.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a trial that panics has failed"
)]

mod admin;
mod groups;
mod interrupted;
mod page;
mod records;
mod scene;
mod stopped;
mod usage;

use std::process::ExitCode;
use std::sync::Arc;

use libtest_mimic::{Arguments, Trial};
use ottla_tests::problem::Problem;
use ottla_tests::schedule::BrokerChoice;
use ottla_tests::toolchain::Toolchain;
use ottla_tests::verdict::skips_fail;

use scene::Scene;

/// A trial, and whether only an Ottla can pass it.
type Listed = (&'static str, bool, fn(&Scene));

const TRIALS: [Listed; 19] = [
    ("lines_go_in_and_come_out", false, records::lines),
    ("files_come_back_in_every_codec", false, records::files_in_every_codec),
    ("json_lines_carry_every_byte", false, records::json_lines),
    ("positions_say_where_to_begin_and_to_end", false, records::positions),
    ("delimiters_nulls_and_whole_files", false, records::delimiters),
    ("a_closed_pipe_is_no_failure", false, records::closed_pipe),
    ("what_cannot_be_sent_is_told", false, records::refusals),
    ("a_restart_in_the_middle_loses_and_doubles_nothing", false, interrupted::restart),
    ("ctrl_c_ends_a_consumer", false, interrupted::ctrl_c),
    ("a_group_goes_on_where_it_stopped", false, groups::goes_on),
    ("members_share_the_partitions", false, groups::share),
    ("topics_from_creation_to_deletion", false, admin::topics),
    ("settings_are_shown_and_changed", false, admin::settings),
    ("health_is_an_exit_code", false, admin::health),
    ("bad_arguments_are_told", false, usage::bad_arguments),
    ("every_command_has_a_page_and_completions", false, usage::pages_and_completions),
    ("groups_speak_json", true, groups::json),
    ("a_stopped_directory_is_shown_and_stays_as_it_is", true, stopped::inspect),
    ("the_page_tells_the_truth", true, page::examples),
];

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
    let choice = BrokerChoice::from_environment()?;
    if choice == BrokerChoice::Kafka
        && let Some(missing) = Toolchain::Java.missing()
    {
        eprintln!("skipped: {missing}");
        return Ok(if skips_fail() { ExitCode::FAILURE } else { ExitCode::SUCCESS });
    }
    let scene = Arc::new(Scene::new(choice)?);
    let trials = TRIALS.iter().map(|&(name, only_ottla, trial)| {
        let scene = Arc::clone(&scene);
        let run = move || {
            trial(&scene);
            Ok(())
        };
        Trial::test(name, run).with_ignored_flag(only_ottla && choice == BrokerChoice::Kafka)
    });
    let conclusion = libtest_mimic::run(arguments, trials.collect());
    scene.stop()?;
    Ok(conclusion.exit_code())
}
