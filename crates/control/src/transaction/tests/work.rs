//! The outbox: markers leave once their transaction's end is down, and again when they must.

use super::scene::{init_of, partitions, producer};
use super::*;
use crate::transaction::*;

#[test]
fn the_driver_waits_for_work() {
    let mut scene = Scene::begun();
    scene.take_work();
    assert_eq!(scene.waiting(), 1);
    scene.add("a", producer(0), "x-0");
    assert_eq!(scene.waiting(), 1);
    scene.commit("a", producer(0));
    assert_eq!(scene.waiting(), 0);
    scene.take_work();
    scene.unload();
    scene.expect(
        "
        0 a: add x-0 as 1000:0
        0   log: t Ongoing 1000:0 v2 [x-0] since 0
        0 a <- NONE
        0 a: commit as 1000:0
        0   log: t PrepareCommit 1000:1 v2 [x-0] since 0
        0 a <- 1000:1
        0 driver <- commit 1000:1 v2 in [x-0]
        0 unload
        0 driver <- NOT_COORDINATOR
        ",
    );
}

#[test]
fn a_restart_finds_the_work_again() {
    let mut scene = Scene::begun();
    scene.add("a", producer(0), "x-0 x-1");
    scene.commit("a", producer(0));
    scene.take_work();
    scene.written(producer(1), "x-0");
    scene.describe();
    scene.forget_transcript();
    scene.restart();
    scene.take_work();
    scene.describe();
    // What is told of another transaction, or another end, completes nothing.
    scene.written(producer(0), "x-0 x-1");
    scene.written(producer(2), "x-0 x-1");
    scene.written(producer(1), "x-0 x-1 x-2");
    scene.written(producer(1), "x-0 x-1");
    scene.restart();
    scene.take_work();
    scene.expect(
        "
        0 restart
        0 driver <- commit 1000:1 v2 in [x-0 x-1]
        0 admin <- PrepareCommit 1000:1 x[0, 1] since 0
        0 driver: written x-0 x-1 of 1000:0
        0 driver <- NONE
        0 driver: written x-0 x-1 of 1000:2
        0 driver <- NONE
        0 driver: written x-0 x-1 x-2 of 1000:1
        0   log: t CompleteCommit 1000:1 v2 since 0
        0 driver <- NONE
        0 driver: written x-0 x-1 of 1000:1
        0 driver <- NONE
        0 restart
        ",
    );
    assert_eq!(scene.waiting(), 1, "the driver waits: all is done");
}

#[test]
fn one_reply_holds_so_much_and_no_more() {
    let mut scene = Scene::new();
    for number in 0..250 {
        let id = format!("t{number}");
        scene.send("a", Command::InitProducerId(init_of(&id)));
        let Some(Reply::InitProducerId(Ok(producer))) = scene.answers.last().cloned() else { panic!() };
        let transactional_id: std::sync::Arc<str> = id.into();
        scene.send(
            "a",
            Command::AddPartitions(AddPartitions {
                transactional_id: transactional_id.clone(),
                producer,
                partitions: partitions("x-0"),
                client_version: TransactionVersion::V2,
            }),
        );
        let end = End {
            transactional_id,
            producer,
            committed: true,
            client_version: TransactionVersion::V2,
            fresh_producer_id: None,
        };
        scene.send("a", Command::End(end));
    }
    let mut counts = Vec::new();
    for _ in 0..3 {
        scene.take_work();
        let Some(Reply::Work(Ok(work))) = scene.answers.last() else { panic!("no work") };
        counts.push(work.len());
    }
    assert_eq!(counts, [100, 100, 50]);
    // More drivers than there should be: the first ones are sent back.
    for _ in 0..20 {
        scene.take_work();
    }
    assert_eq!(scene.waiting(), 8);
}
