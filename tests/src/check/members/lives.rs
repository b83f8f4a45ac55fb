//! The lives of a group. When members of the one protocol come to a group of the other that is empty, brokers make a new
//! group of it, whose generations or epochs begin anew.

use std::collections::BTreeMap;

use super::super::report::Report;
use super::super::rule::Rule;
use crate::churn::{Event, Fact};

/// When the second and later lives of each group began.
#[derive(Debug, Default)]
pub(super) struct Lives<'a>(BTreeMap<&'a str, Vec<u64>>);

impl<'a> Lives<'a> {
    /// Reads them from the log, whose epochs rise within a life. Within one protocol there is but one.
    pub(super) fn of(events: &[&'a Event], report: &mut Report) -> Self {
        let mut lives = Self::default();
        let mut last: BTreeMap<&str, (bool, i32)> = BTreeMap::new();
        for Event { at, fact } in events {
            let Fact::Epoch { group, modern, epoch } = fact else { continue };
            report.checked(Rule::OneOwner, 1);
            let Some((was_modern, before)) = last.insert(group, (*modern, *epoch)) else { continue };
            if *epoch >= before {
                continue;
            }
            lives.0.entry(group).or_default().push(*at);
            if was_modern == *modern {
                report.violated(Rule::OneOwner, || {
                    format!("group {group}: epoch {epoch} follows epoch {before}")
                });
            }
        }
        lives
    }

    /// In which life a group is at a time.
    pub(super) fn at(&self, group: &str, at: u64) -> usize {
        self.0.get(group).map_or(0, |began| began.partition_point(|began| *began <= at))
    }
}
