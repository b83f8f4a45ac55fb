//! Taking changes of offsets back.

use ottla_model::{ErrorCode, TopicId};

use super::membership::stable_pair;
use super::offsets::topic;
use super::*;
use crate::codec::{Cause, OffsetCause};
use crate::group::*;

fn restore(offsets: &[(i32, Option<i64>, Option<i64>)]) -> Command {
    let value = |offset| RestoredValue {
        offset,
        leader_epoch: 3,
        metadata: "kept".into(),
        topic_id: TopicId([1; 16]),
    };
    let offsets = offsets.iter().map(|&(partition, expected, old)| RestoreOffset {
        topic: topic("t"),
        partition,
        expected,
        value: old.map(value),
    });
    Command::RestoreOffsets(RestoreOffsets { group_id: "g".into(), offsets: offsets.collect() })
}

#[test]
fn old_values_come_back_as_a_new_change() {
    let mut scene = Scene::new(GroupConfig::default());
    scene.commit("s", "", -1, &[("t", 0, 5), ("t", 1, 6), ("t", 2, 7)]);
    scene.forget_transcript();
    // Partition 1 had none before, and 3 was deleted.
    scene.send("admin", restore(&[(0, Some(0), Some(50)), (1, Some(1), None), (3, None, Some(70))]));
    scene.fetch_all("s");
    scene.restart();
    scene.fetch_all("s");
    scene.expect(
        r##"
             0 admin: restore t-0@50 t-1@none t-3@70
             0   log: g t-0@50
             0   log: g t-1 is gone
             0   log: g t-3@70
             0 admin <- restored: NONE
             0 s: fetch all
             0 s <- offsets: NONE t-0@50/3 "kept" t-2@7 t-3@70/3 "kept"
             0 restart
             0 s: fetch all
             0 s <- offsets: NONE t-0@50/3 "kept" t-2@7 t-3@70/3 "kept"
        "##,
    );
    let causes: Vec<_> = scene.log[3..]
        .iter()
        .map(|record| {
            let why = OffsetCause::decode(&record.headers[0].1).unwrap();
            (why.cause, why.previous, why.client_id.unwrap().to_owned())
        })
        .collect();
    let undo = |previous| (Cause::Undo, previous, "admin".to_owned());
    assert_eq!(causes, [undo(Some(5)), undo(Some(6)), undo(None)]);
}

#[test]
fn nothing_comes_back_when_anything_has_changed_since() {
    let mut scene = Scene::new(GroupConfig::default());
    scene.commit("s", "", -1, &[("t", 0, 5), ("t", 1, 6)]);
    scene.commit("s", "", -1, &[("t", 1, 6)]);
    scene.forget_transcript();
    scene.send("admin", restore(&[(0, Some(0), Some(1)), (1, Some(1), Some(2)), (2, Some(9), Some(3))]));
    scene.send("admin", restore(&[(0, None, Some(1))]));
    scene.expect(
        r##"
             0 admin: restore t-0@1 t-1@2 t-2@3
             0 admin <- restored: NONE t-1 has changed t-2 has changed
             0 admin: restore t-0@1
             0 admin <- restored: NONE t-0 has changed
        "##,
    );
}

#[test]
fn a_group_with_members_is_left_alone_and_a_deleted_one_comes_back() {
    let mut scene = stable_pair(GroupConfig { groups_max: 1, ..GroupConfig::default() });
    scene.send("admin", restore(&[(0, None, Some(1))]));
    scene.leave("a", &["a-#1"]);
    scene.leave("b", &["b-#2"]);
    scene.send("admin", Command::Delete { group_id: "g".into() });
    scene.forget_transcript();
    scene.send("admin", restore(&[(0, None, Some(1))]));
    scene.send("admin", Command::Delete { group_id: "g".into() });
    scene.appends_fail = Some(ErrorCode::KafkaStorageError);
    scene.send("admin", restore(&[(0, None, Some(1))]));
    scene.expect(
        r##"
             0 admin: restore t-0@1
             0   log: g t-0@1
             0 admin <- restored: NONE
             0 admin: delete g
             0   log: g t-0 is gone
             0   log: g is gone
             0 admin <- deleted: NONE
             0 admin: restore t-0@1
             0 an append fails with KAFKA_STORAGE_ERROR
             0 admin <- restored: NOT_COORDINATOR
        "##,
    );
    let Some(Reply::RestoreOffsets(first)) =
        scene.answers.iter().find(|reply| matches!(reply, Reply::RestoreOffsets(_)))
    else {
        panic!("an answer")
    };
    assert_eq!(first.error, ErrorCode::NonEmptyGroup);
    assert!(scene.groups.is_empty());
}
