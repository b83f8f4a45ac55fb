//! Changes that break the rules about generations and about deletions of records: 18, and parts of 1, 9 and 10.

use ottla_tests::check::Rule;
use ottla_tests::history::{Answer, Call, Step};
use ottla_tests::load::Random;

use crate::Change;
use crate::edit::{Place, any, is_ok};
use crate::story::Case;

pub(crate) const CHANGES: &[(Rule, &str, Change)] = &[
    (Rule::Generations, "a generation is given out twice", generation_again),
    (Rule::Generations, "generations begin anew after a kill", generations_begin_anew),
    (Rule::Generations, "a commit succeeds in a generation that has passed", stale_commit),
    (Rule::Bounds, "a log starts above all deletions", starts_too_late),
    (Rule::Bounds, "a deletion is acknowledged that did not go so far", deleted_too_little),
    (Rule::Bounds, "deleted records are back", deleted_is_back),
    (Rule::BatchComplete, "an offset that was not deleted is out of range", out_of_range_after_deletion),
];

const OFFSET_OUT_OF_RANGE: i16 = 1;

fn joins(case: &Case) -> Vec<Place> {
    case.operations(|call, step| matches!(call, Call::Join { .. }) && is_ok(step))
}

fn trims(case: &Case) -> Vec<Place> {
    case.operations(|call, step| matches!(call, Call::Trim { .. }) && is_ok(step))
}

fn generation_again(case: &mut Case, random: &mut Random) -> bool {
    // The last one, so that no commit of the generation that it takes the place of is a stale one too.
    let _ = random;
    let joins = joins(case);
    let before = case.answer(joins[joins.len() - 2]).clone();
    *case.answer(joins[joins.len() - 1]) = before;
    true
}

fn generations_begin_anew(case: &mut Case, random: &mut Random) -> bool {
    let _ = random;
    for (number, place) in joins(case).into_iter().skip(2).enumerate() {
        *case.answer(place) = Answer::Joined { generation: i32::try_from(number).unwrap() };
    }
    true
}

fn stale_commit(case: &mut Case, random: &mut Random) -> bool {
    let commits = case.operations(|call, step| {
        matches!(call, Call::Commit { generation, .. } if *generation > 1) && is_ok(step)
    });
    let Some(place) = any(random, commits) else { return false };
    let Step::Invoke { call: Call::Commit { generation, .. }, .. } = &mut case.events[place.invoke].step
    else {
        return false;
    };
    *generation -= 1;
    true
}

/// The deletion that went furthest asked for less.
fn starts_too_late(case: &mut Case, random: &mut Random) -> bool {
    let _ = random;
    let Some(last) = trims(case).pop() else { return false };
    case.end_with(last, |operation| Step::Fail { operation, error: 7 });
    true
}

fn deleted_too_little(case: &mut Case, random: &mut Random) -> bool {
    let trims = trims(case);
    let Some(place) = any(random, trims) else { return false };
    let Answer::Trimmed { log_start } = case.answer(place) else { return false };
    *log_start -= 1;
    true
}

fn deleted_is_back(case: &mut Case, random: &mut Random) -> bool {
    let _ = random;
    let Some(last) = trims(case).pop() else { return false };
    let Call::Trim { partition: wanted, .. } = *case.call(last.invoke) else { return false };
    let polls = case.operations(|call, step| {
        matches!(call, Call::Poll { partition, .. } if *partition == wanted) && is_ok(step)
    });
    let Some(place) = polls.into_iter().find(|poll| poll.invoke > last.end) else { return false };
    let Answer::Polled { bounds, .. } = case.answer(place) else { return false };
    bounds.log_start = 0;
    true
}

fn out_of_range_after_deletion(case: &mut Case, random: &mut Random) -> bool {
    let trims = trims(case);
    let Some(last) = trims.last().copied() else { return false };
    let Call::Trim { partition: wanted, .. } = *case.call(last.invoke) else { return false };
    let polls = case.operations(|call, step| {
        matches!(call, Call::Poll { partition, .. } if *partition == wanted) && is_ok(step)
    });
    // Polls at offsets that a poll before has told to be below the end of the log.
    let (mut end, mut known) = (0, Vec::new());
    for place in polls {
        let Call::Poll { offset, .. } = *case.call(place.invoke) else { continue };
        known.extend(Some(place).filter(|_| offset <= end));
        let Answer::Polled { bounds, .. } = case.answer(place) else { continue };
        end = bounds.high_watermark;
    }
    let Some(place) = any(random, known) else { return false };
    case.fail_with(place, OFFSET_OUT_OF_RANGE);
    true
}
