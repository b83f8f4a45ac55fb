//! What the figures were measured on.

use std::process::Command;

use ottla_tests::problem::{Doing, Problem};
use serde_json::{Value, json};

/// Processor, cores, memory, kernel, compiler and date.
pub(crate) fn describe() -> Result<Value, Problem> {
    let cores = std::thread::available_parallelism().doing("count the cores")?;
    Ok(json!({
        "processor": field_of("/proc/cpuinfo", "model name")?,
        "cores": cores.get(),
        "memory": field_of("/proc/meminfo", "MemTotal")?,
        "kernel": output_of("uname", &["-sr"])?,
        "compiler": output_of("rustc", &["--version"])?,
        "date": output_of("date", &["--utc", "+%Y-%m-%d"])?,
    }))
}

/// The value of the first line `NAME: VALUE` of a file of the kernel.
pub(crate) fn field_of(file: &str, name: &str) -> Result<String, Problem> {
    let text = std::fs::read_to_string(file).doing(format_args!("read {file}"))?;
    let value = text.lines().find_map(|line| {
        let (field, value) = line.split_once(':')?;
        (field.trim() == name).then(|| value.trim().to_owned())
    });
    value.ok_or_else(|| Problem::new(format!("{file} has no field {name}")))
}

fn output_of(program: &str, arguments: &[&str]) -> Result<String, Problem> {
    let output = Command::new(program).args(arguments).output().doing(format_args!("run {program}"))?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
