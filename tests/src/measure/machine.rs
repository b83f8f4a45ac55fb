//! What was measured, and on what.

use std::process::Command;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde_json::{Value, json};

use crate::problem::{Doing, Problem};
use crate::workspace::root;

/// Processor, cores, memory, kernel, compiler, date, commit, and how busy the machine was just before.
///
/// # Errors
/// The system does not tell.
pub fn describe() -> Result<Value, Problem> {
    let cores = std::thread::available_parallelism().doing("count the cores")?;
    Ok(json!({
        "processor": field_of("/proc/cpuinfo", "model name")?,
        "cores": cores.get(),
        "memory": field_of("/proc/meminfo", "MemTotal")?,
        "kernel": output_of("uname", &["-sr"])?,
        "compiler": output_of("rustc", &["--version"])?,
        "date": output_of("date", &["--utc", "+%Y-%m-%d"])?,
        "commit": output_of("git", &["describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"])?,
        "load_average_before": load_average()?,
    }))
}

/// How busy the machine was in the last minute, five and fifteen minutes.
///
/// # Errors
/// The system does not tell.
pub fn load_average() -> Result<String, Problem> {
    let load = std::fs::read_to_string("/proc/loadavg").doing("read /proc/loadavg")?;
    Ok(load.split(' ').take(3).collect::<Vec<_>>().join(" "))
}

/// Lets this process open as many files and connections as the system grants.
///
/// # Errors
/// The system refuses.
pub fn raise_descriptor_limit() -> Result<(), Problem> {
    let maximum = getrlimit(Resource::Nofile).maximum;
    setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }).doing("raise the limit of open files")
}

/// The value of the first line `NAME: VALUE` of a file of the kernel.
///
/// # Errors
/// There is no such file or line.
pub fn field_of(file: &str, name: &str) -> Result<String, Problem> {
    let text = std::fs::read_to_string(file).doing(format_args!("read {file}"))?;
    let value = text.lines().find_map(|line| {
        let (field, value) = line.split_once(':')?;
        (field.trim() == name).then(|| value.trim().to_owned())
    });
    value.ok_or_else(|| Problem::new(format!("{file} has no field {name}")))
}

/// What a program prints when it is run at the top of the repository.
fn output_of(program: &str, arguments: &[&str]) -> Result<String, Problem> {
    let output = Command::new(program).args(arguments).current_dir(root()).output();
    let output = output.doing(format_args!("run {program}"))?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
