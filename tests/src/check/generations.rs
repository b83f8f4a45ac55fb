//! Rule 18: the generations of a group only rise, also over kills, and nobody commits with one that has passed.
//!
//! Each group of the load has one member, so that a generation that was given out is the only one until the next.

use std::collections::BTreeMap;

use super::report::Report;
use super::rule::Rule;
use crate::history::{Answer, Call, History, Operation};

pub(super) fn check(history: &History, report: &mut Report) {
    let mut joins: BTreeMap<&str, Vec<(&Operation, i32)>> = BTreeMap::new();
    for operation in &history.operations {
        if let (Call::Join { group }, Some(Answer::Joined { generation })) =
            (&operation.call, operation.answer())
        {
            joins.entry(group).or_default().push((operation, *generation));
        }
    }
    for (group, joins) in &joins {
        report.checked(Rule::Generations, joins.len());
        for pair in joins.windows(2) {
            let [(_, before), (_, after)] = pair else { continue };
            if after <= before {
                report.violated(Rule::Generations, || {
                    format!("group {group}: generation {after} follows generation {before}")
                });
            }
        }
    }
    for operation in &history.operations {
        let Call::Commit { group, generation, .. } = &operation.call else { continue };
        if *generation < 0 || operation.answer().is_none() {
            continue;
        }
        report.checked(Rule::Generations, 1);
        let joins = joins.get(group.as_str()).map(Vec::as_slice).unwrap_or_default();
        let known = joins.partition_point(|(join, _)| join.completed < operation.invoked);
        let newest = known.checked_sub(1).and_then(|place| joins.get(place));
        if let Some((_, newest)) = newest.filter(|(_, newest)| newest > generation) {
            report.violated(Rule::Generations, || {
                format!("group {group}: a commit of generation {generation} succeeded in generation {newest}")
            });
        }
    }
}
