//! Rule 27: every request has one response, in the order of the requests, with its correlation id; only a kill ends a
//! connection, or the failure of a request that has no response to tell it; and nobody is ever told that something unknown
//! went wrong.

use std::collections::VecDeque;

use super::report::Report;
use super::rule::Rule;
use super::view::Kills;
use crate::history::{Exchange, History, Step};

const UNKNOWN_SERVER_ERROR: i16 = -1;

pub(super) fn check(history: &History, kills: &Kills, report: &mut Report) {
    for operation in &history.operations {
        if operation.error() == Some(UNKNOWN_SERVER_ERROR) {
            report.violated(Rule::OneResponse, || {
                format!(
                    "client {} was answered UNKNOWN_SERVER_ERROR to {:?}",
                    operation.client, operation.call
                )
            });
        }
    }
    let mut connections: Vec<_> = history.connections.iter().collect();
    connections.sort_by_key(|(number, _)| **number);
    for (number, exchanges) in connections {
        let mut connection =
            Connection { number: *number, opened: 0, waiting: VecDeque::new(), ended: false, silent: false };
        for exchange in exchanges {
            if let Some(fact) = connection.take(exchange, kills) {
                report.violated(Rule::OneResponse, || format!("connection {number}: {fact}"));
                // What follows a confusion says nothing more.
                connection.waiting.clear();
                connection.ended = true;
            }
        }
        let responses = exchanges.iter().filter(|exchange| matches!(exchange.step, Step::Response { .. }));
        report.checked(Rule::OneResponse, responses.count());
        if let Some((at, correlation)) = connection.waiting.front().filter(|_| !connection.ended)
            && !kills.touch(*at, u64::MAX)
        {
            let number = connection.number;
            report.violated(Rule::OneResponse, || {
                format!("connection {number}: request {correlation} has no response")
            });
        }
    }
}

struct Connection {
    number: u64,
    opened: u64,
    /// The requests that are to be answered, oldest first: when they were written, and their correlation ids.
    waiting: VecDeque<(u64, i32)>,
    ended: bool,
    /// A request without a response was written. When it fails, as with acks=0, a broker can tell that only by closing
    /// the connection, which Apache Kafka does.
    silent: bool,
}

impl Connection {
    /// Takes the next event; gives what is wrong with it.
    fn take(&mut self, exchange: &Exchange, kills: &Kills) -> Option<String> {
        if self.ended {
            return None;
        }
        match &exchange.step {
            Step::Open { .. } => self.opened = exchange.at,
            Step::Request { correlation, answered: true, .. } => {
                self.waiting.push_back((exchange.at, *correlation));
            }
            Step::Request { answered: false, .. } => self.silent = true,
            Step::Response { correlation, .. } => {
                let expected = self.waiting.pop_front().map(|(_, correlation)| correlation);
                if expected != Some(*correlation) {
                    return Some(match expected {
                        Some(expected) => format!("response {correlation} where {expected} was expected"),
                        None => format!("response {correlation} to no request"),
                    });
                }
            }
            Step::Lost { why, .. } => {
                self.ended = true;
                if !self.silent && !kills.touch(self.opened, exchange.at) {
                    return Some(format!("lost ({why}) although nobody killed the broker"));
                }
            }
            _ => {}
        }
        None
    }
}
