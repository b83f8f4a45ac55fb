//! `ottla group describe`.

use std::error::Error;

use clap::Args;
use ottla_broker::private::{GroupLag, GroupsLag};

use super::behind::{IsolationLevel, age, left_out, question, records};
use super::lag::partitions;
use crate::ask::{self, Bootstrap, Broker};
use crate::table::{Align, Table};
use crate::words;

/// Shows a group.
#[derive(Debug, Args)]
pub(super) struct Describe {
    /// The group
    #[arg(value_name = "GROUP")]
    group: String,

    /// Which records count
    #[arg(long, value_enum, default_value = "read_uncommitted")]
    isolation: IsolationLevel,

    #[command(flatten)]
    bootstrap: Bootstrap,

    /// Print a JSON document
    #[arg(long)]
    json: bool,
}

impl Describe {
    pub(super) fn run(self) -> Result<(), Box<dyn Error>> {
        let document = Broker::connect(&self.bootstrap)?.ask(&question(Some(&self.group), false))?;
        if self.json { ask::print_json(&document) } else { ask::print(&to_text(&document, self.isolation)) }
    }
}

fn to_text(document: &GroupsLag, isolation: IsolationLevel) -> String {
    let groups = document.groups.entries.iter().map(|group| about(group, document.now_ms, isolation));
    let mut text = groups.collect::<Vec<_>>().join("\n");
    text.push_str(&left_out(document.groups.left_out, "groups"));
    text
}

fn about(group: &GroupLag, now_ms: i64, isolation: IsolationLevel) -> String {
    let protocol = if group.protocol.is_empty() { String::new() } else { format!(" by {}", group.protocol) };
    let mut text = format!("{}: {}, {} group{protocol}\n", group.group, group.state, group.group_type);
    let total = match isolation {
        IsolationLevel::ReadUncommitted => &group.read_uncommitted,
        IsolationLevel::ReadCommitted => &group.read_committed,
    };
    let (records, bytes, age) = (records(total), words::size(total.bytes), age(total.age_ms));
    text.push_str(&format!("behind: {records} records, {bytes}, oldest {age}\n"));
    let reasons =
        group.rebalances.iter().map(|(reason, count)| format!("{count} {}", reason.replace('_', " ")));
    let reasons = reasons.collect::<Vec<_>>().join(", ");
    if !reasons.is_empty() {
        text.push_str(&format!("rebalances since the broker started: {reasons}\n"));
    }
    if group.member_count > 0 {
        text.push('\n');
        text.push_str(&members(group));
    }
    if !group.partitions.entries.is_empty() {
        text.push('\n');
        text.push_str(&partitions(std::slice::from_ref(group), now_ms, isolation));
    }
    text
}

fn members(group: &GroupLag) -> String {
    let mut table = Table::new([
        ("MEMBER", Align::Left),
        ("CLIENT", Align::Left),
        ("HOST", Align::Left),
        ("PARTITIONS", Align::Right),
    ]);
    for member in &group.members.entries {
        let instance = member.group_instance_id.as_ref().map_or(String::new(), |id| format!(" ({id})"));
        table.row([
            format!("{}{instance}", member.member_id),
            member.client_id.clone(),
            member.client_host.trim_start_matches('/').to_owned(),
            member.partition_count.to_string(),
        ]);
    }
    table.to_text() + &left_out(group.members.left_out, "members")
}
