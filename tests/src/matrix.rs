//! The table of all results, in markdown.

use std::fmt::Write;

use crate::board::{Board, Standing};
use crate::message::Outcome;
use crate::selection::{Planned, WHOLE_RUN};

/// Writes the results of the planned programs: a row a scenario, a column a client, and the sums.
#[must_use]
pub fn write_matrix(broker: &str, scenarios: &[String], planned: &[Planned], board: &Board) -> String {
    let names: String = planned.iter().map(|planned| format!(" {} |", planned.client.name)).collect();
    let line = "---|".repeat(planned.len());
    let mut text = format!("# Client scenarios against {broker}\n\n| scenario |{names}\n|---|{line}");
    let whole_run = WHOLE_RUN.to_owned();
    for scenario in scenarios.iter().chain([&whole_run]) {
        let _ = write!(text, "\n| `{scenario}` |");
        for planned in planned {
            let _ = write!(text, " {} |", cell(board.get(planned.client.name, scenario).as_ref()));
        }
    }
    text.push_str("\n| **sum of the scenarios** |");
    for planned in planned {
        let _ = write!(text, " {} |", sum(scenarios, planned, board));
    }
    text.push('\n');
    text
}

fn cell(standing: Option<&Standing>) -> String {
    match standing {
        None => String::new(),
        Some(Standing::Missing(_)) => "**no result**".to_owned(),
        Some(Standing::Skipped(_)) => "skipped".to_owned(),
        Some(Standing::Reported { outcome, duration }) => match outcome {
            Outcome::Pass if duration.is_zero() => "pass".to_owned(),
            Outcome::Pass => format!("pass {:.1} s", duration.as_secs_f64()),
            Outcome::Fail(_) => "**FAIL**".to_owned(),
            Outcome::Unsupported(_) => "unsupported".to_owned(),
        },
    }
}

fn sum(scenarios: &[String], planned: &Planned, board: &Board) -> String {
    let standings: Vec<Standing> =
        scenarios.iter().filter_map(|scenario| board.get(planned.client.name, scenario)).collect();
    let of = |wanted: fn(&Outcome) -> bool| {
        let is_wanted =
            |standing: &&Standing| matches!(standing, Standing::Reported { outcome, .. } if wanted(outcome));
        standings.iter().filter(is_wanted).count()
    };
    let (passed, unsupported) =
        (of(|outcome| *outcome == Outcome::Pass), of(|outcome| matches!(outcome, Outcome::Unsupported(_))));
    let other = standings.len() - passed - unsupported;
    format!("{passed} of {} pass, {unsupported} unsupported, {other} other", standings.len())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::clients::CLIENTS;

    #[test]
    fn every_kind_of_result_has_its_cell() {
        let scenarios: Vec<String> = ["a", "b", "c", "d"].map(str::to_owned).to_vec();
        let planned = [Planned { client: CLIENTS[6], scenarios: scenarios.clone() }];
        let board = Board::default();
        let report = |outcome| Standing::Reported { outcome, duration: Duration::from_millis(1240) };
        board.post("sarama", "a", report(Outcome::Pass));
        board.post("sarama", "b", report(Outcome::Fail("x".into())));
        board.post("sarama", "c", report(Outcome::Unsupported("y".into())));
        board.post("sarama", "d", Standing::Missing("z".into()));
        let expected = "# Client scenarios against B\n\n| scenario | sarama |\n|---|---|\n\
                        | `a` | pass 1.2 s |\n| `b` | **FAIL** |\n| `c` | unsupported |\n| `d` | **no result** |\n\
                        | `whole_run` |  |\n\
                        | **sum of the scenarios** | 1 of 4 pass, 1 unsupported, 2 other |\n";
        assert_eq!(write_matrix("B", &scenarios, &planned, &board), expected);
    }
}
