//! A history put together again: each operation with its outcome, each connection with its requests.

use std::collections::HashMap;

use super::event::{Answer, BrokerStep, Call, Event, Step};
use crate::problem::Problem;

/// How an operation ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The broker did it.
    Ok(Answer),
    /// The broker said with this error code that it did not.
    Fail(i16),
    /// Nobody knows; the broker's error code, if it sent one.
    Info(Option<i16>),
}

/// What a client asked for and what came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operation {
    /// The client.
    pub client: u32,
    /// What it asked for.
    pub call: Call,
    /// When it was about to ask.
    pub invoked: u64,
    /// When it knew the outcome; `u64::MAX` when the history ends before.
    pub completed: u64,
    /// The outcome.
    pub outcome: Outcome,
}

impl Operation {
    /// The answer, when the broker did what it was asked for.
    #[must_use]
    pub fn answer(&self) -> Option<&Answer> {
        match &self.outcome {
            Outcome::Ok(answer) => Some(answer),
            Outcome::Fail(_) | Outcome::Info(_) => None,
        }
    }

    /// The error code, when there is one.
    #[must_use]
    pub fn error(&self) -> Option<i16> {
        match &self.outcome {
            Outcome::Fail(error) | Outcome::Info(Some(error)) => Some(*error),
            Outcome::Ok(_) | Outcome::Info(None) => None,
        }
    }
}

/// An event of a connection: [`Step::Open`], [`Step::Request`], [`Step::Response`] or [`Step::Lost`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exchange {
    /// When.
    pub at: u64,
    /// What.
    pub step: Step,
}

/// All that clients saw.
#[derive(Debug, Clone, Default)]
pub struct History {
    /// The operations, in the order in which they were invoked.
    pub operations: Vec<Operation>,
    /// The events of each connection, in their order.
    pub connections: HashMap<u64, Vec<Exchange>>,
    /// What was done to the broker, and when.
    pub broker: Vec<(u64, BrokerStep)>,
}

impl History {
    /// Puts events together that come in their order.
    ///
    /// # Errors
    /// An operation ends that never began, or begins or ends twice.
    pub fn of(events: impl IntoIterator<Item = Event>) -> Result<Self, Problem> {
        let mut history = Self::default();
        let mut open: HashMap<u64, usize> = HashMap::new();
        for Event { at, client, step } in events {
            match step {
                Step::Invoke { operation, call } => {
                    let place = history.operations.len();
                    let (completed, outcome) = (u64::MAX, Outcome::Info(None));
                    history.operations.push(Operation { client, call, invoked: at, completed, outcome });
                    if open.insert(operation, place).is_some() {
                        return Err(Problem::new(format!("operation {operation} begins twice")));
                    }
                }
                Step::Ok { operation, answer } => {
                    history.end(&mut open, operation, at, Outcome::Ok(answer))?;
                }
                Step::Fail { operation, error } => {
                    history.end(&mut open, operation, at, Outcome::Fail(error))?;
                }
                Step::Info { operation, error } => {
                    history.end(&mut open, operation, at, Outcome::Info(error))?;
                }
                Step::Broker(step) => history.broker.push((at, step)),
                Step::Open { connection }
                | Step::Request { connection, .. }
                | Step::Response { connection, .. }
                | Step::Lost { connection, .. } => {
                    history.connections.entry(connection).or_default().push(Exchange { at, step });
                }
            }
        }
        Ok(history)
    }

    fn end(
        &mut self,
        open: &mut HashMap<u64, usize>,
        number: u64,
        at: u64,
        outcome: Outcome,
    ) -> Result<(), Problem> {
        let place = open.remove(&number);
        let operation = place.and_then(|place| self.operations.get_mut(place));
        let nothing =
            || Problem::new(format!("operation {number} ends, but has not begun or has ended before"));
        let operation = operation.ok_or_else(nothing)?;
        (operation.completed, operation.outcome) = (at, outcome);
        Ok(())
    }
}
