//! `ottla group list`.

use std::error::Error;

use clap::Args;
use ottla_broker::private::GroupsLag;

use super::behind::{age, left_out, question, records};
use crate::ask::{self, Bootstrap, Broker};
use crate::table::{Align, Table};
use crate::words;

/// Lists groups.
#[derive(Debug, Args)]
pub(super) struct List {
    #[command(flatten)]
    bootstrap: Bootstrap,

    /// Print a JSON document
    #[arg(long)]
    json: bool,
}

impl List {
    pub(super) fn run(self) -> Result<(), Box<dyn Error>> {
        let document = Broker::connect(&self.bootstrap)?.ask(&question(None, true))?;
        if self.json { ask::print_json(&document) } else { ask::print(&to_text(&document)) }
    }
}

fn to_text(document: &GroupsLag) -> String {
    let mut table = Table::new([
        ("GROUP", Align::Left),
        ("TYPE", Align::Left),
        ("STATE", Align::Left),
        ("MEMBERS", Align::Right),
        ("LAG", Align::Right),
        ("BYTES", Align::Right),
        ("BEHIND", Align::Right),
    ]);
    for group in &document.groups.entries {
        let total = &group.read_uncommitted;
        table.row([
            group.group.clone(),
            group.group_type.clone(),
            group.state.clone(),
            group.member_count.to_string(),
            records(total),
            words::size(total.bytes),
            age(total.age_ms),
        ]);
    }
    let mut text = if table.is_empty() { "there are no groups\n".to_owned() } else { table.to_text() };
    text.push_str(&left_out(document.groups.left_out, "groups"));
    text
}
