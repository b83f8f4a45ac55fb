//! Appends that fail: nothing stays of them, and nothing leaves.

use ottla_model::ErrorCode;

use super::scene::{init_of, of, producer};
use super::*;
use crate::transaction::*;

#[test]
fn what_is_not_down_did_not_happen() {
    let mut scene = Scene::new();
    for error in [
        ErrorCode::KafkaStorageError,
        ErrorCode::NotLeaderOrFollower,
        ErrorCode::RequestTimedOut,
        ErrorCode::UnknownTopicOrPartition,
        ErrorCode::MessageTooLarge,
        ErrorCode::None,
    ] {
        scene.appends_fail = Some(error);
        scene.init("a", None);
        assert!(scene.machine.is_empty());
    }
    scene.appends_fail = None;
    scene.init("a", None);
    scene.appends_fail = Some(ErrorCode::KafkaStorageError);
    scene.add("a", of(7000, 0), "x-0");
    scene.appends_fail = None;
    scene.verify("a", of(7000, 0), "x-0");
    scene.expect(
        "
        0 a: init
        0 an append fails with KAFKA_STORAGE_ERROR
        0 a <- NOT_COORDINATOR
        0 a: init
        0 an append fails with NOT_LEADER_OR_FOLLOWER
        0 a <- NOT_COORDINATOR
        0 a: init
        0 an append fails with REQUEST_TIMED_OUT
        0 a <- COORDINATOR_NOT_AVAILABLE
        0 a: init
        0 an append fails with UNKNOWN_TOPIC_OR_PARTITION
        0 a <- COORDINATOR_NOT_AVAILABLE
        0 a: init
        0 an append fails with MESSAGE_TOO_LARGE
        0 a <- UNKNOWN_SERVER_ERROR
        0 a: init
        0 an append fails with NONE
        0 a <- UNKNOWN_SERVER_ERROR
        0 a: init
        0   log: t Empty 7000:0 v0
        0 a <- 7000:0
        0 a: add x-0 as 7000:0
        0 an append fails with KAFKA_STORAGE_ERROR
        0 a <- NOT_COORDINATOR
        0 a: verify x-0 as 7000:0
        0 a <- x-0 TRANSACTION_ABORTABLE
        ",
    );
}

/// A driver must not hear of markers whose transaction did not end.
#[test]
fn work_of_an_end_that_is_not_down_stays_inside() {
    let mut scene = Scene::begun();
    scene.take_work();
    scene.add("a", producer(0), "x-0");
    scene.appends_fail = Some(ErrorCode::KafkaStorageError);
    scene.commit("a", producer(0));
    scene.take_work();
    scene.appends_fail = None;
    scene.abort("a", producer(0));
    scene.expect(
        "
        0 a: add x-0 as 1000:0
        0   log: t Ongoing 1000:0 v2 [x-0] since 0
        0 a <- NONE
        0 a: commit as 1000:0
        0 an append fails with KAFKA_STORAGE_ERROR
        0 a <- NOT_COORDINATOR
        0 driver <-
        0 a: abort as 1000:0
        0   log: t PrepareAbort 1000:1 v2 [x-0] since 0
        0 a <- 1000:1
        0 driver <- abort 1000:1 v2 in [x-0]
        ",
    );
}

/// Work of a transaction that is not concerned, whose reply was held with one that failed, is told later.
#[test]
fn work_that_was_held_with_a_failure_is_told_later() {
    let mut scene = Scene::begun();
    scene.add("a", producer(0), "x-0");
    scene.commit("a", producer(0));
    scene.forget_transcript();
    scene.calls_meet = true;
    scene.take_work();
    scene
        .send("b", Command::InitProducerId(InitProducerId { fresh_producer_id: Some(9000), ..init_of("u") }));
    scene.appends_fail = Some(ErrorCode::KafkaStorageError);
    scene.append();
    scene.appends_fail = None;
    scene.calls_meet = false;
    scene.take_work();
    scene.expect(
        "
        0 an append fails with KAFKA_STORAGE_ERROR
        0 driver <-
        0 b <- NOT_COORDINATOR
        0 driver <- commit 1000:1 v2 in [x-0]
        ",
    );
}

/// The markers are down and what says so is not: they are written once more, which is harmless.
#[test]
fn a_completion_that_is_not_down_is_made_again() {
    let mut scene = Scene::begun();
    scene.add("a", producer(0), "x-0");
    scene.commit("a", producer(0));
    scene.take_work();
    scene.forget_transcript();
    scene.appends_fail = Some(ErrorCode::KafkaStorageError);
    scene.written(producer(1), "x-0");
    scene.appends_fail = None;
    scene.describe();
    scene.take_work();
    scene.written(producer(1), "x-0");
    scene.expect(
        "
        0 driver: written x-0 of 1000:1
        0 an append fails with KAFKA_STORAGE_ERROR
        0 driver <- NOT_COORDINATOR
        0 admin <- PrepareCommit 1000:1 x[0] since 0
        0 driver <- commit 1000:1 v2 in [x-0]
        0 driver: written x-0 of 1000:1
        0   log: t CompleteCommit 1000:1 v2 since 0
        0 driver <- NONE
        ",
    );
}

/// A timeout that cannot be written down is tried again every second, and no faster.
#[test]
fn an_abort_that_is_not_down_is_tried_again() {
    let mut scene = Scene::begun();
    scene.add("a", producer(0), "x-0");
    scene.forget_transcript();
    scene.appends_fail = Some(ErrorCode::KafkaStorageError);
    scene.at(62_500);
    scene.appends_fail = None;
    scene.at(70_000);
    scene.expect(
        "
        60000 an append fails with KAFKA_STORAGE_ERROR
        61000 an append fails with KAFKA_STORAGE_ERROR
        62000 an append fails with KAFKA_STORAGE_ERROR
        63000   log: t PrepareAbort 1000:1 v2 [x-0] since 0
        ",
    );
}

/// What a producer may ask for once more survives a failed append, too.
#[test]
fn an_epoch_that_is_not_down_was_not_given() {
    let mut scene = Scene::begun();
    scene.init("a", Some(producer(0)));
    scene.forget_transcript();
    scene.appends_fail = Some(ErrorCode::KafkaStorageError);
    scene.init("a", Some(producer(1)));
    scene.appends_fail = None;
    scene.init("a", Some(producer(0)));
    scene.expect(
        "
        0 a: init as 1000:1
        0 an append fails with KAFKA_STORAGE_ERROR
        0 a <- NOT_COORDINATOR
        0 a: init as 1000:0
        0   log: t Empty 1000:1 v0
        0 a <- 1000:1
        ",
    );
}

#[test]
fn an_expiry_that_is_not_down_is_tried_again() {
    let config = TransactionConfig { transactional_id_expiration_ms: 10_000, ..TransactionConfig::default() };
    let mut scene = Scene::with(config);
    scene.init("a", None);
    scene.forget_transcript();
    scene.appends_fail = Some(ErrorCode::KafkaStorageError);
    scene.at(10_000);
    scene.appends_fail = None;
    scene.describe();
    scene.at(20_000);
    scene.expect(
        "
        10000 an append fails with KAFKA_STORAGE_ERROR
        10000 admin <- Empty 1000:0  since -1
        11000   log: t is gone
        ",
    );
}
