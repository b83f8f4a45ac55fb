//! Which trials there are, and which of them this run was asked for.

use crate::clients::{CLIENTS, Client};

/// The name, in place of a scenario's, of the trial that judges the run of the program as a whole: that it kept the
/// contract and ended, and that its broker survived it and stopped cleanly.
pub const WHOLE_RUN: &str = "whole_run";

/// A client program with the scenarios that this run wants from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planned {
    /// The client.
    pub client: Client,
    /// The scenarios to run, in the order of the list.
    pub scenarios: Vec<String>,
}

/// The name of a trial.
#[must_use]
pub fn trial_name(client: &str, scenario: &str) -> String {
    format!("{client}::{scenario}")
}

/// The programs to start so that every selected trial gets its result. A program of which only [`WHOLE_RUN`] is
/// selected runs all scenarios; one of which nothing is selected is not started.
#[must_use]
pub fn plan(scenarios: &[String], is_selected: impl Fn(&str) -> bool) -> Vec<Planned> {
    let mut planned = Vec::new();
    for client in CLIENTS {
        let wanted = |scenario: &str| is_selected(&trial_name(client.name, scenario));
        let mut chosen: Vec<String> = scenarios.iter().filter(|name| wanted(name)).cloned().collect();
        if chosen.is_empty() && wanted(WHOLE_RUN) {
            chosen = scenarios.to_vec();
        }
        if !chosen.is_empty() {
            planned.push(Planned { client, scenarios: chosen });
        }
    }
    planned
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan_of(is_selected: impl Fn(&str) -> bool) -> Vec<(&'static str, Vec<String>)> {
        let scenarios = ["one".to_owned(), "two".to_owned()];
        plan(&scenarios, is_selected)
            .into_iter()
            .map(|planned| (planned.client.name, planned.scenarios))
            .collect()
    }

    #[test]
    fn only_programs_with_a_selected_trial_are_started() {
        assert_eq!(plan_of(|name| name == "sarama::two"), [("sarama", vec!["two".to_owned()])]);
        assert_eq!(plan_of(|_| false), []);
        assert_eq!(plan_of(|_| true).len(), CLIENTS.len());
    }

    #[test]
    fn the_whole_run_alone_means_every_scenario() {
        let expected = vec!["one".to_owned(), "two".to_owned()];
        assert_eq!(plan_of(|name| name == "sarama::whole_run"), [("sarama", expected)]);
    }
}
