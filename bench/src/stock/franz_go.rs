//! franz-go, by the small program in `bench/franz-go`: its own benchmark is no module that could be fetched.

use std::process::Command;
use std::sync::OnceLock;

use ottla_tests::problem::Problem;

use super::Client;
use super::program::{Task, number_before};
use crate::go_program::GoProgram;

pub(super) struct FranzGo;

impl Client for FranzGo {
    fn name(&self) -> &'static str {
        "franz-go"
    }

    fn producer(&self, task: &Task) -> Result<Command, Problem> {
        program("produce", task)
    }

    fn consumer(&self, task: &Task) -> Result<Command, Problem> {
        program("consume", task)
    }

    fn produced(&self, output: &str) -> Option<f64> {
        number_before(output, " records/sec")
    }

    fn consumed(&self, output: &str) -> Option<f64> {
        number_before(output, " records/sec")
    }
}

fn program(what: &str, task: &Task) -> Result<Command, Problem> {
    static BUILT: OnceLock<Result<GoProgram, Problem>> = OnceLock::new();
    let built = BUILT.get_or_init(|| GoProgram::build("franz-go", "github.com/twmb/franz-go")).clone()?;
    let mut command = Command::new(built.binary);
    command.args([what, &task.address, &task.topic]);
    command.args([task.records.to_string(), task.value_bytes.to_string()]);
    Ok(command)
}
