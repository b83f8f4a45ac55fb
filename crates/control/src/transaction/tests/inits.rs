//! InitProducerId: new ids, producers that come again, producers that go on, and whom they fence.

use ottla_model::ErrorCode;

use super::scene::{init_of, of, producer};
use super::*;
use crate::transaction::*;

#[test]
fn a_new_id_begins_at_epoch_0_and_rises() {
    let mut scene = Scene::new();
    scene.init("a", None);
    scene.init("b", None);
    // A producer that says that it was something else is taken in when nobody knows the id, as in Kafka.
    let other = InitProducerId { expected: Some(of(7, 3)), ..init_of("u") };
    scene.send("c", Command::InitProducerId(other));
    scene.expect(
        "
        0 a: init
        0   log: t Empty 1000:0 v0
        0 a <- 1000:0
        0 b: init
        0   log: t Empty 1000:1 v0
        0 b <- 1000:1
        0   log: u Empty 2000:0 v0
        0 c <- 2000:0
        ",
    );
}

#[test]
fn what_is_wrong_is_refused_in_kafkas_order() {
    let mut scene =
        Scene::with(TransactionConfig { transactional_ids_max: 1, ..TransactionConfig::default() });
    scene.init("a", None);
    scene.forget_transcript();
    for (init, error) in [
        (init_of(""), ErrorCode::InvalidRequest),
        (init_of(&"x".repeat(32_768)), ErrorCode::InvalidRequest),
        (
            InitProducerId { enable_two_phase_commit: true, timeout_ms: 0, ..init_of("t") },
            ErrorCode::TransactionalIdAuthorizationFailed,
        ),
        (
            InitProducerId { keep_prepared_transaction: true, timeout_ms: 0, ..init_of("t") },
            ErrorCode::UnsupportedVersion,
        ),
        (InitProducerId { timeout_ms: 0, ..init_of("t") }, ErrorCode::InvalidTransactionTimeout),
        (InitProducerId { timeout_ms: -1, ..init_of("t") }, ErrorCode::InvalidTransactionTimeout),
        (InitProducerId { timeout_ms: 900_001, ..init_of("t") }, ErrorCode::InvalidTransactionTimeout),
        (InitProducerId { expected: Some(of(999, 0)), ..init_of("t") }, ErrorCode::ProducerFenced),
        (InitProducerId { expected: Some(producer(1)), ..init_of("t") }, ErrorCode::ProducerFenced),
        (init_of("u"), ErrorCode::PolicyViolation),
    ] {
        scene.send("a", Command::InitProducerId(init));
        assert_eq!(scene.answers.last(), Some(&Reply::InitProducerId(Err(error))));
    }
    assert_eq!(scene.log.len(), 1, "nothing was written");
    let init = InitProducerId { timeout_ms: 900_000, ..init_of("t") };
    scene.send("a", Command::InitProducerId(init));
    assert_eq!(scene.answers.last(), Some(&Reply::InitProducerId(Ok(producer(1)))));
}

/// KIP-360: a producer goes on with its id and epoch, and gets the same once more if it has not heard of it.
#[test]
fn a_producer_goes_on() {
    let mut scene = Scene::begun();
    scene.init("a", Some(producer(0)));
    scene.init("a", Some(producer(0)));
    scene.init("a", Some(producer(1)));
    scene.init("a", Some(producer(0)));
    // Somebody new comes: whoever goes on from what was before is fenced.
    scene.init("b", None);
    scene.init("a", Some(producer(2)));
    scene.expect(
        "
        0 a: init as 1000:0
        0   log: t Empty 1000:1 v0
        0 a <- 1000:1
        0 a: init as 1000:0
        0   log: t Empty 1000:1 v0
        0 a <- 1000:1
        0 a: init as 1000:1
        0   log: t Empty 1000:2 v0
        0 a <- 1000:2
        0 a: init as 1000:0
        0 a <- PRODUCER_FENCED
        0 b: init
        0   log: t Empty 1000:3 v0
        0 b <- 1000:3
        0 a: init as 1000:2
        0 a <- PRODUCER_FENCED
        ",
    );
}

#[test]
fn an_open_transaction_is_aborted_for_whoever_comes() {
    let mut scene = Scene::begun();
    scene.add("a", producer(0), "x-0");
    scene.at(5);
    scene.init("b", None);
    scene.init("b", None);
    scene.add("a", producer(0), "x-1");
    scene.commit("a", producer(0));
    scene.take_work();
    scene.written(producer(1), "x-0");
    scene.add("a", producer(0), "x-1");
    scene.commit("a", producer(0));
    scene.init("b", None);
    scene.expect(
        "
        0 a: add x-0 as 1000:0
        0   log: t Ongoing 1000:0 v2 [x-0] since 0
        0 a <- NONE
        5 b: init
        5   log: t PrepareAbort 1000:1 v2 [x-0] since 0
        5 b <- CONCURRENT_TRANSACTIONS
        5 b: init
        5 b <- CONCURRENT_TRANSACTIONS
        5 a: add x-1 as 1000:0
        5 a <- CONCURRENT_TRANSACTIONS
        5 a: commit as 1000:0
        5 a <- CONCURRENT_TRANSACTIONS
        5 driver <- abort 1000:1 v2 in [x-0]
        5 driver: written x-0 of 1000:1
        5   log: t CompleteAbort 1000:1 v2 since 0
        5 driver <- NONE
        5 a: add x-1 as 1000:0
        5 a <- PRODUCER_FENCED
        5 a: commit as 1000:0
        5 a <- INVALID_TXN_STATE
        5 b: init
        5   log: t Empty 1000:2 v2
        5 b <- 1000:2
        ",
    );
}

#[test]
fn epochs_that_are_used_up_make_a_new_producer_id() {
    let mut scene = Scene::new();
    scene.begin_at_epoch(32_766);
    scene.init("a", Some(producer(32_765)));
    scene.init("a", Some(producer(32_766)));
    scene.init("a", Some(producer(32_766)));
    scene.init("a", None);
    scene.init("a", Some(producer(32_766)));
    scene.expect(
        "
        0 a: init as 1000:32765
        0 a <- UNKNOWN_SERVER_ERROR
        0 a: init as 1000:32766
        0   log: t Empty 2000:0 after 1000 v0
        0 a <- 2000:0
        0 a: init as 1000:32766
        0   log: t Empty 2000:0 v0
        0 a <- 2000:0
        0 a: init
        0   log: t Empty 2000:1 v0
        0 a <- 2000:1
        0 a: init as 1000:32766
        0 a <- PRODUCER_FENCED
        ",
    );
}

/// What Kafka's records do not say is not known after a restart, unless it follows from the transaction's end.
#[test]
fn a_producer_goes_on_after_a_restart() {
    let mut scene = Scene::begun();
    scene.init("a", Some(producer(0)));
    scene.restart();
    scene.init("a", Some(producer(0)));
    scene.add("a", producer(1), "x-0");
    scene.at(60_000);
    scene.take_work();
    scene.written(producer(2), "x-0");
    scene.restart();
    scene.init("a", Some(producer(1)));
    scene.expect(
        "
        0 a: init as 1000:0
        0   log: t Empty 1000:1 v0
        0 a <- 1000:1
        0 restart
        0 a: init as 1000:0
        0 a <- PRODUCER_FENCED
        0 a: add x-0 as 1000:1
        0   log: t Ongoing 1000:1 v2 [x-0] since 0
        0 a <- NONE
        60000   log: t PrepareAbort 1000:2 v2 [x-0] since 0
        60000 driver <- abort 1000:2 v2 in [x-0]
        60000 driver: written x-0 of 1000:2
        60000   log: t CompleteAbort 1000:2 v2 since 0
        60000 driver <- NONE
        60000 restart
        60000 a: init as 1000:1
        60000   log: t Empty 1000:2 v2
        60000 a <- 1000:2
        ",
    );
}
