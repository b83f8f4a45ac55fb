//! The copy job: a Java program copies one partition to another in transactions, and is killed as often as the broker.
//!
//! What it has written must be the input then, record by record. `tests/kafka/Copy.java` is the program.

mod job;
mod run;

pub use job::{Job, Mode};
pub use run::{CopyOutcome, CopyRun, run_copy};
