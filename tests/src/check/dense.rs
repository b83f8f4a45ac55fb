//! Rule 3: the final log has an offset for every record and a record for every offset; only compaction makes gaps.

use super::report::Report;
use super::rule::Rule;
use super::view::Facts;
use crate::history::{Batch, Partition};

pub(super) fn check(partition: &Partition, facts: &Facts<'_>, report: &mut Report) {
    let Some(log) = facts.log else { return };
    report.checked(Rule::Dense, log.batches.len());
    let mut wrong = |fact: String| report.violated(Rule::Dense, || format!("{partition}: {fact}"));
    let mut next = log.bounds.log_start;
    for batch in &log.batches {
        let Batch { base, last, .. } = batch;
        // The first batch may begin below the log's start: batches are deleted as a whole.
        let follows = *base == next || (next == log.bounds.log_start && *base < next && *last >= next);
        let follows = follows || (facts.compacted && *base > next);
        if !follows {
            wrong(format!("a batch begins at offset {base} where {next} was expected"));
        }
        if let Some(fact) = records_of(batch, facts.compacted) {
            wrong(fact);
        }
        next = last.saturating_add(1);
    }
    let end = log.bounds.high_watermark;
    if next != end && !(facts.compacted && next < end) {
        wrong(format!("the last batch ends before offset {next}, the high watermark is {end}"));
    }
}

/// What is wrong with the offsets within a batch.
fn records_of(batch: &Batch, compacted: bool) -> Option<String> {
    if batch.marker.is_some() {
        return None;
    }
    let Batch { base, last, .. } = batch;
    let mut next = *base;
    for (offset, _) in batch.records() {
        if offset < next || offset > *last || (offset != next && !compacted) {
            return Some(format!(
                "the batch from {base} to {last} has a record at offset {offset} after {next}"
            ));
        }
        next = offset.saturating_add(1);
    }
    let complete = compacted || next == last.saturating_add(1);
    (!complete).then(|| format!("the batch from {base} to {last} has no record from offset {next} on"))
}
