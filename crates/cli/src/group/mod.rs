//! `ottla group`.

mod behind;
mod describe;
mod history;
mod lag;
mod list;
mod offsets;
mod undo;
mod why;

use std::error::Error;

use clap::{Args, Subcommand};
use ottla_broker::private::GroupsLag;

use crate::words;
use behind::IsolationLevel;

/// Shows consumer groups.
#[derive(Debug, Args)]
pub(crate) struct Group {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Lists groups, with their state and how far they are behind.
    List(list::List),
    /// Shows a group: its members, its offsets, what it went through.
    Describe(describe::Describe),
    /// Shows how far groups are behind, partition by partition.
    Lag(lag::ShowLag),
    /// Shows what happened to a group's committed offsets, and who did it.
    History(history::History),
    /// Shows what was committed at a time.
    Offsets(offsets::OffsetsAt),
    /// Shows what changed between two times.
    Diff(offsets::Diff),
    /// Takes the last reset or deletion of offsets back.
    Undo(undo::Undo),
    /// Shows what happened in a group lately, and so why it rebalanced.
    Why(why::Why),
}

impl Group {
    /// Asks and prints.
    pub(crate) fn run(self) -> Result<(), Box<dyn Error>> {
        match self.what {
            What::List(asked) => asked.run(),
            What::Describe(asked) => asked.run(),
            What::Lag(asked) => asked.run(),
            What::History(asked) => asked.run(),
            What::Offsets(asked) => asked.run(),
            What::Diff(asked) => asked.run(),
            What::Undo(asked) => asked.run(),
            What::Why(asked) => asked.run(),
        }
    }
}

/// The committed offsets of groups, with how far a reader of everything is behind.
pub(crate) fn offsets_text(groups: &GroupsLag) -> String {
    if groups.groups.entries.is_empty() {
        return "there are no groups\n".to_owned();
    }
    lag::to_text(groups, IsolationLevel::ReadUncommitted)
}

/// A time to the millisecond: changes that come soon after each other are told apart by it.
fn time_text(since_1970_ms: i64) -> String {
    let text = words::time(since_1970_ms);
    format!("{}.{:03}Z", text.trim_end_matches('Z'), since_1970_ms.rem_euclid(1000))
}

/// An offset, or that there is none.
fn offset_text(offset: Option<i64>) -> String {
    offset.map_or("-".to_owned(), |offset| offset.to_string())
}

/// A client as lists name it.
fn client_text(client_id: Option<&str>, client_host: &str) -> String {
    match client_id.unwrap_or_default() {
        "" if client_host.is_empty() => "the broker".to_owned(),
        "" => format!("(no name) at {client_host}"),
        client_id => format!("{client_id} at {client_host}"),
    }
}

/// What is said when compaction may have taken something away.
fn incomplete_text(complete_from_ms: Option<i64>, since_ms: Option<i64>) -> String {
    match complete_from_ms {
        Some(from_ms) if since_ms.is_none_or(|since_ms| since_ms < from_ms) => {
            format!("compaction may have taken changes away that are older than {}\n", time_text(from_ms))
        }
        _ => String::new(),
    }
}
