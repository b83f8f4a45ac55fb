//! Writes raw figures and draws tables.

use std::path::Path;

use ottla_tests::measure::Spread;
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

/// A row of a table: one quantity of all brokers.
pub(crate) struct Row {
    /// The quantity and its unit.
    pub(crate) name: String,
    /// Digits behind the point.
    pub(crate) digits: usize,
    /// What was measured, by broker.
    pub(crate) spreads: Vec<Spread>,
}

/// A markdown table with a column for each broker: medians, with the extremes. Where two are compared, the last column
/// tells how many times as much the second takes.
pub(crate) fn table(title: &str, brokers: &[&str], rows: &[Row]) -> String {
    let mut heading = vec![title];
    heading.extend(brokers);
    heading.push("ratio");
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let heading: Vec<String> = heading.into_iter().map(ToOwned::to_owned).collect();
    let rule = format!("|{}\n", "---|".repeat(heading.len()));
    let row = |row: &Row| {
        let mut cells = vec![row.name.clone()];
        cells.extend(row.spreads.iter().map(|spread| spread.cell(row.digits)));
        cells.push(match row.spreads.as_slice() {
            [one, other] if one.median > 0.0 => format!("{:.1}", other.median / one.median),
            _ => String::new(),
        });
        line(&cells)
    };
    rows.iter().map(row).fold(line(&heading) + &rule, |table, row| table + &row)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_broker_is_compared_with_the_first() {
        let spreads = |medians: &[f64]| medians.iter().map(|median| Spread::of([*median]).unwrap()).collect();
        let row = |spreads| Row { name: "time, s".to_owned(), digits: 1, spreads };
        let drawn = table("start", &["a", "b"], &[row(spreads(&[2.0, 5.0])), row(spreads(&[0.0, 1.0]))]);
        let expected = "| start | a | b | ratio |\n|---|---|---|---|\n\
                        | time, s | 2.0 (2.0 to 2.0) | 5.0 (5.0 to 5.0) | 2.5 |\n\
                        | time, s | 0.0 (0.0 to 0.0) | 1.0 (1.0 to 1.0) |  |\n";
        assert_eq!(drawn, expected);
    }
}
