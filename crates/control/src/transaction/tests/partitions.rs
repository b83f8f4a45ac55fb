//! AddPartitionsToTxn, to add and to verify.

use ottla_model::ErrorCode;

use super::scene::{of, partitions, producer};
use super::*;
use crate::transaction::*;

#[test]
fn partitions_join_once() {
    let mut scene = Scene::begun();
    scene.at(3);
    scene.add_as(TransactionVersion::V0, "a", producer(0), "x-1 x-0");
    scene.at(4);
    scene.add_as(TransactionVersion::V0, "a", producer(0), "x-0");
    scene.add_as(TransactionVersion::V0, "a", producer(0), "x-0 b-7");
    scene.verify("a", producer(0), "x-0 x-2 b-7");
    scene.expect(
        "
        3 a: add x-1 x-0 as 1000:0
        3   log: t Ongoing 1000:0 v0 [x-0 x-1] since 3
        3 a <- NONE
        4 a: add x-0 as 1000:0
        4 a <- NONE
        4 a: add x-0 b-7 as 1000:0
        4   log: t Ongoing 1000:0 v0 [b-7 x-0 x-1] since 3
        4 a <- NONE
        4 a: verify x-0 x-2 b-7 as 1000:0
        4 a <- x-0 NONE, x-2 TRANSACTION_ABORTABLE, b-7 NONE
        ",
    );
}

#[test]
fn strangers_and_zombies_are_told_apart() {
    let mut scene = Scene::begun();
    scene.init("a", None);
    for (id, who, error) in [
        ("", producer(1), ErrorCode::InvalidRequest),
        ("unknown", producer(1), ErrorCode::InvalidProducerIdMapping),
        ("t", of(999, 1), ErrorCode::InvalidProducerIdMapping),
        ("t", producer(0), ErrorCode::ProducerFenced),
        ("t", producer(2), ErrorCode::ProducerFenced),
        ("t", producer(-1), ErrorCode::ProducerFenced),
    ] {
        let (transactional_id, partitions) = (std::sync::Arc::from(id), partitions("x-0"));
        let verify = VerifyPartitions {
            transactional_id: std::sync::Arc::clone(&transactional_id),
            producer: who,
            partitions: partitions.clone(),
        };
        let client_version = TransactionVersion::V2;
        let add = AddPartitions { transactional_id, producer: who, partitions, client_version };
        scene.send("a", Command::AddPartitions(add));
        assert_eq!(scene.answers.last(), Some(&Reply::AddPartitions(Err(error))), "{id:?} {who:?}");
        scene.send("a", Command::VerifyPartitions(verify));
        let Some(Reply::VerifyPartitions(verdicts)) = scene.answers.last() else { panic!("no verdicts") };
        assert!(verdicts.iter().all(|(_, verdict)| *verdict == error), "{id:?} {who:?}");
    }
    assert_eq!(scene.log.len(), 2);
}

/// While markers are written nothing can be added, whoever asks; a verification looks at who asks first.
#[test]
fn a_transaction_that_ends_takes_nothing_in() {
    let mut scene = Scene::begun();
    scene.add("a", producer(0), "x-0");
    scene.commit("a", producer(0));
    scene.forget_transcript();
    scene.add("a", producer(1), "x-0");
    scene.add("a", of(5, 5), "x-0");
    scene.verify("a", producer(1), "x-0");
    scene.verify("a", producer(0), "x-0");
    scene.verify("a", of(5, 5), "x-0");
    scene.expect(
        "
        0 a: add x-0 as 1000:1
        0 a <- CONCURRENT_TRANSACTIONS
        0 a: add x-0 as 5:5
        0 a <- CONCURRENT_TRANSACTIONS
        0 a: verify x-0 as 1000:1
        0 a <- x-0 CONCURRENT_TRANSACTIONS
        0 a: verify x-0 as 1000:0
        0 a <- x-0 PRODUCER_FENCED
        0 a: verify x-0 as 5:5
        0 a <- x-0 INVALID_PRODUCER_ID_MAPPING
        ",
    );
}

#[test]
fn a_transaction_with_too_many_partitions_is_refused_and_can_still_end() {
    let config = TransactionConfig { record_bytes_max: 400, ..TransactionConfig::default() };
    let mut scene = Scene::with(config);
    scene.init("a", None);
    for index in 0..100 {
        scene.add("a", producer(0), &format!("x-{index}"));
    }
    assert_eq!(scene.answers.last(), Some(&Reply::AddPartitions(Err(ErrorCode::UnknownServerError))));
    let sizes = scene.log.iter().filter_map(|record| record.value.as_ref()).map(bytes::Bytes::len);
    assert!(sizes.max() <= Some(400));
    scene.commit("a", producer(0));
    assert_eq!(scene.answers.last(), Some(&Reply::End(Ok(producer(1)))));
}
