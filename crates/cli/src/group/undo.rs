//! `ottla group undo`.

use std::error::Error;

use clap::Args;
use kafka_protocol::protocol::StrBytes;
use ottla_broker::private::GroupUndo;

use super::{client_text, offset_text, time_text};
use crate::ask::{self, Bootstrap, Broker};
use crate::table::{Align, Table};

/// Takes the last reset or deletion of offsets back.
///
/// That is the last time that somebody who is no member moved or deleted the group's offsets, or took such a change
/// back. The old offsets are committed again as a new change, which can be taken back, too. Nothing is done while the
/// group has members, or when one of the offsets has changed since.
#[derive(Debug, Args)]
pub(crate) struct Undo {
    /// The group
    group: String,

    /// Only show what would be done
    #[arg(long)]
    dry_run: bool,

    #[command(flatten)]
    bootstrap: Bootstrap,

    /// Print a JSON document
    #[arg(long)]
    json: bool,
}

impl Undo {
    pub(super) fn run(self) -> Result<(), Box<dyn Error>> {
        let group = StrBytes::from_string(self.group);
        let question = ottla_wire::private::GroupUndo { group, dry_run: self.dry_run };
        let document = Broker::connect(&self.bootstrap)?.ask(&question)?;
        if self.json { ask::print_json(&document) } else { ask::print(&to_text(&document)) }
    }
}

fn to_text(undo: &GroupUndo) -> String {
    let done = if undo.dry_run { "would take back" } else { "took back" };
    let client = client_text(undo.client_id.as_deref(), &undo.client_host);
    let mut text = format!("{done} the {} by {client} of {}\n", undo.cause, time_text(undo.time_ms));
    let mut table =
        Table::new([("PARTITION", Align::Left), ("FROM", Align::Right), ("BACK TO", Align::Right)]);
    for offset in &undo.offsets.entries {
        let partition = format!("{}-{}", offset.topic, offset.partition);
        table.row([partition, offset_text(offset.from), offset_text(offset.to)]);
    }
    text.push_str(&table.to_text());
    if undo.offsets.left_out > 0 {
        text.push_str(&format!("and {} more\n", undo.offsets.left_out));
    }
    text
}
