//! The one error of the harness: a sentence for the person who reads the test's output.

use std::fmt;

/// What went wrong in the harness or in a program that it drives, as text. Nothing reacts to its kind, so it has none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem(String);

impl Problem {
    /// Makes a problem from its description.
    pub fn new(description: impl Into<String>) -> Self {
        Self(description.into())
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for Problem {}

/// Turns any error into a [`Problem`] that says what was being done.
pub trait Doing<T> {
    /// Replaces the error by "could not ACTIVITY: ERROR".
    ///
    /// # Errors
    /// The problem, when `self` is an error.
    fn doing(self, activity: impl fmt::Display) -> Result<T, Problem>;
}

impl<T, E: fmt::Display> Doing<T> for Result<T, E> {
    fn doing(self, activity: impl fmt::Display) -> Result<T, Problem> {
        self.map_err(|error| Problem(format!("could not {activity}: {error}")))
    }
}
