//! Changes that break the rule on topics: 25.

use ottla_tests::check::Rule;
use ottla_tests::history::{Answer, Bounds, Call, ListedTopic, Step, TopicId};
use ottla_tests::load::Random;

use crate::Change;
use crate::edit::{Place, any, is_ok};
use crate::story::Case;

pub(crate) const CHANGES: &[(Rule, &str, Change)] = &[
    (Rule::Metadata, "a topic is not listed any more", not_listed),
    (Rule::Metadata, "a deleted topic is listed again", back),
    (Rule::Metadata, "a deleted topic exists at last", back_at_last),
    (Rule::Metadata, "a topic made again has its old id", old_id),
    (Rule::Metadata, "a deleted topic is read", read_after_end),
    (Rule::Metadata, "a setting is another one", other_setting),
    (Rule::Metadata, "a topic has lost a partition", lost_partition),
    (Rule::Metadata, "a topic exists that nobody made", unknown),
];

fn lists(case: &Case) -> Vec<Place> {
    case.operations(|call, _| *call == Call::List)
}

/// The topic that is deleted, and where that happens.
fn deletion(case: &Case) -> (TopicId, Place) {
    let place = case.operations(|call, _| matches!(call, Call::Delete { .. }))[0];
    match case.call(place.invoke) {
        Call::Delete { id, .. } => (*id, place),
        call => panic!("{call:?} deletes nothing"),
    }
}

/// Changes any list of topics that fits.
fn change_list(
    case: &mut Case,
    random: &mut Random,
    fits: impl Fn(Place) -> bool,
    change: impl FnOnce(&mut Vec<ListedTopic>),
) -> bool {
    let places = lists(case).into_iter().filter(|place| fits(*place)).collect();
    let Some(place) = any(random, places) else { return false };
    let Answer::Listed(topics) = case.answer(place) else { return false };
    change(topics);
    true
}

fn not_listed(case: &mut Case, random: &mut Random) -> bool {
    change_list(
        case,
        random,
        |_| true,
        |topics| {
            topics.remove(0);
        },
    )
}

fn deleted_topic(id: TopicId) -> ListedTopic {
    ListedTopic { name: "passing".to_owned(), id, partitions: 1 }
}

fn back(case: &mut Case, random: &mut Random) -> bool {
    let (id, end) = deletion(case);
    change_list(case, random, |place| place.invoke > end.end, |topics| topics.push(deleted_topic(id)))
}

fn back_at_last(case: &mut Case, random: &mut Random) -> bool {
    let _ = random;
    let (id, _) = deletion(case);
    let mut topic = case.dump.topics.last().unwrap().clone();
    topic.id = id;
    topic.configs = made_with(case, id);
    case.dump.topics.push(topic);
    true
}

fn made_with(case: &Case, id: TopicId) -> std::collections::BTreeMap<String, String> {
    let made = case.operations(
        |_, step| matches!(step, Step::Ok { answer: Answer::Created { id: made }, .. } if *made == id),
    );
    match case.call(made[0].invoke) {
        Call::Create { configs, .. } => configs.clone(),
        call => panic!("{call:?} makes nothing"),
    }
}

fn old_id(case: &mut Case, random: &mut Random) -> bool {
    let _ = random;
    let (id, _) = deletion(case);
    let made = case.operations(|call, _| matches!(call, Call::Create { .. }));
    *case.answer(*made.last().unwrap()) = Answer::Created { id };
    true
}

fn read_after_end(case: &mut Case, random: &mut Random) -> bool {
    let (id, _) = deletion(case);
    let refused = case.operations(|call, step| {
        matches!(call, Call::Poll { partition, .. } if partition.topic == id) && !is_ok(step)
    });
    let Some(place) = any(random, refused) else { return false };
    let Call::Poll { offset, .. } = *case.call(place.invoke) else { return false };
    // It reads at an end that is far above all that was there, so that no other rule minds.
    let end = offset + 1_000_000;
    let bounds = Bounds { log_start: 0, last_stable: end, high_watermark: end };
    let (batches, aborted) = (Vec::new(), Vec::new());
    case.end_with(place, |operation| Step::Ok {
        operation,
        answer: Answer::Polled { bounds, batches, aborted },
    });
    let Call::Poll { offset, .. } = call_mut(case, place) else { return false };
    *offset = end;
    true
}

fn call_mut(case: &mut Case, place: Place) -> &mut Call {
    match &mut case.events[place.invoke].step {
        Step::Invoke { call, .. } => call,
        step => panic!("{step:?} is no invocation"),
    }
}

fn other_setting(case: &mut Case, random: &mut Random) -> bool {
    let place = random.index(case.dump.topics.len());
    case.dump.topics[place].configs.insert("segment.ms".to_owned(), "1000000".to_owned());
    true
}

fn lost_partition(case: &mut Case, random: &mut Random) -> bool {
    change_list(case, random, |_| true, |topics| topics[0].partitions -= 1)
}

fn unknown(case: &mut Case, random: &mut Random) -> bool {
    change_list(
        case,
        random,
        |_| true,
        |topics| {
            topics.push(ListedTopic { name: "unknown".to_owned(), id: TopicId(1 << 90), partitions: 1 });
        },
    )
}
