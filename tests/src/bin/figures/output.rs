//! Writes raw figures and draws tables.

use std::path::Path;

use ottla_tests::problem::{Doing, Problem};
use serde_json::Value;

/// Writes raw figures to `NAME-DATE.json`, one file a day, so that figures can be compared over time.
pub(crate) fn write(directory: &Path, name: &str, date: &str, figures: &Value) -> Result<(), Problem> {
    std::fs::create_dir_all(directory).doing(format_args!("create {}", directory.display()))?;
    let file = directory.join(format!("{name}-{date}.json"));
    let text = serde_json::to_string_pretty(figures).doing("write JSON")? + "\n";
    std::fs::write(&file, text).doing(format_args!("write {}", file.display()))?;
    println!("\nraw figures: {}", file.display());
    Ok(())
}

/// The date in a description of the machine.
pub(crate) fn date(machine: &Value) -> &str {
    machine.get("date").and_then(Value::as_str).unwrap_or("undated")
}

/// A markdown table.
pub(crate) fn table(heading: &[String], rows: &[Vec<String>]) -> String {
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let rule = format!("|{}\n", "---|".repeat(heading.len()));
    rows.iter().fold(line(heading) + &rule, |table, row| table + &line(row))
}

/// How many times as much the second is, for a table.
pub(crate) fn ratio(one: f64, other: f64) -> String {
    format!("{:.1}", other / one)
}
