//! `ottla group offsets` and `ottla group diff`: what was committed at a time, and what changed between two.

use std::error::Error;

use clap::Args;
use kafka_protocol::protocol::StrBytes;
use ottla_broker::private::{GroupDiff, GroupOffsetsAt};

use super::{incomplete_text, offset_text, time_text};
use crate::ask::{self, Bootstrap, Broker};
use crate::moment::{self, Moment};
use crate::table::{Align, Table};

/// Shows what was committed at a time.
#[derive(Debug, Args)]
pub(crate) struct OffsetsAt {
    /// The group
    group: String,

    #[arg(long, value_name = "MOMENT", default_value = "now", help = format!("The time; {}", moment::HELP))]
    at: Moment,

    #[command(flatten)]
    bootstrap: Bootstrap,

    /// Print a JSON document
    #[arg(long)]
    json: bool,
}

/// Shows what changed between two times.
#[derive(Debug, Args)]
pub(crate) struct Diff {
    /// The group
    group: String,

    #[arg(long, value_name = "MOMENT", help = format!("The first time; {}", moment::HELP))]
    from: Moment,

    #[arg(long, value_name = "MOMENT", default_value = "now", help = format!("The second time; {}", moment::HELP))]
    to: Moment,

    #[command(flatten)]
    bootstrap: Bootstrap,

    /// Print a JSON document
    #[arg(long)]
    json: bool,
}

impl OffsetsAt {
    pub(super) fn run(self) -> Result<(), Box<dyn Error>> {
        let group = StrBytes::from_string(self.group);
        let question = ottla_wire::private::GroupOffsetsAt { group, at_ms: self.at.0 };
        let document = Broker::connect(&self.bootstrap)?.ask(&question)?;
        if self.json { ask::print_json(&document) } else { ask::print(&at_text(&document)) }
    }
}

impl Diff {
    pub(super) fn run(self) -> Result<(), Box<dyn Error>> {
        let group = StrBytes::from_string(self.group);
        let question = ottla_wire::private::GroupDiff { group, from_ms: self.from.0, to_ms: self.to.0 };
        let document = Broker::connect(&self.bootstrap)?.ask(&question)?;
        if self.json { ask::print_json(&document) } else { ask::print(&diff_text(&document)) }
    }
}

fn at_text(at: &GroupOffsetsAt) -> String {
    let mut table = Table::new([("PARTITION", Align::Left), ("OFFSET", Align::Right)]);
    for offset in &at.offsets.entries {
        let known = if offset.known { offset_text(offset.offset) } else { "?".to_owned() };
        table.row([format!("{}-{}", offset.topic, offset.partition), known]);
    }
    let mut text = incomplete_text(at.complete_from_ms, Some(at.at_ms));
    text.push_str(&format!("at {}\n", time_text(at.at_ms)));
    text.push_str(&if table.is_empty() { "nothing was committed\n".to_owned() } else { table.to_text() });
    left_out(&mut text, at.offsets.left_out);
    text
}

fn diff_text(diff: &GroupDiff) -> String {
    let mut table = Table::new([
        ("PARTITION", Align::Left),
        ("FROM", Align::Right),
        ("TO", Align::Right),
        ("BY", Align::Right),
        ("CHANGES", Align::Right),
    ]);
    for one in &diff.partitions.entries {
        let by = one.from.zip(one.to).map(|(from, to)| to.saturating_sub(from)).filter(|_| one.known);
        let side = |offset| if one.known { offset_text(offset) } else { "?".to_owned() };
        table.row([
            format!("{}-{}", one.topic, one.partition),
            side(one.from),
            side(one.to),
            by.map_or(String::new(), |by| format!("{by:+}")),
            one.changes.to_string(),
        ]);
    }
    let mut text = incomplete_text(diff.complete_from_ms, Some(diff.from_ms));
    text.push_str(&format!("from {} to {}\n", time_text(diff.from_ms), time_text(diff.to_ms)));
    text.push_str(&if table.is_empty() { "nothing changed\n".to_owned() } else { table.to_text() });
    left_out(&mut text, diff.partitions.left_out);
    text
}

fn left_out(text: &mut String, count: u64) {
    if count > 0 {
        text.push_str(&format!("{count} more partitions are left out of the answer\n"));
    }
}
