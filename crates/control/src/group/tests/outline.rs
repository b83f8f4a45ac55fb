//! What observers are told.

use ottla_model::ErrorCode;

use super::membership::stable_pair;
use crate::group::*;

#[test]
fn an_observer_sees_offsets_members_and_what_the_group_went_through() {
    let mut scene = stable_pair(GroupConfig::default());
    scene.at(1_000);
    for offset in 1..=3 {
        scene.commit("a", "a-#1", 2, &[("orders", 0, offset)]);
    }
    scene.forget_transcript();
    // A commit whose append fails has not been.
    scene.appends_fail = Some(ErrorCode::KafkaStorageError);
    scene.commit("a", "a-#1", 2, &[("orders", 0, 9)]);
    scene.appends_fail = None;
    scene.commit("a", "a-#1", 2, &[("orders", 0, 4)]);
    scene.forget_transcript();
    scene.at(11_000);
    scene.send("admin", Command::Outline { group_id: None });
    scene.send("admin", Command::Outline { group_id: Some("other".into()) });
    scene.expect(
        r##"
         11000   log: g generation 3 of "consumer"/null, leader null, no members
         11000 admin: outline None
         11000 admin <- NONE g Empty members 0 orders-0@4 #4 rebalances member_joined 2 member_silent 1
         11000 admin: outline Some("other")
         11000 admin <- GROUP_ID_NOT_FOUND
        "##,
    );
}
