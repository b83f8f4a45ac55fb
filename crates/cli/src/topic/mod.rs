//! `ottla topic`.

mod alter;
mod create;
mod delete;
mod describe;
mod list;

use std::error::Error;

use clap::{Args, Subcommand};

use crate::ask;

/// Lists, shows, creates, alters and deletes topics, of any Kafka.
#[derive(Debug, Args)]
pub(crate) struct Topic {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Lists topics.
    List(list::List),
    /// Shows topics: their partitions, leaders, offsets, and the settings that they have of their own.
    Describe(describe::Describe),
    /// Creates topics.
    Create(create::Create),
    /// Adds partitions to a topic, and changes its settings.
    Alter(alter::Alter),
    /// Deletes topics and all of their records.
    Delete(delete::Delete),
}

impl Topic {
    /// Does what is asked.
    pub(crate) fn run(self) -> Result<(), Box<dyn Error>> {
        match self.what {
            What::List(asked) => asked.run(),
            What::Describe(asked) => asked.run(),
            What::Create(asked) => asked.run(),
            What::Alter(asked) => asked.run(),
            What::Delete(asked) => asked.run(),
        }
    }
}

/// What became of one of several topics.
#[derive(Debug, serde::Serialize)]
struct Outcome {
    topic: String,
    /// What was done, or not done, in one word.
    outcome: &'static str,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

/// Tells what became of topics; an error when one of them failed.
fn tell(outcomes: &[Outcome], json: bool) -> Result<(), Box<dyn Error>> {
    let failures: Vec<&str> = outcomes.iter().filter_map(|outcome| outcome.error.as_deref()).collect();
    if json {
        ask::print_json(&outcomes)?;
    } else {
        let done = outcomes.iter().filter(|outcome| outcome.error.is_none());
        ask::print(&done.map(|done| format!("{} {}\n", done.outcome, done.topic)).collect::<String>())?;
    }
    if failures.is_empty() { Ok(()) } else { Err(failures.join("\nottla: ").into()) }
}
