//! Rule 9: a fetch at any offset of the log gives the batch that holds it, even from the middle, and the batches that
//! follow without leaving one out.

use super::report::Report;
use super::rule::Rule;
use super::view::{Facts, Poll};
use crate::history::{Batch, Bounds, Partition};

const OFFSET_OUT_OF_RANGE: i16 = 1;

pub(super) fn check(partition: &Partition, facts: &Facts<'_>, report: &mut Report) {
    for poll in &facts.polls {
        let Some((bounds, batches)) = poll.read else { continue };
        report.checked(Rule::BatchComplete, 1);
        if let Some(fact) = wrong(poll, bounds, batches, facts.compacted) {
            report.violated(Rule::BatchComplete, || {
                format!("{partition}: client {} fetched at {}: {fact}", poll.operation.client, poll.offset)
            });
        }
    }
    refused(partition, facts, report);
}

fn wrong(poll: &Poll<'_>, bounds: &Bounds, batches: &[Batch], compacted: bool) -> Option<String> {
    let offset = poll.offset;
    let Some(first) = batches.first() else {
        let end = if poll.committed { bounds.last_stable } else { bounds.high_watermark };
        // A compacted log may have nothing more to give below its high watermark.
        return (offset < end && !compacted).then(|| format!("got nothing, although the end is {end}"));
    };
    let holds = first.last >= offset && (first.base <= offset || compacted);
    if !holds {
        return Some(format!("got a batch from {} to {} first", first.base, first.last));
    }
    let gap = batches.windows(2).find_map(|pair| match pair {
        [one, next] => {
            let expected = one.last.saturating_add(1);
            let follows = next.base == expected || (compacted && next.base > expected);
            (!follows).then_some((one.last, next.base))
        }
        _ => None,
    });
    gap.map(|(last, base)| format!("got a batch at {base} after one that ends at {last}"))
}

/// Offsets that were within the log before a fetch asked for them, and were refused all the same.
fn refused(partition: &Partition, facts: &Facts<'_>, report: &mut Report) {
    let mut known: Vec<(u64, &Bounds)> =
        facts.polls.iter().filter_map(|poll| Some((poll.operation.completed, poll.read?.0))).collect();
    known.sort_by_key(|(completed, _)| *completed);
    let mut known = known.into_iter().peekable();
    let mut end = 0;
    let out_of_range = |poll: &&Poll<'_>| poll.operation.error() == Some(OFFSET_OUT_OF_RANGE);
    for poll in facts.polls.iter().filter(out_of_range) {
        while let Some((_, bounds)) = known.next_if(|(completed, _)| *completed < poll.operation.invoked) {
            end = bounds.high_watermark.max(end);
        }
        let deleted = facts.expires || poll.offset < facts.trimmed(poll.operation.completed);
        if poll.offset <= end && !deleted {
            report.violated(Rule::BatchComplete, || {
                format!(
                    "{partition}: offset {} is out of range after the high watermark was {end}",
                    poll.offset
                )
            });
        }
    }
}
