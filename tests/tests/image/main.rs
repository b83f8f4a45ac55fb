//! The image of `docker/Dockerfile`: built without an engine by buildah, started as a container would start it, and used
//! by a client.
//!
//! The Dockerfile's first stage, which compiles, takes a base image that the test does not fetch: `docker/release` runs
//! here in its place, as it runs there, and its output is handed to buildah under the stage's name. It takes root and
//! buildah; without them the trials are counted as ignored, and as failed in CI.

#![allow(clippy::print_stdout, reason = "the size is a figure")]

mod container;
mod trials;

use std::process::ExitCode;
use std::sync::OnceLock;

use libtest_mimic::{Arguments, Completion, Failed, Trial};
use ottla_tests::image::{Image, missing};
use ottla_tests::problem::Problem;
use ottla_tests::verdict::skips_fail;

/// A trial: what it is called, and what it does with the image.
type Check = (&'static str, fn(&Image) -> Result<(), Problem>);

const CHECKS: [Check; 3] = [
    ("it_is_small_and_says_what_it_needs", trials::small_and_described),
    ("it_serves_clients_and_keeps_data_over_restarts", trials::serves_clients),
    ("its_health_check_tells_serving_from_not", trials::tells_health),
];

fn main() -> ExitCode {
    // Every trial starts its container on the image's own data.
    let arguments = Arguments { test_threads: Some(1), ..Arguments::from_args() };
    let trials = CHECKS.map(|(name, check)| Trial::ignorable_test(name, move || complete(check)));
    libtest_mimic::run(&arguments, trials.into()).exit_code()
}

fn complete(check: fn(&Image) -> Result<(), Problem>) -> Result<Completion, Failed> {
    static IMAGE: OnceLock<Result<Image, Problem>> = OnceLock::new();
    if let Some(lacks) = missing() {
        return if skips_fail() { Err(lacks.into()) } else { Ok(Completion::ignored_with(lacks)) };
    }
    let image = IMAGE.get_or_init(Image::build).as_ref().map_err(ToString::to_string)?;
    check(image).map_err(|problem| problem.to_string())?;
    Ok(Completion::Completed)
}
