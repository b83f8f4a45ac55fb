//! The two tables for people that the harness reads too: the list of scenarios, and what clients are known to lack.

use crate::clients::CLIENTS;
use crate::problem::{Doing, Problem};
use crate::workspace::root;

/// A row of `tests/clients/UNSUPPORTED.md`: a client that has no way to do a scenario.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsupported {
    /// The client's name.
    pub client: String,
    /// The scenario's name.
    pub scenario: String,
    /// What the client lacks.
    pub reason: String,
}

/// The names of the scenarios, in the order of the list in `tests/clients/SCENARIOS.md`.
///
/// # Errors
/// The file can not be read or lists nothing, or a name twice.
pub fn read_scenarios() -> Result<Vec<String>, Problem> {
    parse_scenarios(&read("tests/clients/SCENARIOS.md")?)
}

/// The rows of `tests/clients/UNSUPPORTED.md`.
///
/// # Errors
/// The file can not be read, or a row names an unknown client or scenario, or gives no reason.
pub fn read_unsupported(scenarios: &[String]) -> Result<Vec<Unsupported>, Problem> {
    parse_unsupported(&read("tests/clients/UNSUPPORTED.md")?, scenarios)
}

fn read(path: &str) -> Result<String, Problem> {
    std::fs::read_to_string(root().join(path)).doing(format_args!("read {path}"))
}

fn parse_scenarios(text: &str) -> Result<Vec<String>, Problem> {
    let list = text.split_once("\n## The list\n").map(|(_, list)| list).unwrap_or_default();
    let mut names: Vec<String> = Vec::new();
    for row in rows(list) {
        let Some(name) = row.first().and_then(|cell| cell.strip_prefix('`')?.strip_suffix('`')) else {
            continue;
        };
        if names.iter().any(|known| known == name) {
            return Err(Problem::new(format!("SCENARIOS.md lists {name} twice")));
        }
        names.push(name.to_owned());
    }
    if names.is_empty() {
        return Err(Problem::new("SCENARIOS.md has no table with `scenario` names under \"## The list\""));
    }
    Ok(names)
}

fn parse_unsupported(text: &str, scenarios: &[String]) -> Result<Vec<Unsupported>, Problem> {
    // The first two rows of a table are its heading and the line under it.
    let rows: Vec<Vec<&str>> = rows(text).skip(2).collect();
    let mut result: Vec<Unsupported> = Vec::new();
    for row in rows {
        let [client, scenario, reason] = row.as_slice() else {
            return Err(Problem::new(format!("a row of UNSUPPORTED.md has not three cells: {row:?}")));
        };
        let (client, scenario) = (client.trim_matches('`'), scenario.trim_matches('`'));
        if !CLIENTS.iter().any(|known| known.name == client) {
            return Err(Problem::new(format!(
                "UNSUPPORTED.md names the client {client}, which does not exist"
            )));
        }
        if !scenarios.iter().any(|known| known == scenario) {
            return Err(Problem::new(format!(
                "UNSUPPORTED.md names the scenario {scenario}, which does not exist"
            )));
        }
        if reason.is_empty() {
            return Err(Problem::new(format!("UNSUPPORTED.md gives no reason for {client} and {scenario}")));
        }
        if result.iter().any(|known| known.client == client && known.scenario == scenario) {
            return Err(Problem::new(format!("UNSUPPORTED.md lists {client} and {scenario} twice")));
        }
        let (client, scenario) = (client.to_owned(), scenario.to_owned());
        result.push(Unsupported { client, scenario, reason: (*reason).to_owned() });
    }
    Ok(result)
}

/// The cells of every markdown table row in a text.
fn rows(text: &str) -> impl Iterator<Item = Vec<&str>> {
    text.lines().filter_map(|line| {
        let inner = line.trim().strip_prefix('|')?.strip_suffix('|')?;
        Some(inner.split('|').map(str::trim).collect())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: &str = "# S\n\n| `not_this` | before the list |\n\n## The list\n\n| scenario | what |\n|---|---|\n\
                        | `one` | first |\n| `two` | second |\n";

    #[test]
    fn the_list_is_read_in_order() {
        assert_eq!(parse_scenarios(LIST).unwrap(), ["one", "two"]);
    }

    #[test]
    fn an_empty_list_and_a_name_listed_twice_are_refused() {
        assert!(parse_scenarios("# S\n").is_err());
        assert!(parse_scenarios(&format!("{LIST}| `one` | again |\n")).is_err());
    }

    #[test]
    fn the_files_of_the_repository_are_read() {
        let scenarios = read_scenarios().unwrap();
        assert!(scenarios.len() >= 30, "{scenarios:?}");
        read_unsupported(&scenarios).unwrap();
    }

    #[test]
    fn unsupported_rows_are_checked() {
        let scenarios = ["one".to_owned()];
        let parse = |row: &str| {
            parse_unsupported(
                &format!("# U\n\n| client | scenario | reason |\n|---|---|---|\n{row}\n"),
                &scenarios,
            )
        };
        let row = parse("| sarama | `one` | It has none. |").unwrap();
        assert_eq!(
            row,
            [Unsupported { client: "sarama".into(), scenario: "one".into(), reason: "It has none.".into() }]
        );
        assert_eq!(parse("").unwrap(), []);
        assert!(parse("| nobody | `one` | It has none. |").is_err());
        assert!(parse("| sarama | `three` | It has none. |").is_err());
        assert!(parse("| sarama | `one` | |").is_err());
        assert!(parse("| sarama | `one` |").is_err());
        assert!(parse("| sarama | `one` | A. |\n| sarama | `one` | B. |").is_err());
    }
}
