//! DescribeTransactions and ListTransactions.

use super::scene::{init_of, of, producer};
use super::*;
use crate::transaction::*;

#[test]
fn describe() {
    let mut scene = Scene::new();
    scene.describe();
    scene.send("admin", Command::Describe { transactional_id: "".into() });
    scene.init("a", None);
    scene.describe();
    scene.at(7);
    scene.add("a", producer(0), "x-0 x-2 b-1");
    scene.describe();
    scene.commit("a", producer(0));
    scene.take_work();
    scene.written(producer(1), "x-0");
    scene.describe();
    scene.written(producer(1), "x-2 b-1");
    scene.describe();
    let told: Vec<_> = scene.transcript().lines().filter(|line| line.contains("admin")).collect();
    assert_eq!(
        told,
        [
            "     0 admin <- TRANSACTIONAL_ID_NOT_FOUND",
            "     0 admin <- INVALID_REQUEST",
            "     0 admin <- Empty 1000:0  since -1",
            "     7 admin <- Ongoing 1000:0 b[1] x[0, 2] since 7",
            "     7 admin <- PrepareCommit 1000:1 b[1] x[2] since 7",
            "     7 admin <- CompleteCommit 1000:1  since 7",
        ]
    );
}

#[test]
fn list_by_state_producer_and_age() {
    let mut scene = Scene::begun();
    scene.send("a", Command::InitProducerId(init_of("s")));
    scene.at(100);
    scene.add("a", producer(0), "x-0");
    scene.at(150);
    scene.forget_transcript();
    let mut ask = |states: &[&str], producer_ids: &[i64], duration_ms| {
        let states = states.iter().map(|&name| name.into()).collect();
        scene.send("admin", Command::List(List { states, producer_ids: producer_ids.to_vec(), duration_ms }));
    };
    ask(&[], &[], None);
    ask(&["Ongoing"], &[], None);
    ask(&["ongoing", "Dead", "Empty"], &[], Some(-1));
    ask(&["Nonsense"], &[], None);
    ask(&[], &[of(2000, 0).producer_id, 3], None);
    ask(&[], &[3], None);
    ask(&[], &[1000], Some(49));
    ask(&[], &[1000], Some(50));
    scene.expect(
        "
        150 admin <- s 2000 Empty, t 1000 Ongoing
        150 admin <- t 1000 Ongoing
        150 admin <- s 2000 Empty, unknown ongoing
        150 admin <- unknown Nonsense
        150 admin <- s 2000 Empty
        150 admin <-
        150 admin <- t 1000 Ongoing
        150 admin <-
        ",
    );
}
