//! New files of raw results.

use std::path::{Path, PathBuf};

use ottla_tests::measure::describe;
use ottla_tests::problem::Problem;
use ottla_tests::workspace::root;
use serde_json::{Value, json};

use crate::contender::Contender;
use crate::results::Results;
use crate::size::Size;

/// Where raw results are kept, from the top of the repository.
const DIRECTORY: &str = "docs/measurements";

/// Where raw results of this name go when nobody says otherwise: one file a day.
pub(super) fn default_file(name: &str) -> Result<PathBuf, Problem> {
    let machine = describe()?;
    let date = machine.get("date").and_then(Value::as_str).unwrap_or("undated");
    Ok(root().join(DIRECTORY).join(format!("{name}-{date}.ndjson")))
}

/// Begins a file with what the machine and the contenders are.
pub(super) fn begin(file: &Path, size: Size, contenders: &[Contender]) -> Result<Results, Problem> {
    let described =
        contenders.iter().map(|contender| (contender.kind.name().to_owned(), contender.description.clone()));
    let given: Vec<String> = std::env::args().skip(1).collect();
    let head = json!({
        "command": format!("cargo bench-versus {}", given.join(" ")).trim_end(),
        "machine": describe()?,
        "size": size.name(),
        "contenders": described.collect::<serde_json::Map<String, Value>>(),
    });
    Results::begin(file, head)
}
