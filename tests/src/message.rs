//! What a client program says to the harness: one line of its standard output is one message.

use crate::problem::Problem;

/// How a scenario ended, as its program tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Every expectation held.
    Pass,
    /// An expectation did not hold; the text says which.
    Fail(String),
    /// The client has no way to do it; the text says what it lacks.
    Unsupported(String),
}

/// What a program may ask for while a scenario runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BrokerAction {
    /// Stop with SIGTERM and start again.
    Restart,
    /// Stop with SIGKILL and start again.
    Kill,
}

/// One line of the contract in `tests/clients/SCENARIOS.md`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// A scenario ended.
    Result {
        /// The scenario's name.
        scenario: String,
        /// How it ended.
        outcome: Outcome,
    },
    /// The program waits until this was done to the broker.
    Broker(BrokerAction),
    /// The last line.
    End,
}

impl Message {
    /// Reads one line, without its end.
    ///
    /// # Errors
    /// The line is none of the contract's.
    pub fn parse(line: &str) -> Result<Self, Problem> {
        let strange = || Problem::new(format!("the line {line:?} is not in the contract"));
        let mut words = line.splitn(3, ' ');
        let (word, scenario, text) = (words.next().unwrap_or_default(), words.next(), words.next());
        let text = text.map(str::trim).filter(|text| !text.is_empty());
        let outcome = match (word, scenario, text) {
            ("END", None, None) => return Ok(Self::End),
            ("BROKER", Some("restart"), None) => return Ok(Self::Broker(BrokerAction::Restart)),
            ("BROKER", Some("kill"), None) => return Ok(Self::Broker(BrokerAction::Kill)),
            ("PASS", Some(_), None) => Outcome::Pass,
            ("FAIL", Some(_), text) => Outcome::Fail(text.unwrap_or("without a message").to_owned()),
            ("UNSUPPORTED", Some(_), Some(reason)) => Outcome::Unsupported(reason.to_owned()),
            _ => return Err(strange()),
        };
        let scenario = scenario.filter(|name| !name.is_empty()).ok_or_else(strange)?;
        Ok(Self::Result { scenario: scenario.to_owned(), outcome })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn result(scenario: &str, outcome: Outcome) -> Message {
        Message::Result { scenario: scenario.to_owned(), outcome }
    }

    #[test]
    fn every_message_of_the_contract_is_understood() {
        let fail = Outcome::Fail("expected 3, got 4".into());
        let unsupported = Outcome::Unsupported("no static members".into());
        assert_eq!(Message::parse("PASS a_b").unwrap(), result("a_b", Outcome::Pass));
        assert_eq!(Message::parse("FAIL a_b expected 3, got 4").unwrap(), result("a_b", fail));
        assert_eq!(
            Message::parse("FAIL a_b").unwrap(),
            result("a_b", Outcome::Fail("without a message".into()))
        );
        assert_eq!(Message::parse("UNSUPPORTED a_b no static members").unwrap(), result("a_b", unsupported));
        assert_eq!(Message::parse("BROKER restart").unwrap(), Message::Broker(BrokerAction::Restart));
        assert_eq!(Message::parse("BROKER kill").unwrap(), Message::Broker(BrokerAction::Kill));
        assert_eq!(Message::parse("END").unwrap(), Message::End);
    }

    #[test]
    fn anything_else_is_a_problem() {
        let strange = [
            "",
            "PASS",
            "PASS ",
            "PASS a b",
            "UNSUPPORTED a",
            "UNSUPPORTED a ",
            "BROKER",
            "BROKER stop",
            "END now",
            "ok",
        ];
        for line in strange {
            assert!(Message::parse(line).is_err(), "{line:?} was understood");
        }
    }
}
