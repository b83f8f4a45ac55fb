//! `ottla group history`.

use std::error::Error;

use clap::Args;
use kafka_protocol::protocol::StrBytes;
use ottla_broker::private::{GroupHistory, OffsetChange};

use super::{client_text, incomplete_text, offset_text, time_text};
use crate::ask::{self, Bootstrap, Broker};
use crate::moment::{self, Moment};
use crate::table::{Align, Table};

/// Shows what happened to a group's committed offsets, and who did it.
#[derive(Debug, Args)]
pub(crate) struct History {
    /// The group
    group: String,

    /// Only changes of this topic
    #[arg(long)]
    topic: Option<String>,

    #[arg(long, value_name = "MOMENT", help = format!("Only changes since then; {}", moment::HELP))]
    since: Option<Moment>,

    #[command(flatten)]
    bootstrap: Bootstrap,

    /// Print a JSON document
    #[arg(long)]
    json: bool,
}

impl History {
    pub(super) fn run(self) -> Result<(), Box<dyn Error>> {
        let question = ottla_wire::private::GroupHistory {
            group: StrBytes::from_string(self.group),
            topic: self.topic.map(StrBytes::from_string),
            since_ms: self.since.map(|since| since.0),
        };
        let document = Broker::connect(&self.bootstrap)?.ask(&question)?;
        if self.json { ask::print_json(&document) } else { ask::print(&to_text(&document)) }
    }
}

fn to_text(history: &GroupHistory) -> String {
    let mut table = Table::new([
        ("TIME", Align::Left),
        ("PARTITION", Align::Left),
        ("FROM", Align::Right),
        ("TO", Align::Right),
        ("CAUSE", Align::Left),
        ("BY", Align::Left),
    ]);
    // The answer has the newest first, so that those are told if there are too many; a reader goes on in time.
    for change in history.changes.entries.iter().rev() {
        table.row([
            time_text(change.time_ms),
            format!("{}-{}", change.topic, change.partition),
            if change.old_known { offset_text(change.old) } else { "?".to_owned() },
            offset_text(change.new),
            cause(change),
            by(change),
        ]);
    }
    let mut text = incomplete_text(history.complete_from_ms, history.since_ms);
    if history.changes.left_out > 0 {
        text.push_str(&format!("{} older changes are left out: ask for less\n", history.changes.left_out));
    }
    if table.is_empty() {
        text.push_str("no change of an offset is known\n");
    } else {
        text.push_str(&table.to_text());
    }
    text
}

fn cause(change: &OffsetChange) -> String {
    let mut words = change.cause.clone().unwrap_or_else(|| "unknown".to_owned());
    let is_commit = words.ends_with("commit");
    for (is_so, what) in [
        // A reset goes where it is told to.
        (change.went_backward && is_commit, ", WENT BACKWARD"),
        (change.past_end, ", PAST THE END"),
        (change.not_owner, ", NOT THE OWNER"),
    ] {
        words.push_str(if is_so { what } else { "" });
    }
    words
}

fn by(change: &OffsetChange) -> String {
    if change.cause.is_none() {
        return "unknown".to_owned();
    }
    let client = client_text(change.client_id.as_deref(), &change.client_host);
    let member = change.instance_id.as_deref().unwrap_or(&change.member_id);
    if member.is_empty() { client } else { format!("{member} in {}, {client}", change.generation) }
}
